#include <catch2/catch.hpp>

#include "daemon/store/views.h"
#include "tests/store/store_world.h"

using namespace pipelined;

namespace {

AttemptRow attempt(const std::string& id, const std::string& step, std::int64_t memory,
                   const std::string& failure_class = "") {
  AttemptRow row;
  row.id = id, row.run = 1, row.step = step, row.running = false;
  row.outcome = failure_class.empty() ? Outcome::ok : Outcome::failed;
  row.failure_class = failure_class;
  row.memory_peak_bytes = memory, row.scratch_bytes = memory / 2;
  row.started_at = 1000, row.ended_at = 5000, row.cpu_ms = 6000;
  return row;
}

}  // namespace

TEST_CASE("views: what attempts used is told by step, without the machine's faults",
          "[store][views]") {
  const TestFolder folder;
  auto store = open_in(folder);
  AttemptRow lost = attempt("4", "train", 900, "killed");
  lost.machine_fault = true;
  AttemptRow running = attempt("5", "train", 900);
  running.running = true;
  AttemptRow quick = attempt("6", "split", 7);
  quick.ended_at = 1010;
  REQUIRE(put_all(*store, run_row(1), attempt("1", "train", 100),
                  attempt("2", "train", 300, "out_of_memory"), attempt("3", "train", 200), lost,
                  running, quick));
  const auto uses = list_uses(*store, "flights", 10);
  REQUIRE(uses.size() == 2);
  CHECK(uses[1].step == "train");
  CHECK(uses[1].attempts == 3);
  CHECK(uses[1].memory_peak_bytes == 300);
  CHECK(uses[1].scratch_peak_bytes == 150);
  CHECK(uses[1].out_of_memory == 1);
  CHECK(uses[1].cpus_most == Approx(1.5));
  CHECK(uses[0].cpus_most == 0);
  CHECK(list_uses(*store, "other", 10).empty());
}
