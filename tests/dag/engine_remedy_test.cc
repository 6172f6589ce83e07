// What follows a halt: the remedy by policy, and people's answers about it.
#include "dag/cache_key.h"
#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

const std::string head = R"(
name = "shop"
owner = "data@example.org"
[params]
p = 1
[source.s]
path = "in/{SPAN}.csv"
[[trigger]]
arrival = ["s"]
coalesce = "1s"
)";
const std::string judged = R"(
[step.judge]
foreach = "source.s"
operator = "judge"
in.in = "each"
params.p = "${p}"
)";
const std::string learnt = R"(
[step.learn]
operator = "learn"
in.in = "judge.out"
in.remedy = { newest = "judge.remedy" }
)";

/// One judge a span, which may halt and propose a remedy, and a step that learns from all.
struct Shop : EngineWorld {
  std::map<std::string, std::string> proposals;  ///< by element: what a halting judge proposes

  explicit Shop(const std::string& text = head + judged + learnt) {
    auto judge = fake_operator("judge", {port("in")},
                               {port("out", "files/1", false, false, false, "in"),
                                port("report", "report/1", false, false, true),
                                port("remedy", "remedy/1")},
                               {"p"});
    operators.emplace("judge", std::move(judge));
    operators.emplace("learn", fake_operator("learn",
                                             {port("in", "files/1", true),
                                              port("remedy", "remedy/1", false, true)},
                                             {port("out")}, {"p"}));
    apply(text);
  }
  /// Ends every attempt; a judge with a proposal halts.
  void work() {
    while (!started.empty()) {
      const effect::StartAttempt start = started.front();
      started.erase(started.begin());
      const auto proposal = proposals.find(start.element);
      const bool halts = start.step == "judge" && proposal != proposals.end();
      event::AttemptEnded ended = answer(start, halts ? Outcome::halt : Outcome::ok);
      if (start.step == "judge") ended.passed = {"out"};
      if (halts) ended.notes = ValueTable{{"remedy", proposal->second}};
      turn(ended);
    }
  }
  RunNumber land(const std::string& span) {
    arrive("shop", "s", span, "content " + span);
    wait(1000);
    work();
    return ledger.runs.rbegin()->first;
  }
  std::size_t remedies() const {
    return static_cast<std::size_t>(
        std::count_if(ledger.runs.begin(), ledger.runs.end(),
                      [](const auto& entry) { return entry.second.reason.code == "remedy"; }));
  }
  /// The ports that the learner of a run read.
  std::vector<std::string> read(RunNumber run) const {
    std::vector<std::string> ports;
    for (const Binding& in : ledger.results.at(step(run, "learn").result).inputs) {
      if (ports.empty() || ports.back() != in.port) ports.push_back(in.port);
    }
    return ports;
  }
  effect::Reply accept(RunNumber run, const std::string& element, bool without_remedy) {
    turn(event::AcceptRequested{++last_request, run, "judge", element, "mia", "seen",
                                without_remedy});
    work();
    return replies.back();
  }
};

using Ports = std::vector<std::string>;

}  // namespace

TEST_CASE("remedy: a halt with one makes a new run that uses it, and the halted run is superseded",
          "[dag][engine][remedy]") {
  Shop shop;
  REQUIRE(shop.land("1") == 1);
  shop.proposals["2"] = "weights";
  REQUIRE(shop.land("2") == 3);
  CHECK(shop.run_state(2) == RunState::cancelled);
  CHECK(shop.ledger.runs.at(2).end_reason.code == "superseded");
  CHECK(shop.ledger.runs.at(2).end_reason.sentence ==
        "superseded by run 3, which goes on with the remedy weights for judge/2");
  CHECK(shop.run_state(3) == RunState::succeeded);
  CHECK(shop.ledger.runs.at(3).reason.code == "remedy");
  CHECK(shop.ledger.runs.at(3).reason.sentence ==
        "remedy weights for judge/2, which halted in run 2");
  CHECK(shop.ledger.runs.at(3).who == "policy");
  CHECK(shop.state(3, "judge", "2") == StepState::cached);
  CHECK(shop.read(3) == Ports{"in", "remedy"});
  CHECK(shop.span_state("shop", "s", "2") == SpanState::accepted);

  // The acceptance is the policy's, for this pipeline, and says which remedy.
  const Digest key = *shop.step(3, "judge", "2").key;
  CHECK_FALSE(shop.ledger.acceptances.contains(key));
  const AcceptanceRow& answer = shop.ledger.acceptances.at(policy_key("shop", key));
  CHECK(answer.who == "policy");
  CHECK(answer.run == 3);
  CHECK(answer.evidence == Value(ValueTable{{"remedy", "weights"}}));
}

