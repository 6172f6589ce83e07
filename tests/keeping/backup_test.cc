// Backups are whole or name what they lack; restores verify every byte.
#include <catch2/catch.hpp>

#include "daemon/keeping/backup.h"
#include "daemon/keeping/offline.h"
#include "tests/keeping/keeping_world.h"

using namespace pipelined;

TEST_CASE("backup: a backup made beside work is restored clean", "[keeping][backup]") {
  KeepingWorld world;
  for (int i = 0; i < 3; ++i) world.add_run(1000);
  const std::string saved = world.state.file("saved");
  const Job job = world.work({"backup", false, false, saved, {}, "mia"});
  CAPTURE(job.error);
  REQUIRE(job.done());
  CHECK(row_of(job.report, "objects").found == 7);
  const TestFolder fresh;
  const auto restored = restore_backup({saved, fresh.file("state"), fresh.file("state/store")});
  if (!restored) FAIL(restored.error().message);
  CHECK_FALSE(has_violation(*restored));
  const auto looked = fsck_offline({fresh.file("state"), fresh.file("state/store"), true, {}, {}});
  REQUIRE(looked);
  CHECK(violated(*looked).empty());
  CHECK(row_of(*looked, "I8").checked == 3);
  CHECK(restore_backup({saved, fresh.file("state"), fresh.file("state/store")}).error().code ==
        ErrorCode::conflict);
}

TEST_CASE("backup: a restore names exactly the digests that are missing or wrong",
          "[keeping][backup]") {
  KeepingWorld world;
  for (int i = 0; i < 3; ++i) world.add_run(1000);
  const std::string saved = world.state.file("saved");
  REQUIRE(world.work({"backup", false, false, saved, {}, "mia"}).done());
  const auto object = [&saved](const std::string& text) {
    const std::string hex = sha256(text).hex();
    return saved + "/objects/" + hex.substr(0, 2) + "/" + hex.substr(2);
  };
  REQUIRE(::unlink(object("run 1 out").c_str()) == 0);
  REQUIRE(::unlink(object("run 2 out").c_str()) == 0);
  write_text(object("run 2 out"), "run 2 0ut");
  const TestFolder fresh;
  const auto restored = restore_backup({saved, fresh.file("state"), fresh.file("store")});
  REQUIRE(restored);
  const ReportRow row = row_of(*restored, "objects");
  REQUIRE(row.findings.size() == 2);
  const std::string both = row.findings[0] + row.findings[1];
  CHECK(both.find(sha256("run 1 out").hex()) != std::string::npos);
  CHECK(both.find(sha256("run 2 out").hex()) != std::string::npos);
  const auto looked = fsck_offline({fresh.file("state"), fresh.file("store"), true, {}, {}});
  REQUIRE(looked);
  CHECK(violated(*looked) == "I2");
  CHECK(row_of(*looked, "I2").runs == std::set<RunNumber>{1, 2});
}

TEST_CASE("backup: only a new folder is taken, and only a whole backup restored",
          "[keeping][backup]") {
  KeepingWorld world;
  world.add_run(1000);
  write_text(world.state.file("full/file"), "x");
  world.make_keeper();
  CHECK(world.keeper->start({"backup", false, false, world.state.file("full"), {}, "mia"})
            .error().code == ErrorCode::conflict);
  CHECK(world.keeper->start({"backup", false, false, "relative", {}, "mia"}).error().code ==
        ErrorCode::invalid);
  const std::string saved = world.state.file("saved");
  REQUIRE(world.work({"backup", false, false, saved, {}, "mia"}).done());
  const TestFolder fresh;
  CHECK(restore_backup({world.state.file("full"), fresh.file("a"), fresh.file("b")})
            .error().code == ErrorCode::not_found);
  write_text(saved + "/state.db", "damaged");
  CHECK(restore_backup({saved, fresh.file("a"), fresh.file("b")}).error().code ==
        ErrorCode::corrupt);
}
