// Lists, histories, lineage and the outbox as people see them.
#include <catch2/catch.hpp>

#include "daemon/store/views.h"
#include "tests/store/store_world.h"

using namespace pipelined;

namespace {

std::vector<RunNumber> numbers(const std::vector<RunView>& views) {
  std::vector<RunNumber> found;
  for (const RunView& view : views) found.push_back(view.row.number);
  return found;
}

AlertRow alert_row(const std::string& id, std::int64_t seq, RunNumber run,
                   const std::string& step) {
  AlertRow row;
  row.id = id;
  row.pipeline = "flights";
  row.subject = "subject";
  row.severity = "error";
  row.sentence = "something";
  row.run = run;
  row.step = step;
  row.at = 1000;
  row.seq = seq;
  return row;
}

}  // namespace

TEST_CASE("views: runs are listed newest first, by pipeline and state, page by page",
          "[store][views]") {
  const TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(store->begin());
  for (RunNumber number = 1; number <= 9; ++number) {
    RunRow run = run_row(number, number % 3 == 0 ? "penguins" : "flights");
    run.state = number % 2 == 0 ? RunState::failed : RunState::succeeded;
    store->put(run);
    store->put(step_row(number, "a", "", StepState::cached, number));
    store->put(step_row(number, "b", "", number % 2 == 0 ? StepState::failed
                                                         : StepState::succeeded, number));
  }
  REQUIRE(store->commit());
  CHECK(numbers(list_runs(*store, {"", {}, 0, 3})) == std::vector<RunNumber>{9, 8, 7});
  CHECK(numbers(list_runs(*store, {"", {}, 7, 2})) == std::vector<RunNumber>{6, 5});
  CHECK(numbers(list_runs(*store, {"penguins", {}, 0, 50})) == std::vector<RunNumber>{9, 6, 3});
  CHECK(numbers(list_runs(*store, {"", RunState::failed, 0, 2})) == std::vector<RunNumber>{8, 6});
  CHECK(numbers(list_runs(*store, {"penguins", RunState::failed, 0, 50})) ==
        std::vector<RunNumber>{6});
  const RunView newest = list_runs(*store, {"", {}, 0, 1})[0];
  CHECK(newest.counts.cached == 1);
  CHECK(newest.counts.succeeded == 1);
  CHECK(newest.counts.total() == 2);
  CHECK(newest_run(*store, "") == 9);
  CHECK(newest_run(*store, "flights") == 8);
  CHECK(newest_run(*store, "nobody") == 0);

  SECTION("counts follow a run that is taken up again") {
    RunRow again = run_row(9, "penguins");
    REQUIRE(put_all(*store, again, step_row(9, "b", "", StepState::running, 100)));
    CHECK(list_runs(*store, {"", {}, 0, 1})[0].counts.running == 1);
    again.state = RunState::cancelled;
    REQUIRE(put_all(*store, again));
    REQUIRE(put_all(*store, step_row(9, "b", "", StepState::cancelled, 101)));
    CHECK(list_runs(*store, {"", {}, 0, 1})[0].counts.cancelled == 1);
    CHECK(list_runs(*store, {"", {}, 0, 1})[0].counts.running == 0);
  }
}

TEST_CASE("views: a step tells what it was before, and nothing twice", "[store][views]") {
  const TestFolder folder;
  auto store = open_in(folder);
  const auto put = [&](StepState state, const std::string& code, TimeMs at) {
    StepRow row = step_row(1, "train", "", state, at);
    row.reason = {code, "because of " + code, {}}, row.at = at;
    REQUIRE(put_all(*store, row));
  };
  REQUIRE(put_all(*store, run_row(1)));
  put(StepState::running, "first_time", 10);
  CHECK(find_step(*store, 1, {"train", ""})->past.empty());
  put(StepState::waiting, "retry", 20);
  put(StepState::running, "first_time", 30);
  put(StepState::succeeded, "first_time", 40);
  const auto view = find_step(*store, 1, {"train", ""});
  REQUIRE(view);
  const std::vector<StateChange> expected = {
      {10, StepState::running, {"first_time", "because of first_time", {}}},
      {20, StepState::waiting, {"retry", "because of retry", {}}}};
  CHECK(view->past == expected);
  CHECK(view->row.at == 40);

  SECTION("a very long past loses its oldest part") {
    for (TimeMs at = 100; at < 1100; ++at) put(StepState::waiting, "retry", at);
    const auto late = find_step(*store, 1, {"train", ""});
    CHECK(late->past.back().at == 1098);
    CHECK(late->past.size() > 100);
    CHECK(late->past.size() < 1000);
  }
}

