// Triggers and what holds for all runs of a pipeline, over clocks that are set and daemons that die.
#include <random>
#include <set>

#include "dag/cron.h"
#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

RunOptions with_x(std::int64_t x) {
  RunOptions options;
  options.params = {{"x", x}};
  return options;
}

constexpr std::int64_t minute = 60'000, hour = 3'600'000, day = 86'400'000;

std::string pipeline_with(const std::string& triggers, const std::string& name = "p") {
  return "name = \"" + name + "\"\n" + triggers + "\n[step.a]\noperator = \"one\"\n";
}

struct World : EngineWorld {
  explicit World(const std::string& start = "2026-03-27T12:00Z") { set(start); }

  static TimeMs ms(const std::string& time) { return *parse_instant(time, TimeZone::utc()) * 1000; }
  void set(const std::string& time) { now.wall_ms = ms(time); }
  /// The wall clock is set; hardly any time passes.
  void jump(const std::string& time) {
    set(time);
    now.steady_ms += 10;
    turn(event::TimeReached{});
    finish();
  }
  void finish() {
    run_all();
    check_once();
  }
  /// Sleeps as a daemon does: until the engine's timer, at most until `until`.
  void sleep_until(const std::string& time) { sleep(ms(time) - now.wall_ms); }
  void sleep(std::int64_t duration) {
    const TimeMs until = now.wall_ms + duration;
    while (now.wall_ms < until) {
      const auto timer = engine->next_timer();
      const std::int64_t left = until - now.wall_ms;
      const std::int64_t step = timer ? std::clamp<std::int64_t>(*timer - now.steady_ms, 1, left) : left;
      wait(step);
      finish();
      REQUIRE(++wakes < 200'000);
    }
  }
  /// No slot has two runs, no run two slots.
  void check_once() {
    std::set<RunNumber> seen;
    for (const auto& [key, slot] : ledger.slots) {
      if (slot.outcome == "fired") CHECK(seen.insert(slot.run).second);
    }
  }
  std::vector<std::string> slots(const std::string& outcome, const std::string& zone = "UTC") {
    std::vector<std::string> found;
    for (const auto& [key, slot] : ledger.slots) {
      if (slot.outcome == outcome) {
        found.push_back(iso_text(slot.due_at / 1000, **zones.zone(zone)).substr(0, 16));
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  std::size_t run_count() { return ledger.runs.size(); }
  const RunRow& last_run() { return ledger.runs.rbegin()->second; }
  std::size_t alerts_with(const std::string& part) {
    return static_cast<std::size_t>(
        std::count_if(ledger.alerts.begin(), ledger.alerts.end(), [&](const auto& entry) {
          return entry.first.find(part) != std::string::npos;
        }));
  }
  void call(const std::string& delivery, ValueTable params = {}) {
    turn(event::HookCalled{++last_request, "p", "push", delivery, std::move(params), "hook push"});
    finish();
  }
  void pause(bool paused) { turn(event::PauseRequested{++last_request, "p", "uid 1000", paused}); }

  int wakes = 0;
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("schedule: each slot starts one run, over a change of the clock", "[schedule]") {
  World world("2026-03-27T12:00Z");
  world.apply(pipeline_with("[[trigger]]\nschedule = \"30 2 * * *\"\ntimezone = \"Europe/Berlin\""));
  world.sleep_until("2026-03-31T12:00Z");
  CHECK(world.slots("fired", "Europe/Berlin") ==
        Texts{"2026-03-28T02:30", "2026-03-29T03:00", "2026-03-30T02:30", "2026-03-31T02:30"});
  CHECK(world.run_count() == 4);
  CHECK(world.ledger.runs.begin()->second.reason.code == "schedule");
  CHECK(world.ledger.runs.begin()->second.reason.sentence ==
        "due at 2026-03-28T02:30:00+01:00 by 30 2 * * * in Europe/Berlin");
  CHECK(world.wakes < 4 * 2 * 60 * 24 + 100);
}

TEST_CASE("schedule: a run starts at its time, and nothing before", "[schedule]") {
  World world("2026-03-27T11:59Z");
  world.apply(pipeline_with("[[trigger]]\nschedule = \"@hourly\""));
  CHECK(world.run_count() == 0);
  REQUIRE(world.engine->next_timer());
  world.wait(59'999);
  CHECK(world.run_count() == 0);
  world.wait(1);
  CHECK(world.run_count() == 1);
  world.wait(1);
  CHECK(world.run_count() == 1);
}

TEST_CASE("schedule: restarts between and at slots neither lose nor double one", "[schedule]") {
  World world("2026-03-27T11:59Z");
  world.apply(pipeline_with("[[trigger]]\nschedule = \"@hourly\""));
  for (int i = 0; i < 5; ++i) {
    world.wait(minute);
    world.restart();
    world.finish();
    world.wait(29 * minute);
    world.restart();
    world.wait(30 * minute);
    world.restart();
    world.finish();
  }
  CHECK(world.run_count() == 5);  // 12:00 to 16:00
  CHECK(world.slots("fired").size() == 5);
}

TEST_CASE("schedule: a commit that fails takes slot and run back together", "[schedule]") {
  World world("2026-03-27T11:59Z");
  world.apply(pipeline_with("[[trigger]]\nschedule = \"@hourly\""));
  world.now.wall_ms += minute;
  world.now.steady_ms += minute;
  REQUIRE(world.ledger.begin());
  std::vector<Effect> effects;
  world.engine->apply(event::TimeReached{}, world.now, effects);
  world.ledger.fail_next_commit = true;
  REQUIRE_FALSE(world.ledger.commit());
  CHECK(world.run_count() == 0);
  world.restart();
  CHECK(world.run_count() == 1);
  CHECK(world.slots("fired").size() == 1);
}

TEST_CASE("schedule: a clock set back fires nothing twice, and goes on where it was", "[schedule]") {
  World world("2026-03-27T11:59Z");
  world.apply(pipeline_with("[[trigger]]\nschedule = \"@hourly\""));
  world.sleep_until("2026-03-27T15:30Z");
  CHECK(world.run_count() == 4);
  world.jump("2026-03-27T12:30Z");
  world.sleep_until("2026-03-27T15:59Z");
  CHECK(world.run_count() == 4);
  world.sleep_until("2026-03-27T17:00Z");
  CHECK(world.run_count() == 6);
  world.jump("2026-03-27T12:30Z");
  world.restart();
  world.sleep_until("2026-03-27T18:00Z");
  CHECK(world.run_count() == 7);
}

TEST_CASE("schedule: a clock that was years ahead for a moment is no reason for silence", "[schedule]") {
  World world("2026-03-27T11:59Z");
  world.apply(pipeline_with("[[trigger]]\nschedule = \"@hourly\""));
  world.sleep_until("2026-03-27T12:30Z");
  world.jump("2036-03-27T12:40Z");
  CHECK(world.run_count() == 2);  // the newest slot of those ten years
  world.jump("2026-03-27T12:41Z");
  world.sleep_until("2026-03-27T15:00Z");
  CHECK(world.run_count() == 5);
  world.jump("2016-01-01T00:30Z");
  world.sleep_until("2016-01-01T02:00Z");
  CHECK(world.run_count() == 7);
}

TEST_CASE("schedule: what catch_up says of slots that were missed", "[schedule]") {
  const auto [policy, runs, fired] = GENERATE(table<std::string, std::size_t, Texts>({
      {"none", 1, {"2026-03-27T12:00"}},
      {"latest", 2, {"2026-03-27T12:00", "2026-03-27T18:00"}},
      {"all(3)", 4, {"2026-03-27T12:00", "2026-03-27T16:00", "2026-03-27T17:00", "2026-03-27T18:00"}},
      {"all(100)", 7, {"2026-03-27T12:00", "2026-03-27T13:00", "2026-03-27T14:00", "2026-03-27T15:00",
                       "2026-03-27T16:00", "2026-03-27T17:00", "2026-03-27T18:00"}},
  }));
  const std::string how = GENERATE(std::string("jump"), "restart", "pause");
  CAPTURE(policy, how);
  World world("2026-03-27T11:59Z");
  world.apply(pipeline_with("[[trigger]]\nschedule = \"@hourly\"\ncatch_up = \"" + policy + "\""));
  world.sleep_until("2026-03-27T12:30Z");
  if (how == "jump") {
    world.jump("2026-03-27T18:30Z");
  } else if (how == "restart") {
    world.now.wall_ms = World::ms("2026-03-27T18:30Z");
    world.restart();
    world.finish();
  } else {
    world.pause(true);
    world.sleep_until("2026-03-27T18:30Z");
    CHECK(world.run_count() == 1);
    world.pause(false);
    world.finish();
  }
  CHECK(world.slots("fired") == fired);
  CHECK(world.run_count() == runs);
  const bool some_missed = policy != "all(100)";
  CHECK(world.slots("missed").empty() == !some_missed);
  world.sleep_until("2026-03-27T19:30Z");
  CHECK(world.run_count() == runs + 1);
}

TEST_CASE("schedule: jitter is the same for a slot after every restart and stays in bounds", "[schedule]") {
  World world("2026-03-27T11:59Z");
  world.apply(pipeline_with("[[trigger]]\nschedule = \"@hourly\"\njitter = \"20m\""));
  std::set<std::int64_t> delays;
  for (int i = 0; i < 12; ++i) {
    const std::size_t before = world.run_count();
    while (world.run_count() == before) {
      world.wait(10'000);
      if (i % 2 == 0) world.restart();
      world.finish();
    }
    delays.insert(world.last_run().created_at % hour / 1000);
    CHECK(world.last_run().created_at % hour < 20 * minute + 10'000);
  }
  CHECK(world.run_count() == 12);
  CHECK(delays.size() > 6);
}

TEST_CASE("schedule: a changed schedule begins anew, an unchanged one goes on", "[schedule]") {
  World world("2026-03-27T11:59Z");
  world.apply(pipeline_with("[[trigger]]\nname = \"n\"\nschedule = \"@daily\""));
  world.sleep_until("2026-03-28T15:30Z");
  CHECK(world.run_count() == 1);
  world.apply(pipeline_with("[[trigger]]\nname = \"n\"\nschedule = \"@hourly\""));
  world.finish();
  CHECK(world.run_count() == 1);  // 15 slots since midnight are no missed ones
  world.sleep_until("2026-03-28T16:30Z");
  CHECK(world.run_count() == 2);
  world.set("2026-03-28T18:30Z");
  world.apply(pipeline_with("description = \"x\"\n[[trigger]]\nname = \"n\"\nschedule = \"@hourly\""));
  world.finish();
  CHECK(world.run_count() == 3);  // 18:00, caught up with
}

TEST_CASE("schedule: parameters of a trigger are the run's", "[schedule]") {
  World world("2026-03-27T11:59Z");
  world.apply("name = \"p\"\n[params]\ndepth = 4\n[[trigger]]\nschedule = \"@hourly\"\n"
              "params = { depth = 9 }\n[step.a]\noperator = \"one\"\nparams.p = \"${depth}\"\n");
  world.sleep_until("2026-03-27T12:00Z");
  CHECK(world.last_run().options.params == ValueTable{{"depth", 9}});
}

TEST_CASE("webhook: each delivery fires once, whatever is sent again", "[schedule]") {
  World world;
  world.apply("name = \"p\"\n[params]\ndepth = { default = 4, min = 1, max = 9 }\n"
              "[[trigger]]\nwebhook = \"push\"\n"
              "[step.a]\noperator = \"one\"\nparams.p = \"${depth}\"\n");
  world.call("d1", {{"depth", 5}});
  CHECK(world.run_count() == 1);
  CHECK(world.last_run().options.params == ValueTable{{"depth", 5}});
  const RunNumber first = world.replies.back().run;
  world.call("d1", {{"depth", 5}});
  world.restart();
  world.call("d1");
  CHECK(world.run_count() == 1);
  CHECK(world.replies.back().run == first);
  world.call("d2");
  CHECK(world.run_count() == 2);
  world.call("d3", {{"depth", "five"}});
  CHECK(world.replies.back().error->message ==
        "hook p/push: parameter depth is a int, not \"five\"");
  world.call("d3", {{"depth", 10}});
  CHECK(world.replies.back().error->message == "hook p/push: parameter depth must be at most 9.0, not 10");
  world.call("d3");  // what was refused was not taken
  CHECK(world.run_count() == 3);
  world.call("");
  CHECK(world.replies.back().error->code == ErrorCode::invalid);
}

TEST_CASE("after: a full run that made a new output starts one run, the same output none", "[schedule]") {
  World world;
  world.apply("name = \"up\"\n[params]\nx = 1\n[step.made]\noperator = \"one\"\nparams.p = \"${x}\"\n");
  world.apply(pipeline_with("[[trigger]]\nafter = \"up.made\""));
  world.run("up");
  world.finish();
  REQUIRE(world.run_count() == 2);
  CHECK(world.last_run().pipeline == "p");
  CHECK(world.last_run().reason.code == "after");
  world.run("up");  // all reused
  world.finish();
  CHECK(world.run_count() == 3);
  world.run("up", with_x(2));  // not with the file's own parameters
  world.finish();
  CHECK(world.run_count() == 4);
  world.apply("name = \"up\"\n[params]\nx = 3\n[step.made]\noperator = \"one\"\nparams.p = \"${x}\"\n");
  world.run("up");
  world.finish();
  CHECK(world.run_count() == 6);
}

TEST_CASE("alert: starts a run, but none about what such a run complains of", "[schedule]") {
  World world;
  world.apply("name = \"up\"\n[step.drift]\noperator = \"one\"\nparams.p = 1\n");
  world.apply(pipeline_with("[[trigger]]\nalert = \"up.drift\"\n[[trigger]]\nalert = \"p\""));
  world.verdicts["drift"] = Outcome::halt;
  world.verdicts["a"] = Outcome::failed;
  world.run("up");
  world.finish();
  CHECK(world.run_count() == 2);
  CHECK(world.last_run().reason.code == "alert");
  CHECK(world.run_state(2) == RunState::failed);
  CHECK(world.ledger.alerts.size() >= 2);  // its failure is an alert of p, which starts nothing
}

TEST_CASE("overlap: holds for schedules as for arrivals", "[schedule]") {
  const std::string overlap = GENERATE(std::string("queue"), "skip", "cancel_previous", "coalesce");
  CAPTURE(overlap);
  World world("2026-03-27T11:59Z");
  world.apply(pipeline_with("[[trigger]]\nschedule = \"@hourly\"\n[run]\noverlap = \"" + overlap + "\""));
  for (int i = 0; i < 3; ++i) world.wait(hour);  // 12:00 goes on, 13:00 and 14:00 come
  const auto states = [&] {
    std::vector<std::string> all;
    for (const auto& [number, run] : world.ledger.runs) all.emplace_back(name_of(run.state));
    return all;
  };
  if (overlap == "queue") CHECK(states() == Texts{"running", "queued", "queued"});
  if (overlap == "skip") CHECK(states() == Texts{"running"});
  if (overlap == "coalesce") CHECK(states() == Texts{"running", "cancelled", "queued"});
  if (overlap == "cancel_previous") {
    CHECK(world.killed.size() >= 1);
    CHECK(world.ledger.runs.at(1).end_reason.code == "overlap");
  }
  if (overlap == "skip") {
    CHECK(world.slots("skipped").size() == 2);
    CHECK(world.ledger.find_slot("p", "schedule/@hourly/UTC", "2026-03-27T13:00:00Z")->why ==
          "run 1 was still going on");
  }
}

TEST_CASE("max_active: a run that goes on after an answer waits for its turn", "[schedule]") {
  World world;
  world.apply("name = \"p\"\n[params]\nx = 1\n[step.gate]\noperator = \"one\"\nparams.p = \"${x}\"\n"
              "[step.b]\noperator = \"single\"\nin.in = \"gate\"\n");
  world.verdicts["gate"] = Outcome::halt;
  const RunNumber halted = world.run("p");
  world.run_all();
  REQUIRE(world.run_state(halted) == RunState::halted);
  const RunNumber busy = world.run("p", with_x(2));
  REQUIRE(world.run_state(busy) == RunState::running);
  world.turn(event::AcceptRequested{++world.last_request, halted, "gate", "", "uid 1", "fine"});
  CHECK(world.run_state(halted) == RunState::queued);
  CHECK(world.state(halted, "gate") == StepState::succeeded);
  world.restart();
  CHECK(world.run_state(halted) == RunState::queued);
  CHECK(std::none_of(world.started.begin(), world.started.end(),
                     [&](const auto& start) { return start.run == halted; }));
  world.verdicts.clear();
  world.run_all();
  CHECK(world.run_state(busy) == RunState::succeeded);
  CHECK(world.run_state(halted) == RunState::succeeded);
  CHECK(world.state(halted, "b") == StepState::succeeded);
}

TEST_CASE("max_active: a retried run waits for its turn and may be cancelled there", "[schedule]") {
  World world;
  world.apply("name = \"p\"\n[params]\nx = 1\n[step.a]\noperator = \"one\"\nparams.p = \"${x}\"\n");
  world.verdicts["a"] = Outcome::failed;
  const RunNumber failed = world.run("p");
  world.run_all();
  const RunNumber busy = world.run("p", with_x(2));
  world.turn(event::RetryRequested{++world.last_request, failed, "uid 1", ""});
  CHECK(world.run_state(failed) == RunState::queued);
  SECTION("its turn comes") {
    world.verdicts.clear();
    world.run_all();
    CHECK(world.run_state(busy) == RunState::succeeded);
    CHECK(world.run_state(failed) == RunState::succeeded);
  }
  SECTION("it is cancelled") {
    world.turn(event::CancelRequested{++world.last_request, failed, "uid 1", ""});
    CHECK(world.run_state(failed) == RunState::cancelled);
    CHECK(world.state(failed, "a") == StepState::cancelled);
    world.verdicts.clear();
    world.run_all();
    CHECK(world.run_state(busy) == RunState::succeeded);
  }
}

TEST_CASE("deadline: a run that is late is an alert, once, and goes on", "[schedule]") {
  World world;
  world.apply(pipeline_with("[run]\ndeadline = \"2h\""));
  const RunNumber run = world.run("p");
  world.wait(2 * hour - 1);
  CHECK(world.alerts_with("deadline") == 0);
  const bool restarted = GENERATE(false, true);
  if (restarted) world.restart();
  world.wait(1);
  CHECK(world.alerts_with("p/run 1/deadline") == 1);
  world.wait(hour);
  CHECK(world.alerts_with("deadline") == 1);
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("deadline: may be measured by the usual duration", "[schedule]") {
  World world;
  world.apply("name = \"p\"\n[run]\ndeadline = \"usual * 2\"\n[step.a]\noperator = \"one\"\ncache = false\n");
  const auto last_for = [&](std::int64_t ms) {
    const RunNumber run = world.run("p");
    world.wait(ms);
    world.run_all();
    return run;
  };
  for (const std::int64_t minutes : {100, 10, 11}) last_for(minutes * minute);
  CHECK(world.alerts_with("deadline") == 0);  // of three runs the median is 11 minutes
  last_for(21 * minute);
  CHECK(world.alerts_with("deadline") == 0);
  last_for(45 * minute);
  CHECK(world.alerts_with("p/run 5/deadline") == 1);
}

TEST_CASE("pause_after_failures: so many in a row pause the pipeline with a reason", "[schedule]") {
  World world("2026-03-27T11:59Z");
  world.apply("name = \"p\"\n[run]\npause_after_failures = 3\n[[trigger]]\nschedule = \"@hourly\"\n"
              "[step.a]\noperator = \"one\"\ncache = false\n");
  world.verdicts["a"] = Outcome::failed;
  world.sleep_until("2026-03-27T13:30Z");
  world.verdicts.clear();
  world.sleep_until("2026-03-27T14:30Z");  // a success between
  world.verdicts["a"] = Outcome::failed;
  world.sleep_until("2026-03-27T22:30Z");
  CHECK(world.run_count() == 6);
  CHECK(world.alerts_with("p/paused/6") == 1);
  const auto paused = world.ledger.last_decision("p", "pause");
  REQUIRE(paused);
  CHECK(paused->why == "3 runs in a row failed, the last is run 6");
  world.restart();
  world.sleep_until("2026-03-28T00:30Z");
  CHECK(world.run_count() == 6);
  world.pause(false);
  world.sleep_until("2026-03-28T02:30Z");
  CHECK(world.run_count() == 9);  // the newest missed one at once, then two more: three failures
  CHECK(world.alerts_with("p/paused/") == 2);
}

TEST_CASE("expect: a span that did not come is an alert, once; one that came is none", "[schedule]") {
  World world("2026-03-27T12:00Z");
  world.apply("name = \"p\"\n[source.s]\npath = \"{YYYY}-{MM}-{DD}.csv\"\n"
              "expect = { schedule = \"0 6 * * *\", timezone = \"Europe/Berlin\", within = \"2h\" }\n"
              "[step.a]\noperator = \"single\"\nforeach = \"source.s\"\nin.in = \"each\"\n");
  world.sleep_until("2026-03-28T03:00Z");
  world.arrive("p", "s", "2026-03-27", "x");
  world.sleep_until("2026-03-28T12:00Z");
  CHECK(world.alerts_with("expect") == 0);
  world.sleep_until("2026-03-29T05:59Z");
  world.arrive("p", "s", "2026-03-27", "a new version of what had come");
  CHECK(world.alerts_with("expect") == 0);
  world.sleep_until("2026-03-29T06:00Z");
  REQUIRE(world.alerts_with("p/expect/s/2026-03-29T04:00:00Z") == 1);
  CHECK(world.ledger.alerts.begin()->second.sentence ==
        "source s: a span was due at 2026-03-29T06:00:00+02:00 and has not come; the newest is "
        "2026-03-27, from 2026-03-28T03:00:00Z");
  world.restart();
  world.jump("2026-03-29T05:00Z");
  world.sleep_until("2026-03-29T23:00Z");
  CHECK(world.alerts_with("expect") == 1);
}

TEST_CASE("freshness: what has arrived and not been taken in makes outputs stale", "[schedule]") {
  World world("2026-03-27T12:00Z");
  world.apply("name = \"p\"\n[source.s]\npath = \"{YYYY}-{MM}.csv\"\n[[trigger]]\narrival = [\"s\"]\n"
              "[step.part]\noperator = \"single\"\nforeach = \"source.s\"\nin.in = \"each\"\n"
              "[step.all]\noperator = \"many\"\nin.in = \"part\"\n[step.free]\noperator = \"one\"\n");
  const auto fresh = [&] { return *world.engine->freshness("p"); };
  world.arrive("p", "s", "2026-01", "x");
  REQUIRE(fresh().size() == 2);  // nothing that arrives reaches `free`
  CHECK(fresh()[0].behind == 1);
  CHECK(fresh()[1].behind == 1);
  CHECK(fresh()[1].run == 0);
  world.wait(10'000);
  world.run_all();
  CHECK(fresh()[0].behind == 0);
  CHECK(fresh()[1].behind == 0);
  CHECK(fresh()[1].run == 1);
  const TimeMs since = world.now.wall_ms;
  world.pause(true);
  world.arrive("p", "s", "2026-02", "y");
  world.wait(hour);
  world.arrive("p", "s", "2026-03", "z");
  CHECK(fresh()[1].behind == 2);
  CHECK(fresh()[1].since == since);
  CHECK(fresh()[1].first_behind == "s/2026-02");
  world.restart();
  CHECK(fresh()[1].since == since);
  world.turn(event::SpanRequested{++world.last_request, "p", "s", "2026-02", "uid 1", "bad", false});
  CHECK(fresh()[1].behind == 1);
  CHECK_FALSE(world.engine->freshness("q"));
}

TEST_CASE("schedule: months of jumping clocks and crashes, each slot at most once", "[schedule]") {
  const int seed = GENERATE(range(1, 21));
  CAPTURE(seed);
  std::mt19937 rng(static_cast<unsigned>(seed));
  const auto upto = [&](std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(0, most)(rng);
  };
  const char* policies[] = {"none", "latest", "all(5)"};
  const char* names[] = {"Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "UTC"};
  World world("2026-03-20T12:00Z");
  world.apply(pipeline_with(std::string("[[trigger]]\nschedule = \"") +
                            (seed % 2 == 0 ? "15 */3 * * *" : "30 2 * * *") + "\"\ntimezone = \"" +
                            names[seed % 4] + "\"\ncatch_up = \"" + policies[seed % 3] +
                            "\"\njitter = \"10m\""));
  for (int i = 0; i < 100; ++i) {
    world.sleep(upto(8 * hour));
    if (upto(9) == 0) world.now.wall_ms += upto(20 * day) - 10 * day;
    if (upto(9) == 0) world.restart();
    if (upto(30) == 0) world.pause(upto(3) == 0);
    world.finish();
  }
  std::size_t fired = world.slots("fired").size();
  CHECK(fired == world.run_count());
  CHECK(fired + world.slots("missed").size() > 3);
  const auto schedule = Schedule::parse(seed % 2 == 0 ? "15 */3 * * *" : "30 2 * * *");
  for (const auto& [key, slot] : world.ledger.slots) {  // and each at a time that the schedule has
    if (slot.outcome != "fired") continue;
    CHECK(schedule->latest(slot.due_at / 1000, **world.zones.zone(names[seed % 4])) == slot.due_at / 1000);
  }
}
