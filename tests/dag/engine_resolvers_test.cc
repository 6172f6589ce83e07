// Where inputs from the past come from: spans before, the newest, the latest, sources and files.
#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

const std::string head = R"(
name = "p"
[params]
p = 1
[source.s]
path = "in/{SPAN}.csv"
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
params.p = "${p}"
)";
const std::string compare = R"(
[step.compare]
foreach = "read"
operator = "pair"
in.in = "read"
in.before = { of = "read", span = -1, optional = true }
)";

struct World : EngineWorld {
  explicit World(const std::string& text, const BundleFiles& files = {}) {
    operators["pair"] = fake_operator(
        "pair", {port("in", "files/1", true), port("before", "files/1", false, true)},
        {port("out")}, {"p"});
    operators["gate2"] = fake_operator(
        "gate2", {port("in"), port("before", "files/1", false, true)},
        {port("out", "files/1", false, false, false, "in")}, {"p"});
    apply(text, files);
  }
  void land(const std::string& span, const std::string& content = "") {
    arrive("p", "s", span, "content " + span + content);
  }
  RunNumber go(RunOptions options = {}) {
    const RunNumber number = run("p", std::move(options));
    run_all();
    return number;
  }
  /// The artifact at an input port of a step, or a zero digest.
  Digest input(RunNumber number, const std::string& name, const std::string& element,
               const std::string& port_name) {
    const auto result = ledger.results.find(step(number, name, element).result);
    if (result == ledger.results.end()) return {};
    for (const Binding& binding : result->second.inputs) {
      if (binding.port == port_name) return binding.artifact.digest;
    }
    return {};
  }
  Digest output(RunNumber number, const std::string& name, const std::string& element = "") {
    return ledger.results.at(step(number, name, element).result).outputs.at(0).artifact.digest;
  }
};

RunOptions revalidating() {
  RunOptions options;
  options.revalidate = true;
  return options;
}
RunOptions refreshing() {
  RunOptions options;
  options.refresh = true;
  return options;
}

}  // namespace

TEST_CASE("previous: a span delivered again leaves what later ones recorded, unless --revalidate",
          "[dag][engine][resolvers]") {
  World world(head + compare);
  world.land("1");
  world.land("2");
  const RunNumber first = world.go();
  CHECK(world.input(first, "compare", "1", "before") == Digest{});
  CHECK(world.input(first, "compare", "2", "before") == world.output(first, "read", "1"));
  world.land("1", " mended");
  const RunNumber second = world.go();
  CHECK(world.state(second, "read", "1") == StepState::succeeded);  // that span runs again
  CHECK(world.state(second, "compare", "1") == StepState::succeeded);
  CHECK(world.state(second, "read", "2") == StepState::cached);
  CHECK(world.state(second, "compare", "2") == StepState::cached);
  const RunNumber third = world.go(revalidating());
  CHECK(world.state(third, "compare", "2") == StepState::succeeded);
  CHECK(world.input(third, "compare", "2", "before") == world.output(second, "read", "1"));
  // What it found is recorded: running again changes nothing.
  const RunNumber fourth = world.go();
  CHECK(world.state(fourth, "compare", "2") == StepState::cached);
  CHECK(world.step(fourth, "compare", "2").result == world.step(third, "compare", "2").result);
}

TEST_CASE("previous: it waits for the span before, and goes past one that is dropped",
          "[dag][engine][resolvers]") {
  World world(head + R"(
[step.gate]
foreach = "read"
operator = "gate2"
in.in = "read"
in.before = { of = "read", span = -1, optional = true }
)");
  for (const char* span : {"1", "2", "3"}) world.land(span);
  world.verdicts["gate/2"] = Outcome::halt;
  const RunNumber run = world.go();
  CHECK(world.run_state(run) == RunState::halted);
  CHECK_FALSE(world.ledger.steps.contains({run, "gate", "3"}));  // it waits
  world.turn(event::SpanRequested{1, "p", "s", "2", "me", "wrong", false});
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  CHECK(world.input(run, "gate", "3", "before") == world.output(run, "read", "1"));
  CHECK(world.state(run, "gate", "2") == StepState::skipped);
}

