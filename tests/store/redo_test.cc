// Rows about what is done again and what must not be used, against real files.
#include <catch2/catch.hpp>

#include "daemon/store/views.h"
#include "tests/store/store_world.h"

using namespace pipelined;

namespace {

ArtifactRef some_artifact(const std::string& name) { return {sha256(name), "files/1", 3}; }

RunRow some_run(RunNumber number, RunOptions options = {}) {
  RunRow row;
  row.number = number;
  row.pipeline = "p";
  row.version = sha256("version");
  row.state = RunState::running;
  row.options = std::move(options);
  row.created_seq = number;
  return row;
}

ResultRow some_result(std::int64_t id, const std::string& step, const std::string& from,
                     const std::string& to) {
  ResultRow row;
  row.id = id;
  row.key = sha256("key of " + step);
  row.pipeline = "p";
  row.run = 1;
  row.step = step;
  row.inputs = {{"in", 0, some_artifact(from)}};
  row.outputs = {{"out", 0, some_artifact(to)}};
  row.seq = 100 + id;
  return row;
}

StepRow some_step(const ResultRow& result) {
  StepRow row;
  row.run = result.run;
  row.step = result.step;
  row.state = StepState::succeeded;
  row.key = result.key;
  row.result = result.id;
  row.pass_over = 77;
  row.first_call_at = 78;
  row.seq = 200 + result.id;
  return row;
}

std::vector<std::int64_t> ids(const std::vector<ResultRow>& rows) {
  std::vector<std::int64_t> found;
  for (const ResultRow& row : rows) found.push_back(row.id);
  return found;
}

using Ids = std::vector<std::int64_t>;

}  // namespace

TEST_CASE("store: a result that was declared bad is found no more", "[store][redo]") {
  TestFolder folder;
  const ResultRow first = some_result(1, "a", "x", "y"), again = some_result(2, "a", "x", "y");
  const ResultRow below = some_result(3, "b", "y", "z");
  {
    auto store = open_in(folder);
    REQUIRE(put_all(*store, some_run(1), first, again, below, some_step(first)));
    CHECK(store->find_result(*first.key, 1000)->id == 2);
    CHECK(ids(store->results_with_key(*first.key, 0, 10)) == Ids{1, 2});
    CHECK(ids(store->results_with_key(*first.key, 1, 10)) == Ids{2});
    CHECK(ids(store->results_of_step("p", "a", "", 0, 1)) == Ids{1});
    CHECK(ids(store->results_of_step("p", "a", "2013", 0, 9)).empty());
    CHECK(ids(store->results_from(some_artifact("y").digest, 0, 10)) == Ids{3});
    CHECK(store->results_from(some_artifact("y").digest, 0, 10)[0].outputs[0].artifact == some_artifact("z"));
    CHECK(store->finished_steps("p", "a", "", true, 1000, 0, 5).size() == 1);
    CHECK_FALSE(store->is_bad(some_artifact("y").digest));
    InvalidationRow bad{1, first.key, 0, "me", "a wrong library", 5, 300};
    REQUIRE(put_all(*store, bad));
    bad.why = "another reason";
    bad.seq = 301;
    REQUIRE(put_all(*store, bad));  // the first stays
  }
  auto store = open_in(folder);
  CHECK(store->find_result(*first.key, 1000)->id == 2);
  CHECK_FALSE(store->find_result(*first.key, 102));
  CHECK(ids(store->results_with_key(*first.key, 0, 10)) == Ids{2});
  CHECK(store->finished_steps("p", "a", "", true, 1000, 0, 5).empty());
  CHECK_FALSE(store->is_bad(some_artifact("y").digest));  // result 2 made it too
  CHECK_FALSE(store->is_bad(some_artifact("x").digest));  // nobody made it
  const auto found = store->find_invalidation(*first.key);
  REQUIRE(found);
  CHECK(found->result == 1);
  CHECK(found->why == "a wrong library");
  REQUIRE(put_all(*store, InvalidationRow{2, first.key, 0, "me", "too", 6, 302}));
  CHECK(store->is_bad(some_artifact("y").digest));
  CHECK_FALSE(store->find_result(*first.key, 1000));
  CHECK(store->find_invalidation(*first.key)->result == 2);
  CHECK_FALSE(store->find_invalidation(*below.key));
}