TEST_CASE("remedy: it happens once for a span's version and key, also after restarts",
          "[dag][engine][remedy]") {
  Shop shop;
  shop.land("1");
  shop.proposals["2"] = "weights";
  shop.land("2");
  REQUIRE(shop.remedies() == 1);
  shop.restart();
  shop.run("shop");
  shop.work();
  CHECK(shop.run_state(4) == RunState::succeeded);
  RunOptions again;
  again.force = {"judge"};  // judges anew, and halts under the key that was accepted
  shop.run("shop", again);
  shop.work();
  CHECK(shop.run_state(5) == RunState::succeeded);
  CHECK(shop.remedies() == 1);
  // Another version of the span is judged for itself.
  shop.arrive("shop", "s", "2", "other content");
  shop.wait(1000);
  shop.work();
  CHECK(shop.remedies() == 2);
}

TEST_CASE("remedy: none without a reader, without a proposal, or for a span that is not the newest",
          "[dag][engine][remedy]") {
  SECTION("nobody reads it") {
    Shop shop(head + judged + "[step.all]\noperator = \"many\"\nin.in = \"judge.out\"\n");
    shop.proposals["1"] = "weights";
    CHECK(shop.run_state(shop.land("1")) == RunState::halted);
  }
  SECTION("the operator proposes none") {
    Shop shop;
    shop.proposals["1"] = "none";
    CHECK(shop.run_state(shop.land("1")) == RunState::halted);
  }
  SECTION("a later span's remedy is the one that would be read") {
    Shop shop;
    shop.land("2");
    shop.proposals["1"] = "weights";
    CHECK(shop.run_state(shop.land("1")) == RunState::halted);
  }
  SECTION("another halt of the run waits for a person") {
    Shop shop;
    shop.arrive("shop", "s", "1", "a");
    shop.arrive("shop", "s", "2", "b");
    shop.proposals["1"] = "none";
    shop.proposals["2"] = "weights";
    shop.wait(1000);
    shop.work();
    REQUIRE(shop.run_state(1) == RunState::halted);
    shop.accept(1, "1", false);
    CHECK(shop.run_state(1) == RunState::cancelled);
    CHECK(shop.run_state(2) == RunState::succeeded);
  }
}

TEST_CASE("remedy: other pipelines with the same key still ask a person", "[dag][engine][remedy]") {
  Shop shop;
  shop.proposals["1"] = "weights";
  shop.land("1");
  REQUIRE(shop.remedies() == 1);
  std::string other = head + judged + "[step.all]\noperator = \"many\"\nin.in = \"judge.out\"\n";
  other.replace(other.find("shop"), 4, "mall");
  shop.apply(other);
  shop.arrive("mall", "s", "1", "content 1");
  shop.wait(1000);
  shop.work();
  const RunNumber run = shop.ledger.runs.rbegin()->first;
  CHECK(shop.step(run, "judge", "1").key == shop.step(2, "judge", "1").key);
  CHECK(shop.run_state(run) == RunState::halted);
}