TEST_CASE("previous: two spans before, over the ones that are left out", "[dag][engine][resolvers]") {
  std::string text = head + compare;
  text.replace(text.find("span = -1"), 9, "span = -2");
  World world(text);
  for (const char* span : {"1", "2", "3", "4"}) world.land(span);
  world.verdicts["read/2"] = Outcome::failed;
  world.go();
  world.verdicts.clear();
  world.land("5");
  const RunNumber later = world.go();
  const auto& spans = world.ledger.runs.at(later).spans;
  REQUIRE(spans.size() == 5);
  CHECK(spans[1].left_out == "failed at step read in run 1");
  CHECK(world.input(later, "compare", "5", "before") == world.output(later, "read", "3"));
  CHECK(world.input(later, "compare", "4", "before") == world.output(later, "read", "1"));
}

TEST_CASE("previous: an empty one skips a step that requires it", "[dag][engine][resolvers]") {
  std::string text = head + compare;
  text.replace(text.find(", optional = true"), 17, "");
  World world(text);
  world.operators["pair"].inputs[1].optional = false;
  world.apply(text + "[step.more]\noperator = \"many\"\nin.in = \"compare\"\n");
  world.land("1");
  world.land("2");
  const RunNumber run = world.go();
  CHECK(world.state(run, "compare", "1") == StepState::skipped);
  CHECK(world.step(run, "compare", "1").reason.sentence ==
        "nothing to resolve for input before yet");
  CHECK(world.state(run, "compare", "2") == StepState::succeeded);
  CHECK(world.span_state("p", "s", "1") == SpanState::accepted);  // skipped does not hinder it
}

TEST_CASE("newest: the last span that is not left out; a halted one makes it wait",
          "[dag][engine][resolvers]") {
  World world(head + R"(
[step.gate]
foreach = "read"
operator = "gate"
in.in = "read"
[step.look]
operator = "one"
in.in = { newest = "gate.out" }
)");
  for (const char* span : {"2", "10", "9"}) world.land(span);
  world.verdicts["gate/10"] = Outcome::halt;
  const RunNumber run = world.go();
  CHECK_FALSE(world.ledger.steps.contains({run, "look", ""}));
  CHECK(world.run_state(run) == RunState::halted);
  world.turn(event::RejectRequested{1, run, "gate", "10", "me", "wrong"});
  CHECK(world.state(run, "look") == StepState::blocked);  // in this run its span is dead
  world.verdicts.clear();
  const RunNumber next = world.go();
  CHECK(world.input(next, "look", "", "in") == world.output(next, "gate", "9"));
}

TEST_CASE("latest: what full runs made before this one; the same answer until something arrives",
          "[dag][engine][resolvers]") {
  World world(head + R"(
[step.train]
operator = "one"
params.p = "${p}"
[step.judge]
operator = "one"
in.in = { latest = "train", optional = true }
)");
  const RunNumber first = world.go();
  CHECK(world.input(first, "judge", "", "in") == Digest{});
  RunOptions other;
  other.params = {{"p", Value(2)}};
  world.go(other);
  const RunNumber same = world.go();
  CHECK(world.state(same, "judge") == StepState::cached);  // recorded: nothing was there
  const RunNumber fresh = world.go(refreshing());
  CHECK(world.input(fresh, "judge", "", "in") == world.output(first, "train"));  // not that of p = 2
  const RunNumber after = world.go();
  CHECK(world.step(after, "judge").result == world.step(fresh, "judge").result);
  world.land("1");  // a later horizon asks anew
  const RunNumber last = world.go();
  CHECK(world.input(last, "judge", "", "in") == world.output(first, "train"));
}

