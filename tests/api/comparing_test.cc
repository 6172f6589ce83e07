// Pages of a run, its history, what explains it, and two runs compared, as replies of the server.
#include <catch2/catch.hpp>

#include "daemon/api/comparing.h"
#include "daemon/api/explaining.h"
#include "daemon/api/recounting.h"
#include "daemon/api/translate.h"
#include "tests/api/fake_backend.h"

using namespace pipelined;
using namespace pipelined::test;

namespace {

struct Story {
  boost::asio::io_context loop;
  FakeBackend backend{loop};
  RunView run(RunNumber number) { return *find_run_view(backend.store(), number); }
};

bool has_line(const protocol::RunDiff& diff, const std::string& topic, const std::string& name,
              const std::string& before, const std::string& after) {
  for (const protocol::DiffLine& line : diff.lines) {
    if (line.topic == topic && line.name == name && line.before == before && line.after == after) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("show: a page has the steps asked for and counts them all", "[api][runs]") {
  Story story;
  const protocol::RunDetail all = api::detail_of(story.backend, story.run(4), {});
  CHECK(all.steps_total == 9);
  CHECK(all.steps.size() == 9);
  CHECK(all.run.steps.at("waiting") == 5);
  const protocol::RunDetail page = api::detail_of(story.backend, story.run(4), {2, 3, false});
  CHECK(page.offset == 2);
  CHECK(page.steps_total == 9);
  REQUIRE(page.steps.size() == 3);
  CHECK(page.steps[0].step == all.steps[2].step);
  const protocol::RunDetail stuck = api::detail_of(story.backend, story.run(4), {0, 500, true});
  REQUIRE(stuck.steps.size() == 1);
  CHECK(stuck.steps[0].state == "halted");
}

TEST_CASE("explanation: a named step is told with its past and what it waits for", "[api][runs]") {
  Story story;
  const auto halted =
      api::explanation_of(story.backend, story.run(4), {"validate", "2013-12"});
  REQUIRE(halted);
  REQUIRE(halted->steps.size() == 1);
  CHECK(halted->steps[0].history.back().state == "halted");
  const auto waiting = api::explanation_of(story.backend, story.run(4), {"split", ""});
  REQUIRE(waiting);
  CHECK(waiting->steps.at(0).sentences.at(0) == "waits for validate/2013-12, which is halted.");
  const auto whole = api::explanation_of(story.backend, story.run(4), {});
  REQUIRE(whole);
  REQUIRE_FALSE(whole->steps.empty());
  CHECK_FALSE(whole->steps.front().ways_on.empty());
}

TEST_CASE("history: pages of steps together have every state once", "[api][runs]") {
  Story story;
  const protocol::RunHistory whole = api::recount(story.backend, story.run(4), {}, 1000);
  CHECK(whole.next.empty());
  std::size_t steps = 0, lines = 0;
  for (const protocol::HistoryLine& line : whole.lines) steps += line.step.empty() ? 0 : 1;
  StepName after;
  for (int pages = 0; pages < 10; ++pages) {
    const protocol::RunHistory page = api::recount(story.backend, story.run(4), after, 2);
    for (const protocol::HistoryLine& line : page.lines) lines += line.step.empty() ? 0 : 1;
    if (page.next.empty()) break;
    after = parse_step_name(page.next);
  }
  CHECK(steps >= 4);
  CHECK(lines == steps);
}

TEST_CASE("diff: two runs differ in what they read, measured and became", "[api][runs]") {
  Story story;
  story.backend.turn([&](Store& store) {
    RunRow later = *store.find_run(4);
    later.number = 5, later.state = RunState::succeeded, later.created_seq = 900;
    later.options.params = {{"depth", Value(8)}};
    later.spans[1].version = 2;
    store.put(later);
  });
  const protocol::RunDiff diff =
      api::compare_runs(story.backend, story.run(4), story.run(5), false);
  CHECK(has_line(diff, "run", "state", "halted", "succeeded"));
  CHECK(has_line(diff, "parameter", "depth", "6", "8"));
  CHECK(has_line(diff, "input", "flights/2013-12", "version 1", "version 2"));
  CHECK(has_line(diff, "metric", "l_infinity (late)", "0.1137", ""));
  for (const protocol::DiffLine& line : diff.lines) CHECK(line.before != line.after);
  CHECK(api::compare_runs(story.backend, story.run(4), story.run(4), false).lines.empty());
  CHECK(api::compare_runs(story.backend, story.run(4), story.run(4), true).lines.size() > 5);
}

TEST_CASE("replay: the events of a run have its past, its attempts and its end", "[api][runs]") {
  Story story;
  const auto replay = api::replay_of(story.backend, story.run(4));
  REQUIRE(replay);
  CHECK(replay->files.count("pipeline.toml") == 1);
  CHECK(replay->operators.size() == 3);
  CHECK(replay->events.front().kind == "run");
  CHECK(replay->events.back().kind == "attempt_ended");
  CHECK(replay->events.back().outcome == "halt");
  REQUIRE(replay->results.size() == 1);
  CHECK(replay->results[0].step == "statistics");
  const auto again = protocol::from_json<protocol::RunEvents>(protocol::to_json(*replay));
  REQUIRE(again);
  CHECK(protocol::to_json(*again) == protocol::to_json(*replay));
}