TEST_CASE("store: backfills come back while they run, options and spans of runs with them",
          "[store][redo]") {
  TestFolder folder;
  RunOptions options;
  options.select = "step:a";
  options.source = "s";
  options.spans = {"2013-01", "2013-02"};
  options.force = {"a"};
  options.backfill = 2;
  BackfillRow row{2, "p", "s", "2013-01..2013-06", "failed", "newest", 2, 3, {}, {"2013-02", "2013-01"},
                  0, "running", "me", "why not", 11, 0, 50};
  row.options.select = "step:a";
  row.options.params = {{"p", Value(7)}};
  {
    auto store = open_in(folder);
    BackfillRow done = row;
    done.id = 1, done.state = "done", done.ended_at = 12;
    REQUIRE(put_all(*store, row, done, some_run(4, options)));
    row.begun = 2;
    row.seq = 51;
    REQUIRE(put_all(*store, row));
  }
  auto store = open_in(folder);
  const auto found = store->recover();
  REQUIRE(found);
  CHECK(found->last_backfill == 2);
  REQUIRE(found->backfills.size() == 1);
  const BackfillRow& back = found->backfills[0];
  CHECK(back.id == 2);
  CHECK(back.begun == 2);
  CHECK(back.spans == row.spans);
  CHECK(back.options == row.options);
  CHECK(back.order == "newest");
  CHECK(back.reprocess == "failed");
  CHECK((back.chunk == 2 && back.max_active == 3 && back.created_at == 11));
  CHECK(store->find_run(4)->options == options);
  CHECK_FALSE(store->find_run(4)->options.full());
  CHECK(list_backfills(*store, "", 10).size() == 2);
  CHECK(list_backfills(*store, "other", 10).empty());
  CHECK(list_backfills(*store, "p", 1)[0].id == 2);
}

TEST_CASE("store: requests of steps and what a step passes over come back", "[store][redo]") {
  TestFolder folder;
  const ResultRow result = some_result(1, "a", "x", "y");
  StepRequestRow asked{1, 0, "p", "a", "", 1, "raise_alert",
                       Value(ValueTable{{"sentence", Value("look")}}), "done", "alert: look", 9, 60};
  {
    auto store = open_in(folder);
    REQUIRE(put_all(*store, some_run(1), result, some_step(result), asked));
  }
  auto store = open_in(folder);
  const auto rows = list_step_requests(*store, 1, 10);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].kind == "raise_alert");
  CHECK(rows[0].sentence == "alert: look");
  CHECK(canonical(rows[0].arguments) == canonical(asked.arguments));
  CHECK(list_step_requests(*store, 2, 10).empty());
  REQUIRE(store->steps_of(1).size() == 1);
  CHECK(store->steps_of(1)[0].pass_over == 77);
  CHECK(store->steps_of(1)[0].first_call_at == 78);
}

TEST_CASE("store: how far a query source was read is one row, found again after a start",
          "[store][polls]") {
  TestFolder folder;
  PollRow row{"shop", "orders", "id", "250", "int", 3, 250, 2, 0, "50 rows, id 201 to 250", 5, 0, false, 7};
  {
    auto store = open_in(folder);
    CHECK_FALSE(store->find_poll("shop", "orders"));
    REQUIRE(put_all(*store, row));
    row.failures = 2, row.sentence = "the server is not there", row.failing_since = 6;
    row.alerted = true, row.polls = 5, row.seq = 9;
    REQUIRE(put_all(*store, row));
    CHECK(store->find_poll("shop", "orders") == row);
  }
  auto store = open_in(folder);
  CHECK(store->find_poll("shop", "orders") == row);
  CHECK_FALSE(store->find_poll("shop", "others"));
  CHECK(store->recover()->last_seq >= 9);
}
