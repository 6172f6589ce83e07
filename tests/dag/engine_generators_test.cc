// Steps that name elements while they run, round by round.
#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

const std::string text = R"(
name = "tune"
[step.data]
operator = "one"
[step.search]
operator = "search"
in.in = "data"
in.results = { results = "trial" }
generates = { max = 10, values = { x = 0, kind = "plain" } }
[step.trial]
foreach = "search"
operator = "one"
in.in = "data"
params.p = ["${each.x}", "a ${each.kind} one"]
[step.score]
foreach = "trial"
operator = "single"
in.in = "trial"
[step.best]
operator = "many"
in.in = "score"
)";

OperatorSet with_search() {
  OperatorSet set = fake_operators();
  set["search"] = fake_operator(
      "search", {port("in"), port("results", "files/1", true, true)}, {port("out")});
  set["search"].generates = true;
  return set;
}

event::StepRequest element(int x) {
  return {"element", Value(ValueTable{{"x", Value(x)}})};
}

struct World : EngineWorld {
  World() {
    operators = with_search();
    apply(text);
  }
  std::size_t find(const std::string& path) {
    for (std::size_t i = 0; i < started.size(); ++i) {
      if (step_path(started[i].step, started[i].element) == path) return i;
    }
    return started.size();
  }
  bool is_started(const std::string& path) { return find(path) < started.size(); }
  effect::StartAttempt take(const std::string& path) {
    const std::size_t i = find(path);
    if (i == started.size()) FAIL(path + " was not started");
    effect::StartAttempt start = started[i];
    started.erase(started.begin() + static_cast<std::ptrdiff_t>(i));
    return start;
  }
  void ok(const std::string& path) { turn(answer(take(path), Outcome::ok)); }
  void fail(const std::string& path) { turn(answer(take(path), Outcome::failed)); }
  void more(std::vector<event::StepRequest> elements) {
    event::AttemptEnded ended = answer(take("search"), Outcome::more);
    ended.error.clear();
    ended.requests = std::move(elements);
    turn(ended);
  }
  /// As many results as the search gets now.
  std::size_t results() {
    for (const PortInputs& input : started.at(find("search")).inputs) {
      if (input.port == "results") return input.artifacts.size();
    }
    return 0;
  }
  /// Two rounds of two and one, trials ended from the front or from the back.
  RunNumber search(bool backwards, bool restarts = false) {
    const RunNumber number = run("tune");
    const auto again = [&] {
      if (!restarts) return;
      for (const char* score : {"score/1", "score/2", "score/3"}) {
        if (is_started(score)) ok(score);  // a third loss in a row would fail it
      }
      restart();
    };
    ok("data");
    again();
    more({element(7), element(8)});
    again();
    std::vector<std::string> trials = {"trial/1", "trial/2"};
    if (backwards) std::swap(trials[0], trials[1]);
    for (const std::string& path : trials) {
      ok(path);
      again();
    }
    REQUIRE(results() == 2);
    more({element(9)});
    again();
    ok("trial/3");
    again();
    REQUIRE(results() == 3);
    ok("search");
    run_all();
    return number;
  }
};

}  // namespace

TEST_CASE("generators: elements run with their values, all results come to the next round",
          "[dag][engine][generators]") {
  World world;
  const RunNumber run = world.run("tune");
  world.ok("data");
  CHECK(world.results() == 0);
  CHECK_FALSE(world.is_started("trial/1"));
  world.more({element(7), {"element", Value(ValueTable{{"kind", Value("odd")}})}});
  CHECK(world.step(run, "search").reason.sentence ==
        "goes on when its elements are done: 2 so far, 2 in this round");
  REQUIRE(world.is_started("trial/1"));
  CHECK(canonical(Value(world.started[world.find("trial/1")].params)) ==
        R"({"p":[7,"a plain one"]})");
  CHECK(canonical(Value(world.started[world.find("trial/2")].params)) ==
        R"({"p":[0,"a odd one"]})");
  CHECK_FALSE(world.is_started("trial/3"));
  world.ok("trial/2");
  CHECK_FALSE(world.is_started("search"));  // the round is not over
  world.ok("trial/1");
  REQUIRE(world.is_started("search"));
  const auto search = world.started[world.find("search")];
  REQUIRE(search.inputs.size() == 2);
  CHECK(search.inputs[1].artifacts[0] ==
        world.ledger.results.at(world.step(run, "trial", "1").result).outputs[0].artifact);
  world.ok("search");
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  CHECK(world.ledger.results.at(world.step(run, "best").result).inputs.size() == 2);
  CHECK(world.state(run, "trial", "3") == StepState::skipped);
  CHECK(world.step(run, "trial", "3").reason.code == "not_generated");
}