TEST_CASE("latest: a run that was created before does not see what is made after that",
          "[dag][engine][resolvers]") {
  World world(head + R"(
[run]
max_active = 2
[step.train]
operator = "one"
[step.slow]
operator = "one"
params.p = 7
[step.judge]
operator = "pair"
in.in = "slow"
in.before = { latest = "train", optional = true }
)");
  const RunNumber first = world.run("p");
  world.end(0, Outcome::ok);  // train
  world.run_all();
  CHECK(world.input(first, "judge", "", "before") == Digest{});
}

TEST_CASE("latest: never what was made from this step's own inputs", "[dag][engine][resolvers]") {
  World world(head + R"(
[step.first]
operator = "one"
params.p = "${p}"
[step.train]
operator = "single"
in.in = "first"
[step.judge]
operator = "pair"
in.in = "first"
in.before = { latest = "train", optional = true }
)");
  const RunNumber one = world.go();
  world.land("1");
  const RunNumber two = world.go();  // the model of run 1 descends from the same first
  CHECK(world.input(two, "judge", "", "before") == Digest{});
  std::string changed = head + R"(
[step.first]
operator = "one"
params.p = 9
[step.train]
operator = "single"
in.in = "first"
[step.judge]
operator = "pair"
in.in = "first"
in.before = { latest = "train", optional = true }
)";
  world.apply(changed);
  world.land("2");
  const RunNumber three = world.go();
  CHECK(world.input(three, "judge", "", "before") == world.output(one, "train"));
}

TEST_CASE("source: the newest version that had arrived when the run was created",
          "[dag][engine][resolvers]") {
  World world(R"(
name = "p"
[source.s]
path = "in/{SPAN}.csv"
[step.slow]
operator = "one"
[step.use]
operator = "pair"
in.in = "slow"
in.before = { source = "s" }
)");
  world.land("1");
  const RunNumber run = world.run("p");
  world.land("1", " mended");
  world.land("2");
  world.run_all();
  CHECK(world.input(run, "use", "", "before") == EngineWorld::artifact("content 1").digest);
  const RunNumber next = world.go();
  CHECK(world.input(next, "use", "", "before") == EngineWorld::artifact("content 2").digest);
}

TEST_CASE("file: its content decides, not its name", "[dag][engine][resolvers]") {
  const std::string text = R"(
name = "p"
[step.use]
operator = "one"
in.in = { file = "words.txt" }
)";
  World world(text, {{"words.txt", "one"}});
  world.go();
  world.apply(text, {{"words.txt", "two"}});
  const RunNumber changed = world.go();
  CHECK(world.state(changed, "use") == StepState::succeeded);
  world.apply(text, {{"words.txt", "one"}});
  CHECK(world.state(world.go(), "use") == StepState::cached);
}

TEST_CASE("spans: a failed one stays out of later runs until a retry or a new version",
          "[dag][engine][resolvers]") {
  World world(head + "[step.all]\noperator = \"many\"\nin.in = \"read\"\n");
  world.land("1");
  world.land("2");
  world.verdicts["read/2"] = Outcome::failed;
  const RunNumber first = world.go();
  CHECK(world.run_state(first) == RunState::failed);
  CHECK(world.state(first, "all") == StepState::blocked);
  world.verdicts.clear();
  const RunNumber second = world.go();
  CHECK(world.run_state(second) == RunState::succeeded);
  CHECK_FALSE(world.ledger.steps.contains({second, "read", "2"}));
  if (GENERATE(true, false)) {
    world.land("2", " mended");
  } else {
    world.turn(event::RetryRequested{1, first, "me", ""});
    world.run_all();
    CHECK(world.run_state(first) == RunState::succeeded);
  }
  const RunNumber third = world.go();
  CHECK(world.ledger.results.at(world.step(third, "all").result).inputs.size() == 2);
}