TEST_CASE("remedy: while its pipeline is paused the run stays halted, then it goes on",
          "[dag][engine][remedy]") {
  Shop shop;
  shop.proposals["1"] = "weights";
  shop.arrive("shop", "s", "1", "a");
  shop.wait(1000);
  shop.turn(event::PauseRequested{1, "shop", "mia", true});
  shop.work();
  CHECK(shop.run_state(1) == RunState::halted);
  shop.restart();
  shop.turn(event::PauseRequested{2, "shop", "mia", false});
  shop.work();
  CHECK(shop.run_state(1) == RunState::cancelled);
  CHECK(shop.run_state(2) == RunState::succeeded);
}

TEST_CASE("accept: without the remedy nobody is given it, and that holds after a restart",
          "[dag][engine][remedy]") {
  Shop shop;
  shop.land("1");
  shop.proposals["2"] = "weights";
  shop.arrive("shop", "s", "2", "b");
  shop.wait(1000);
  shop.turn(event::PauseRequested{1, "shop", "mia", true});
  shop.work();
  REQUIRE(shop.run_state(2) == RunState::halted);
  shop.turn(event::AcceptRequested{9, 2, "judge", "2", "mia", "as it is", true});
  CHECK(shop.step(2, "judge", "2").reason.code == "accepted_without_remedy");
  REQUIRE(shop.started.size() == 1);
  shop.restart();
  shop.work();
  CHECK(shop.run_state(2) == RunState::succeeded);
  CHECK(shop.read(2) == Ports{"in"});
  shop.turn(event::PauseRequested{2, "shop", "mia", false});
  CHECK(shop.read(shop.run("shop")) == Ports{"in"});
  CHECK(shop.remedies() == 0);
}

TEST_CASE("accept: a person may take the remedy back after the policy's run",
          "[dag][engine][remedy]") {
  Shop shop;
  shop.land("1");
  shop.proposals["2"] = "weights";
  shop.land("2");
  const auto reply = shop.accept(2, "2", true);
  REQUIRE_FALSE(reply.error);
  CHECK(reply.sentence == "accepted without its remedy for later runs; run 2 is over");
  const RunNumber run = shop.run("shop");
  shop.work();
  CHECK(shop.read(run) == Ports{"in"});
  CHECK(shop.read(3) == Ports{"in", "remedy"});  // what was done stays
  // And choose it again: the newest answer holds.
  CHECK_FALSE(shop.accept(2, "2", false).error);
  const RunNumber last = shop.run("shop");
  shop.work();
  CHECK(shop.read(last) == Ports{"in", "remedy"});
}

TEST_CASE("ways on: each is idempotent and its first words stay on record", "[dag][engine][remedy]") {
  Shop shop(head + judged + "[step.all]\noperator = \"many\"\nin.in = \"judge.out\"\n");
  shop.proposals["1"] = "none";
  const RunNumber run = shop.land("1");
  REQUIRE(shop.run_state(run) == RunState::halted);
  const auto count = [&] { return shop.ledger.decisions.size(); };
  SECTION("accept") {
    CHECK_FALSE(shop.accept(run, "1", false).error);
    const std::size_t before = count();
    const auto again = shop.accept(run, "1", false);
    REQUIRE_FALSE(again.error);
    CHECK(again.sentence == "judge/1 was accepted before by mia: seen");
    CHECK(count() == before);
  }
  SECTION("reject") {
    shop.turn(event::RejectRequested{7, run, "judge", "1", "mia", "broken"});
    const std::size_t before = count();
    shop.turn(event::RejectRequested{8, run, "judge", "1", "eve", "broken"});
    REQUIRE_FALSE(shop.replies.back().error);
    CHECK(shop.replies.back().sentence == "judge/1 was rejected by mia: broken");
    CHECK(count() == before);
  }
  SECTION("drop") {
    shop.turn(event::SpanRequested{7, "shop", "s", "1", "mia", "odd", false});
    const std::size_t before = count();
    shop.turn(event::SpanRequested{8, "shop", "s", "1", "eve", "odd too", false});
    REQUIRE_FALSE(shop.replies.back().error);
    CHECK(shop.replies.back().sentence == "span 1 was dropped before by mia: odd");
    CHECK(count() == before);
  }
}