TEST_CASE("generators: a round hangs on results, never on their timing",
          "[dag][engine][generators]") {
  World forwards, backwards;
  const RunNumber one = forwards.search(false), other = backwards.search(true);
  for (const char* step : {"search", "best"}) {
    CHECK(forwards.step(one, step).key == backwards.step(other, step).key);
  }
  CHECK(forwards.run_state(one) == RunState::succeeded);
}

TEST_CASE("generators: a search that is run again is replayed from what is recorded",
          "[dag][engine][generators]") {
  World world;
  const RunNumber first = world.search(false);
  const auto plan = world.engine->plan("tune", {}, world.now);
  REQUIRE(plan);
  for (const PlannedStep& step : *plan) {
    INFO(step_path(step.step, step.element));
    const bool beyond = !step.element.empty() && std::stoi(step.element) > 3;
    CHECK(step.verdict == (beyond ? "skip" : "reuse"));
  }
  const RunNumber second = world.run("tune");
  CHECK(world.started.empty());
  CHECK(world.run_state(second) == RunState::succeeded);
  CHECK(world.step(second, "best").result == world.step(first, "best").result);
  CHECK(world.state(second, "trial", "3") == StepState::cached);
}

TEST_CASE("generators: a restart after any turn goes on in the same round",
          "[dag][engine][generators]") {
  World world;
  const RunNumber run = world.search(true, true);
  CHECK(world.run_state(run) == RunState::succeeded);
  CHECK(world.ledger.results.at(world.step(run, "best").result).inputs.size() == 3);
}