TEST_CASE("views: what stands in the way of a run is found among many steps", "[store][views]") {
  const TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(store->begin());
  store->put(run_row(1));
  for (int i = 0; i < 3000; ++i) {
    store->put(step_row(1, "a", std::to_string(10000 + i),
                        i % 1000 == 7 ? StepState::halted : StepState::cached, i + 1));
  }
  REQUIRE(store->commit());
  StepFilter filter;
  filter.run = 1, filter.stuck_only = true;
  const std::vector<StepRow> stuck = list_step_rows(*store, filter);
  REQUIRE(stuck.size() == 3);
  CHECK(stuck[1].element == "11007");
  filter.stuck_only = false;
  CHECK(list_step_rows(*store, filter).size() == 1000);
}

TEST_CASE("views: a run is shown with its steps in order, their results and attempts",
          "[store][views]") {
  const TestFolder folder;
  auto store = open_in(folder);
  ResultRow result = result_row(1, "train", "", "k", 3);
  result.metrics = {{"auc", "", 0.7}, {"auc", "carrier=UA", 0.6}};
  StepRow train = step_row(1, "train", "", StepState::succeeded, 5);
  train.result = 1, train.attempts = 2;
  AttemptRow first, second;
  first.id = "z", first.run = 1, first.step = "train", first.number = 1;
  second.id = "a", second.run = 1, second.step = "train", second.number = 2;
  StepRow reused = step_row(2, "train", "", StepState::cached, 6);
  reused.result = 1;
  REQUIRE(put_all(*store, run_row(1), run_row(2), train,
                  step_row(1, "ingest", "b", StepState::succeeded, 2),
                  step_row(1, "ingest", "a", StepState::succeeded, 4), first, second, result,
                  reused));
  const auto run = find_run_view(*store, 1);
  REQUIRE(run);
  CHECK(run->counts.succeeded == 3);
  CHECK_FALSE(find_run_view(*store, 3));
  StepFilter filter;
  filter.run = 1;
  const std::vector<StepView> steps = list_steps(*store, filter);
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].row.element == "a");
  CHECK(steps[2].row.step == "train");
  REQUIRE(steps[2].result);
  CHECK(fields(*steps[2].result) == fields(result));
  REQUIRE(steps[2].attempts.size() == 2);
  CHECK(steps[2].attempts[1].id == "a");
  CHECK(find_step(*store, 1, {"ingest", "b"})->row.seq == 2);
  CHECK_FALSE(find_step(*store, 1, {"ingest", "c"}));
  filter.after = {"ingest", "a"}, filter.limit = 1;
  CHECK(list_step_rows(*store, filter).at(0).element == "b");
  filter.after = {}, filter.step = "train";
  CHECK(list_step_rows(*store, filter).size() == 1);

  const auto metrics = list_metrics(*store, {2, 1});
  REQUIRE(metrics.size() == 4);
  CHECK(metrics[0].run == 2);
  CHECK(metrics[1].fact == MetricFact{"auc", "carrier=UA", 0.6});
  const auto history = step_history(*store, "flights", "train", "", 10);
  REQUIRE(history.size() == 2);
  CHECK(history[0].row.state == StepState::cached);
  CHECK(step_history(*store, "flights", "ingest", "a", 10).size() == 1);
}

TEST_CASE("views: spans and sources show the newest version", "[store][views]") {
  const TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(store->begin());
  std::int64_t number = 0;
  for (const auto& [span, version] : {std::pair{"2013-01", 1}, {"2013-01", 2}, {"2013-02", 1}}) {
    SpanRow row;
    row.pipeline = "flights", row.source = "flights", row.span = span, row.version = version;
    row.artifact = artifact(span + std::to_string(version), "files/1");
    store->put(row);
    store->put(ArrivalRow{++number, "flights", "flights", span, version, row.artifact, "x.csv", 5,
                          0, number});
  }
  REQUIRE(store->commit());
  CHECK(list_spans(*store, {"flights", "", "", true, 0, 100}).size() == 2);
  CHECK(list_spans(*store, {"flights", "flights", "2013-01", false, 0, 100}).size() == 2);
  CHECK(list_spans(*store, {"", "", "", false, 1, 1})[0].version == 2);
  const auto sources = list_sources(*store, "");
  REQUIRE(sources.size() == 1);
  CHECK(sources[0].arrivals == 3);
  CHECK(sources[0].spans == 2);
  CHECK(sources[0].newest.span == "2013-02");
}

TEST_CASE("views: an alert about a step is open until the step or a later run got past it",
          "[store][views]") {
  const TestFolder folder;
  auto store = open_in(folder);
  RunRow first = run_row(1), second = run_row(2);
  first.state = RunState::halted;
  REQUIRE(put_all(*store, first, second, step_row(1, "validate", "", StepState::halted, 5),
                  alert_row("a", 1, 1, "validate"), alert_row("watch", 2, 0, "")));
  const auto open = [&store] {
    std::vector<std::string> ids;
    for (const AlertView& view : list_alerts(*store, {"", true, 0, 50})) ids.push_back(view.row.id);
    return ids;
  };
  CHECK(open() == std::vector<std::string>{"watch", "a"});
  SECTION("accepted") {
    REQUIRE(put_all(*store, step_row(1, "validate", "", StepState::succeeded, 6)));
    CHECK(open() == std::vector<std::string>{"watch"});
  }
  SECTION("got past by a later run") {
    REQUIRE(put_all(*store, step_row(2, "validate", "", StepState::succeeded, 6)));
    CHECK(open() == std::vector<std::string>{"watch"});
  }
  SECTION("a later word on the same subject closes one without a run") {
    AlertRow news = alert_row("back", 3, 0, "");
    news.severity = "info";
    REQUIRE(put_all(*store, news));
    CHECK(open() == std::vector<std::string>{"a"});
  }
  CHECK(list_alerts(*store, {"", false, 2, 50}).size() == 1);
}

TEST_CASE("outbox: each alert goes to each sink once, under the same id after a crash",
          "[store][outbox]") {
  const TestFolder folder;
  {
    auto store = open_in(folder);
    REQUIRE(put_all(*store, alert_row("a", 1, 0, ""), alert_row("a", 2, 0, "")));
    CHECK(store->next_delivery() == 1000);
    CHECK(store->claim_deliveries(999, 10)->empty());
    const auto claimed = store->claim_deliveries(1000, 10);
    REQUIRE(claimed);
    REQUIRE(claimed->size() == 1);
    CHECK(claimed->front().alert.id == "a");
    CHECK(claimed->front().sink == "hook");
    CHECK(claimed->front().target == "http://receiver/alerts");
    CHECK(claimed->front().tries == 1);
    CHECK(store->claim_deliveries(2000, 10)->empty());
    CHECK(count_outbox(*store).claimed == 1);
  }
  auto store = open_in(folder);  // The process died while sending.
  auto claimed = store->claim_deliveries(2000, 10);
  REQUIRE(claimed->size() == 1);
  const std::int64_t id = claimed->front().id;
  CHECK(claimed->front().tries == 2);
  REQUIRE(store->mark_undelivered(id, 2000, 5000, "connection refused"));
  CHECK(store->next_delivery() == 5000);
  CHECK(list_outbox(*store, 10).at(0).error == "connection refused");
  CHECK(list_outbox(*store, 10).at(0).alert.id == "a");
  SECTION("delivered at last") {
    REQUIRE(store->claim_deliveries(5000, 10)->size() == 1);
    REQUIRE(store->mark_delivered(id, 5001));
    REQUIRE(store->mark_undelivered(id, 5002, 5003, "a late answer"));
    CHECK(count_outbox(*store).done == 1);
    CHECK(list_outbox(*store, 10).empty());
    CHECK(list_alerts(*store, {})[0].deliveries.at(0).state == DeliveryState::done);
  }
  SECTION("given up") {
    REQUIRE(store->give_up_delivery(id, 6000, "no such host"));
    CHECK_FALSE(store->next_delivery());
    CHECK(count_outbox(*store).given_up == 1);
  }
}

TEST_CASE("views: an artifact is shown with who made it, who read it and where it arrived",
          "[store][views]") {
  const TestFolder folder;
  auto store = open_in(folder);
  const Manifest manifest{"files/1", {{"2013-10.csv", sha256("x"), 100, false}}};
  const ArtifactRef ref{manifest.digest(), "files/1", 100};
  ResultRow reader = result_row(1, "ingest", "2013-10", "k", 2);
  reader.inputs = {{"files", 0, ref}};
  reader.outputs = {{"examples", 0, artifact("e")}};
  REQUIRE(store->begin());
  store->put_artifact(manifest);
  store->put(ArrivalRow{1, "flights", "flights", "2013-10", 1, ref, "2013-10.csv", 77, 0, 1});
  store->put(reader);
  REQUIRE(store->commit());

  const auto detail = show_artifact(*store, ref.digest, 10);
  REQUIRE(detail);
  CHECK(detail->view.ref == ref);
  CHECK(detail->view.files == 1);
  CHECK(detail->view.created_at == 77);
  CHECK(*detail->manifest == manifest);
  CHECK(detail->producers.empty());
  REQUIRE(detail->consumers.size() == 1);
  CHECK(detail->consumers[0].step == "ingest");
  CHECK(detail->consumers[0].port == "files");
  CHECK(detail->arrivals.size() == 1);
  CHECK(show_artifact(*store, sha256("e"), 10)->producers.size() == 1);
  CHECK_FALSE(show_artifact(*store, sha256("e"), 10)->manifest);
  CHECK_FALSE(show_artifact(*store, sha256("nobody"), 10));

  CHECK(list_artifacts(*store, {"files/1", 0, 10}).size() == 1);
  CHECK(list_artifacts(*store, {"", 0, 10}).size() == 2);
  const std::string hex = ref.digest.hex();
  CHECK(find_artifacts(*store, hex.substr(0, 7), 5) == std::vector<Digest>{ref.digest});
  CHECK(find_artifacts(*store, hex, 5).size() == 1);
  CHECK(find_artifacts(*store, hex.substr(0, 3), 5).empty());
  CHECK(find_artifacts(*store, "zzzz", 5).empty());
}