TEST_CASE("generators: a failed element gives no result; a round without any ends the search",
          "[dag][engine][generators]") {
  World world;
  const RunNumber run = world.run("tune");
  world.ok("data");
  world.more({element(1), element(2)});
  world.fail("trial/1");
  world.ok("trial/2");
  CHECK(world.results() == 1);
  world.more({element(3)});
  world.fail("trial/3");
  // The results are those of the round before, so the answer would be, too.
  CHECK(world.state(run, "search") == StepState::failed);
  CHECK(world.step(run, "search").reason.code == "no_results");
  world.run_all();
  CHECK(world.run_state(run) == RunState::failed);
  world.turn(event::RetryRequested{1, run, "me", ""});
  world.ok("trial/1");
  world.ok("trial/3");
  CHECK(world.results() == 3);
  world.ok("search");
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

// The same with an operator that is told of its elements, and a limit of failures.
struct ToldWorld : World {
  ToldWorld() { retell(""); }
  void retell(const std::string& generates, const std::string& max = "10") {
    OperatorInfo& info = operators["search"];
    info.params.clear();
    for (const auto& [name, kind] : {std::pair{"generated", "list"}, std::pair{"generated_max", "int"}}) {
      ParamInfo param;
      param.name = name;
      param.kind = kind;
      info.params.push_back(param);
    }
    std::string told = text;
    const std::string from = "max = 10,";
    told.replace(told.find(from), from.size(), "max = " + max + ", " + generates);
    apply(told);
  }
  std::string told() {
    return canonical(Value(started.at(find("search")).params));
  }
};

TEST_CASE("generators: an operator is told of its elements and of which came to a result",
          "[dag][engine][generators]") {
  ToldWorld world;
  const RunNumber run = world.run("tune");
  world.ok("data");
  CHECK(world.told() == R"({"generated":[],"generated_max":10})");
  world.more({element(1), element(2)});
  world.ok("trial/2");
  world.fail("trial/1");
  CHECK(world.told() == R"({"generated":[{"done":false,"values":{"kind":"plain","x":1}},)"
                        R"({"done":true,"values":{"kind":"plain","x":2}}],"generated_max":10})");
  CHECK(world.results() == 1);
  world.more({element(3)});
  world.fail("trial/3");
  CHECK(world.results() == 1);  // what it is told differs, so it is called once more
  world.ok("search");
  world.run_all();
  CHECK(world.run_state(run) == RunState::failed);  // by trial/1
  CHECK(world.state(run, "search") == StepState::succeeded);
  CHECK(world.state(run, "best") == StepState::blocked);
}

TEST_CASE("generators: so many elements as the file allows may fail without failing the run",
          "[dag][engine][generators]") {
  for (const int allowed : {1, 2}) {
    ToldWorld world;
    world.retell("failures = " + std::to_string(allowed) + ",");
    const RunNumber run = world.run("tune");
    world.ok("data");
    world.more({element(1), element(2), element(3)});
    world.fail("trial/1");
    CHECK(world.state(run, "best") == StepState::waiting);  // the end of the search decides
    world.ok("trial/3");
    world.fail("trial/2");
    world.ok("score/3");
    world.ok("search");
    world.run_all();
    const bool few = allowed == 2;
    CHECK(world.run_state(run) == (few ? RunState::succeeded : RunState::failed));
    CHECK(world.state(run, "trial", "1") == StepState::failed);
    CHECK(world.state(run, "score", "1") == StepState::blocked);
    CHECK(world.state(run, "best") == (few ? StepState::succeeded : StepState::blocked));
    if (!few) continue;
    CHECK(world.ledger.results.at(world.step(run, "best").result).inputs.size() == 1);
    CHECK_THAT(world.ledger.runs.at(run).end_reason.sentence,
               Catch::Contains("but for 2 generated elements that failed"));
  }
}

TEST_CASE("generators: what was passed by stays so when its run is tried again",
          "[dag][engine][generators]") {
  ToldWorld world;
  world.retell("failures = 1,");
  const RunNumber run = world.run("tune");
  world.ok("data");
  world.more({element(1), element(2)});
  world.fail("trial/1");
  world.ok("trial/2");
  world.ok("score/2");
  world.ok("search");
  world.fail("best");
  REQUIRE(world.run_state(run) == RunState::failed);

  world.turn(event::RetryRequested{1, run, "me", "", {"trial/1"}, {}, {}});
  CHECK_THAT(world.replies.back().error->message, Catch::Contains("trial/1 of run 1 was passed by"));
  world.turn(event::RetryRequested{2, run, "me", "", {}, {}, {}});
  CHECK(world.state(run, "trial", "1") == StepState::failed);
  CHECK(world.state(run, "score", "1") == StepState::blocked);
  REQUIRE(world.started.size() == 1);
  CHECK(world.started[0].step == "best");
  world.restart();
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("generators: an element that a person rejects did not fail, so it is never passed by",
          "[dag][engine][generators]") {
  for (const std::string judged : {"trial/1", "score/1"}) {
    ToldWorld world;
    world.retell("failures = 2,");
    const RunNumber run = world.run("tune");
    world.ok("data");
    world.more({element(1), element(2)});
    world.ok("trial/2");
    if (judged == "score/1") world.ok("trial/1");
    world.turn(world.answer(world.take(judged), Outcome::halt));
    world.turn(event::RejectRequested{1, run, judged.substr(0, 5), "1", "me", "no"});
    world.ok("score/2");
    world.ok("search");
    world.run_all();
    CHECK(world.run_state(run) == RunState::rejected);
    CHECK(world.state(run, "best") == StepState::blocked);
  }
}

TEST_CASE("generators: a larger max calls anew and takes the earlier elements from before",
          "[dag][engine][generators]") {
  ToldWorld world;
  world.search(false);
  world.retell("", "12");
  const RunNumber run = world.run("tune");
  for (const std::size_t known : {0u, 2u, 3u}) {
    REQUIRE(world.is_started("search"));
    CHECK(world.results() == known);
    if (known == 0) world.more({element(7), element(8)});
    if (known == 2) world.more({element(9)});
    if (known < 3) CHECK(world.state(run, "trial", known == 0 ? "2" : "3") == StepState::cached);
  }
  world.more({element(10)});
  CHECK(world.is_started("trial/4"));
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("generators: a selection takes a search with the work of its elements, or neither",
          "[dag][engine][generators]") {
  World world;
  world.search(false);
  for (const char* select : {"search", "search or best", "+search and not trial"}) {
    RunOptions options;
    options.select = select;
    world.turn(event::RunRequested{1, "tune", options, "ana"});
    INFO(select);
    REQUIRE(world.replies.back().error);
    CHECK_THAT(world.replies.back().error->message,
               Catch::Contains("search is selected and names elements anew, but ") &&
                   Catch::Contains("select it too, for example search+"));
  }
  // A later search names fewer; the third trial of the earlier one does not stand in beside it.
  RunOptions other;
  other.force = {"search"};
  world.turn(event::RunRequested{2, "tune", other, "ana"});
  world.more({element(7), element(8)});
  world.ok("search");
  world.run_all();
  RunOptions alone;
  alone.select = "best";
  alone.force = {"best"};
  world.turn(event::RunRequested{3, "tune", alone, "ana"});
  REQUIRE_FALSE(world.replies.back().error);
  const RunNumber run = world.replies.back().run;
  CHECK(world.state(run, "score", "2") == StepState::cached);
  CHECK(world.state(run, "score", "3") == StepState::skipped);
  CHECK_THAT(world.step(run, "score", "3").reason.sentence, Catch::Contains("did not name it"));
}

TEST_CASE("generators: what an unfinished search left stands in for nothing",
          "[dag][engine][generators]") {
  World world;
  const RunNumber first = world.run("tune");
  world.ok("data");
  world.more({element(7), element(8)});
  world.ok("trial/1");
  world.ok("score/1");
  world.turn(event::CancelRequested{1, first, "ana", "enough"});
  world.turn(world.answer(world.take("trial/2"), Outcome::cancelled));
  RunOptions alone;
  alone.select = "best";
  world.turn(event::RunRequested{2, "tune", alone, "ana"});
  REQUIRE(world.replies.back().error);
  CHECK_THAT(world.replies.back().error->message,
             Catch::Contains("step best needs what score made of the elements of search, which no "
                             "earlier run has brought to its end; select it too, for example +best"));
}

TEST_CASE("generators: an integer is taken for a number, and no value that a step cannot take",
          "[dag][engine][generators]") {
  ToldWorld world;
  ParamInfo limited;
  limited.name = "p";
  limited.kind = "float";
  limited.max = 8;
  world.operators["one"].params = {limited};
  std::string changed = text;
  const std::string list = "params.p = [\"${each.x}\", \"a ${each.kind} one\"]";
  changed.replace(changed.find(list), list.size(), "params.p = \"${each.x}\"");
  changed.replace(changed.find("x = 0"), 5, "x = 0.5");
  world.apply(changed);
  world.run("tune");
  world.ok("data");
  world.more({element(7)});
  CHECK(canonical(Value(world.started.at(world.find("trial/1")).params)) == R"({"p":7.0})");
  world.ok("trial/1");
  world.more({element(9)});
  const StepRow search = world.step(world.ledger.runs.rbegin()->first, "search");
  CHECK(search.state == StepState::failed);
  CHECK_THAT(search.reason.sentence, Catch::Contains("that step trial cannot take") &&
                                         Catch::Contains("8"));
}

TEST_CASE("generators: what a later version defines otherwise is searched again",
          "[dag][engine][generators]") {
  World world;
  const RunNumber run = world.run("tune");
  world.ok("data");
  world.more({element(7)});
  world.ok("trial/1");
  world.ok("search");
  world.fail("score/1");
  REQUIRE(world.run_state(run) == RunState::failed);
  std::string changed = text;
  changed.replace(changed.find("a ${each.kind} one"), 18, "one");
  world.apply(changed);
  event::MigrateRequested migrate;
  migrate.request = 1;
  migrate.run = run;
  migrate.who = "me";
  migrate.version = world.pipelines.front();
  world.turn(migrate);
  CHECK(world.is_started("search") == false);  // its first call is the same, so it is replayed
  CHECK(world.step(run, "search").reason.code == "more");
  REQUIRE(world.is_started("trial/1"));
  CHECK(canonical(Value(world.started.at(world.find("trial/1")).params)) == R"({"p":[7,"one"]})");
  world.ok("trial/1");
  CHECK(world.results() == 1);
  world.ok("search");
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("generators: what makes no sense fails the step", "[dag][engine][generators]") {
  const std::pair<std::vector<event::StepRequest>, const char*> wrong[] = {
      {{}, "without naming an element"},
      {std::vector<event::StepRequest>(11, element(1)), "named 11 elements; generates.max is 10"},
      {{{"element", Value(ValueTable{{"y", Value(1)}})}}, "'y', which is none of generates.values"},
      {{{"element", Value(ValueTable{{"x", Value("1")}})}}, "whose 'x' is string, not int"},
      {{element(1), {"add_span", Value(ValueTable{})}}, "asked for add_span beside elements"}};
  for (const auto& [elements, sentence] : wrong) {
    World world;
    const RunNumber run = world.run("tune");
    world.ok("data");
    world.more(elements);
    CHECK(world.state(run, "search") == StepState::failed);
    CHECK_THAT(world.step(run, "search").reason.sentence, Catch::Contains(sentence));
    CHECK(world.state(run, "trial", "1") == StepState::blocked);
  }
  EngineWorld plain;
  plain.operators = with_search();
  plain.apply("name = \"p\"\n[step.a]\noperator = \"one\"\n");
  const RunNumber run = plain.run("p");
  plain.turn(EngineWorld::answer(plain.started[0], Outcome::more));
  CHECK_THAT(plain.step(run, "a").reason.sentence, Catch::Contains("its step generates none"));
}

// As ToldWorld, with an operator that can be told that its time has passed.
struct TimedWorld : ToldWorld {
  TimedWorld() { time("1h"); }
  void time(const std::string& limit) {
    OperatorInfo& info = operators["search"];
    ParamInfo param;
    param.name = "generated_stopped";
    param.kind = "bool";
    info.params.push_back(param);
    std::string timed = text;
    timed.replace(timed.find("max = 10,"), 9, "max = 10, time = \"" + limit + "\",");
    apply(timed);
  }
  bool is_told_to_stop() {
    return *started.at(find("search")).params.at("generated_stopped").as_bool();
  }
  /// A round of two that takes an hour, so that the time has passed at its end.
  RunNumber one_round() {
    const RunNumber number = run("tune");
    wait(3 * 3'600'000);  // what comes before the first call does not count
    ok("data");
    CHECK_FALSE(is_told_to_stop());
    more({element(1), element(2)});
    ok("trial/1");
    wait(3'600'000);
    ok("trial/2");
    return number;
  }
};

TEST_CASE("generators: a search whose time has passed is told so, says so and fills no cache",
          "[dag][engine][generators]") {
  TimedWorld world;
  const RunNumber first = world.one_round();
  CHECK(world.is_told_to_stop());
  world.ok("search");
  world.run_all();
  CHECK(world.run_state(first) == RunState::succeeded);
  CHECK(world.step(first, "search").reason.code == "time_is_up");
  const std::string& end = world.ledger.runs.at(first).end_reason.sentence;
  CHECK(end == "every step is done, but search ended when its time was over, with 2 elements");
  CHECK_FALSE(world.ledger.results.at(world.step(first, "search").result).key.has_value());

  // The next run replays the first round and goes on: its hour begins with its own first call.
  world.wait(7'200'000);
  const RunNumber second = world.run("tune");
  CHECK(world.results() == 2);
  CHECK_FALSE(world.is_told_to_stop());
  world.more({element(3)});
  world.ok("trial/3");
  CHECK_FALSE(world.is_told_to_stop());
  world.ok("search");
  world.run_all();
  CHECK(world.step(second, "search").reason.code != "time_is_up");
  CHECK(world.ledger.runs.at(second).end_reason.sentence == "every step is done");
  const RunNumber third = world.run("tune");
  CHECK(world.state(third, "search") == StepState::cached);
}

TEST_CASE("generators: the time of a search goes on across restarts, not within a round",
          "[dag][engine][generators]") {
  for (const bool restarts : {false, true}) {
    TimedWorld world;
    const RunNumber run = world.run("tune");
    world.ok("data");
    world.more({element(1), element(2)});
    world.ok("trial/1");
    world.ok("score/1");
    world.wait(3'599'000);
    if (restarts) world.restart();
    world.ok("trial/2");
    world.ok("score/2");
    CHECK_FALSE(world.is_told_to_stop());  // a second is left: a round begins that will take longer
    world.more({element(3)});
    world.wait(7'200'000);
    if (restarts) world.restart();
    world.ok("trial/3");
    world.ok("score/3");
    CHECK(world.is_told_to_stop());
    if (restarts) world.restart();
    CHECK(world.is_told_to_stop());
    world.ok("search");
    if (restarts) world.restart();
    world.run_all();
    CHECK(world.run_state(run) == RunState::succeeded);
    CHECK_THAT(world.ledger.runs.at(run).end_reason.sentence, Catch::Contains("with 3 elements"));
  }
}

TEST_CASE("generators: who names more after its time has failed", "[dag][engine][generators]") {
  TimedWorld world;
  const RunNumber run = world.one_round();
  world.more({element(3)});
  CHECK(world.state(run, "search") == StepState::failed);
  CHECK_THAT(world.step(run, "search").reason.sentence, Catch::Contains("their time has passed"));
  CHECK_FALSE(world.is_started("trial/3"));
}

TEST_CASE("generators: check says what is wrong with a search", "[dag][check][generators]") {
  const auto problems = [&](std::string changed) {
    const ParsedPipeline parsed = parse_pipeline(changed, "p.toml");
    std::string all;
    for (const Diagnostic& one : parsed.problems) all += one.message + "\n";
    if (parsed.spec) {
      for (const Diagnostic& one : check(*parsed.spec, with_search(), {}, "p.toml")) {
        all += one.message + "\n";
      }
    }
    return all;
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return problems(changed);
  };
  CHECK(problems(text).empty());
  CHECK_THAT(with("max = 10, ", ""), Catch::Contains("needs a max"));
  CHECK_THAT(with("${each.x}", "${each.y}"), Catch::Contains("each.y"));
  CHECK_THAT(with("{ results = \"trial\" }", "{ results = \"data\" }"),
             Catch::Contains("does not run the elements of step 'search'"));
  CHECK_THAT(with("in.in = \"data\"\nparams", "in.in = \"each\"\nparams"),
             Catch::Contains("are values, not files"));
  CHECK_THAT(with("in.in = \"data\"\nin.results", "in.results"), Catch::Contains("lacks the input"));
  CHECK_THAT(with("max = 10", "max = 10, time = \"1h\""),
             Catch::Contains("it has no parameter 'generated_stopped'"));
  CHECK_THAT(with("max = 10", "max = 10, time = \"0s\""), Catch::Contains("time must be above 0"));
  CHECK_THAT(with("generates = {", "params.generated_stopped = true\ngenerates = {"),
             Catch::Contains("'generated_stopped' is filled in"));
  CHECK_THAT(with("max = 10", "max = 1000000"), Catch::Contains("at most 100000"));
  CHECK_THAT(with("in.results = { results = \"trial\" }\n", ""),
             Catch::Contains("needs an input of what comes of them"));
  CHECK_THAT(with("operator = \"search\"", "operator = \"one\""),
             Catch::Contains("'one' never names one"));
  CHECK_THAT(with("generates = {", "review = true\ngenerates = {"), Catch::Contains("one a round"));
  CHECK_THAT(with("[step.score]\nforeach = \"trial\"\noperator = \"single\"\nin.in = \"trial\"",
                  "[step.score]\noperator = \"single\"\nin.in = { newest = \"trial\" }"),
             Catch::Contains("which are no spans"));
  CHECK_THAT(with("in.in = \"data\"\nparams.p", "in.in = \"search\"\nparams.p"),
             Catch::Contains("waits for the outputs of 'search', so no round would ever end"));
  std::string average = text;
  average.replace(average.find("in.in = \"data\"\nparams.p"), 14, "in.in = \"mean\"");
  average.replace(average.find("results = \"trial\""), 17, "results = \"score\"");
  average += "[step.mean]\noperator = \"many\"\nin.in = \"first\"\n"
             "[step.first]\nforeach = \"search\"\noperator = \"one\"\n";
  CHECK_THAT(problems(average), Catch::Contains("waits for all elements of 'search'"));
  std::string unsaid = text;
  unsaid.erase(unsaid.find("generates ="), unsaid.find("[step.trial]") - unsaid.find("generates ="));
  CHECK_THAT(problems(unsaid), Catch::Contains("lacks generates = { max"));
}
