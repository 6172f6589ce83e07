// The model registry in the engine: numbers by rule, once, behind a review; marks and their history.
#include <algorithm>

#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

constexpr const char* text = R"(
name = "flights"
[params]
depth = 6
[source.flights]
path = "in/{YYYY}-{MM}.csv"
[step.ingest]
foreach = "source.flights"
operator = "ingest.files"
in.files = "each"
[step.train]
operator = "train.trees"
in.examples = "ingest"
params.max_depth = "${depth}"
[step.evaluate]
operator = "model.evaluate"
in.model = "train"
in.examples = "ingest"
[step.register]
operator = "model.register"
in.model = "train"
in.evaluation = "evaluate"
params.name = "late"
)";

struct Registry : EngineWorld {
  ValueTable wish = arguments({"humid"});   ///< of the next registration
  ValueTable blessing;                      ///< of the next evaluation
  bool same_bytes = false;                  ///< ingest.files makes the same whatever it is told

  Registry() {
    OperatorInfo op = fake_operator("model.register",
                                    {port("model", "model/1"),
                                     port("evaluation", "evaluation/1", false, true)},
                                    {port("golden", "golden/1")}, {"name"});
    op.effect = true;
    op.cacheable = false;
    operators["model.register"] = op;
    arrive_month("2013-01");
  }

  static ValueTable arguments(const std::vector<std::string>& inputs) {
    ValueList columns;
    for (const std::string& name : inputs) {
      columns.push_back(ValueTable{{"name", name}, {"type", "float"}});
    }
    return {{"model", "late"}, {"inputs", std::move(columns)}, {"architecture", "trees"},
            {"outputs", ValueList{ValueTable{{"name", "late"}, {"type", "probability"}}}},
            {"aliases", ValueList{Value("candidate")}}};
  }

  void arrive_month(const std::string& span) { pending.push_back(span); }
  std::vector<std::string> pending;

  void deliver() {
    for (const std::string& span : std::exchange(pending, {})) {
      arrive("flights", "flights", span, "content of " + span);
    }
  }
  RunNumber begin(RunOptions options = {}) {
    deliver();
    const RunNumber number = run("flights", std::move(options));
    work();
    return number;
  }
  /// Ends all attempts; those that register ask for it.
  void work() {
    while (!started.empty()) {
      effect::StartAttempt start = started.front();
      started.erase(started.begin());
      if (same_bytes && start.operator_id == "ingest.files") start.params.clear();
      event::AttemptEnded ended = answer(start, Outcome::ok);
      if (start.operator_id == "model.register") ended.requests = {{"register_model", Value(wish)}};
      if (start.operator_id == "model.evaluate") {
        ended.metrics = {{"auc", "", 0.75}};
        if (!blessing.empty()) ended.notes = ValueTable{{"blessing", blessing}};
      }
      turn(ended);
    }
  }
  void approve(RunNumber number) {
    turn(event::ApproveRequested{++last_request, number, "register", "", "ann", "looks good", {}});
    REQUIRE_FALSE(replies.back().error);
    work();
  }
  /// The sentence, or the error's.
  std::string mark(ModelMarkRow row) {
    row.model = "late";
    row.who = "ann";
    row.why = "because";
    turn(event::ModelMarkRequested{++last_request, row});
    return replies.back().error ? replies.back().error->message : replies.back().sentence;
  }
  std::string alias(const std::string& name, const std::string& version) {
    ModelMarkRow row;
    row.kind = "alias", row.subject = name, row.value = version;
    return mark(row);
  }
  std::string rollback(const std::string& name) {
    ModelMarkRow row;
    row.kind = "alias", row.subject = name, row.rollback = true;
    return mark(row);
  }
  std::string pointed(const std::string& name) {
    return aliased(ledger.model_marks("late", "alias", name));
  }
  std::vector<std::string> versions() {
    std::vector<std::string> found;
    for (const auto& [key, row] : ledger.models) found.push_back(key.second.text());
    return found;
  }
  const ModelVersionRow& newest() { return ledger.models.rbegin()->second; }
  RunOptions depth(int value) {
    RunOptions options;
    options.params["depth"] = value;
    return options;
  }
};

std::string with_review(const std::string& value) {
  return std::string(text) + "review = " + value + "\n";
}

using Versions = std::vector<std::string>;

const Value& fact(const ModelVersionRow& row, const std::string& name) {
  return row.facts.as_table()->at(name);
}

}  // namespace

TEST_CASE("registry: a model is reviewed before it is registered", "[dag][engine][model]") {
  Registry world;
  world.apply(text);
  const RunNumber run = world.begin();
  CHECK(world.state(run, "register") == StepState::in_review);
  CHECK(world.ledger.models.empty());
  world.approve(run);
  CHECK(world.state(run, "register") == StepState::succeeded);
  REQUIRE(world.versions() == Versions{"1.0.0"});
  const ModelVersionRow& row = world.newest();
  CHECK(row.reason.code == "first");
  CHECK(row.run == run);
  REQUIRE(row.artifacts.size() == 3);  // what stood at its inputs, and what it wrote
  CHECK(row.artifacts[2].port == "golden");
  CHECK(row.artifacts[2].artifact.type == "golden/1");
  const ValueTable& approval = *fact(row, "approvals").as_list()->at(0).as_table();
  CHECK(*approval.at("who").as_text() == "ann");
  CHECK(*approval.at("why").as_text() == "looks good");
  CHECK(world.pointed("candidate") == "1.0.0");
}

TEST_CASE("registry: a version says what it was made of", "[dag][engine][model]") {
  Registry world;
  world.apply(with_review("false"));
  world.begin();
  const ModelVersionRow& row = world.newest();
  const ValueTable& recipe = *fact(row, "recipe").as_table();
  CHECK(*recipe.at("train operator").as_text() == "train.trees 1");
  CHECK(*recipe.at("train params.max_depth").as_text() == "6");
  CHECK(recipe.contains("ingest operator"));
  CHECK_FALSE(recipe.contains("evaluate operator"));
  const ValueList& release = *fact(row, "release").as_list();
  REQUIRE(release.size() == 1);
  CHECK(*release[0].as_text() == "flights/2013-01 version 1");
  CHECK(fact(row, "data").as_list()->size() == 1);
  const ValueTable& metric = *fact(row, "metrics").as_list()->at(0).as_table();
  CHECK(*metric.at("name").as_text() == "auc");
  CHECK(*metric.at("value").as_double() == 0.75);
}

TEST_CASE("registry: new data is a patch, another parameter minor, another input major",
          "[dag][engine][model]") {
  Registry world;
  world.apply(with_review("false"));
  world.begin();
  world.arrive_month("2013-02");
  world.begin();
  CHECK(world.newest().version.text() == "1.0.1");
  CHECK(world.newest().reason.sentence == "patch against 1.0.0: retrained on other data: 1 new");
  world.begin(world.depth(8));
  CHECK(world.newest().version.text() == "1.1.0");
  CHECK_THAT(world.newest().reason.sentence,
             Catch::Contains("train params.max_depth changed from 6 to 8"));
  world.wish = Registry::arguments({"humid", "gust"});
  world.begin(world.depth(9));
  CHECK(world.newest().version.text() == "2.0.0");
  CHECK_THAT(world.newest().reason.sentence, Catch::Contains("input gust (float) is new"));
  CHECK(world.versions() == Versions{"1.0.0", "1.0.1", "1.1.0", "2.0.0"});
}

TEST_CASE("registry: of steps with the same bytes the one counts that was read",
          "[dag][engine][model]") {
  // "late" reads the months by itself; "twin" makes the same bytes of them with other words.
  constexpr const char* twins = R"(
name = "flights"
[params]
remark = "a"
[source.flights]
path = "in/{YYYY}-{MM}.csv"
[step.ingest]
foreach = "source.flights"
operator = "ingest.files"
in.files = "each"
[step.twin]
foreach = "source.flights"
operator = "ingest.files"
in.files = "each"
params.columns = ["${remark}"]
[step.train]
operator = "train.trees"
in.examples = "ingest"
[step.register]
operator = "model.register"
in.model = "train"
params.name = "late"
review = false
)";
  Registry world;
  OperatorInfo& ingest = world.operators.at("ingest.files");
  ingest.params.clear();
  ParamInfo columns;
  columns.name = "columns", columns.kind = "list";
  ingest.params.push_back(columns);
  world.same_bytes = true;
  world.apply(twins);
  world.begin();
  const ValueTable& recipe = *fact(world.newest(), "recipe").as_table();
  CHECK(recipe.contains("ingest operator"));
  CHECK_FALSE(recipe.contains("twin operator"));
  CHECK_FALSE(recipe.contains("twin params.columns"));
  world.arrive_month("2013-02");
  RunOptions other;
  other.params["remark"] = "b";
  world.begin(other);
  CHECK(world.newest().version.text() == "1.0.1");
  CHECK(world.newest().reason.sentence == "patch against 1.0.0: retrained on other data: 1 new");
}

TEST_CASE("registry: a parameter set to its default is no change, another names both values",
          "[dag][engine][model]") {
  Registry world;
  for (ParamInfo& param : world.operators.at("train.trees").params) {
    if (param.name == "max_depth") param.default_value = 6;
  }
  world.apply(with_review("false"));
  world.begin();
  CHECK_FALSE(fact(world.newest(), "recipe").as_table()->contains("train params.max_depth"));
  world.begin(world.depth(8));
  CHECK(world.newest().reason.sentence ==
        "minor against 1.0.0: train params.max_depth changed from 6 to 8");
  world.arrive_month("2013-02");
  world.begin();
  CHECK(world.newest().reason.sentence ==
        "minor against 1.1.0: train params.max_depth changed from 8 to 6; and 1 more");
}

TEST_CASE("registry: the same model again is the same version", "[dag][engine][model]") {
  Registry world;
  world.apply(with_review("false"));
  const RunNumber first = world.begin();
  world.begin(world.depth(8));
  const RunNumber again = world.begin();
  CHECK(world.state(again, "register") == StepState::succeeded);
  CHECK(world.versions() == Versions{"1.0.0", "1.1.0"});
  CHECK(world.ledger.requests.rbegin()->second.sentence ==
        "late 1.0.0 is there already: the same model and transform as in run " +
            std::to_string(first));
  CHECK(world.pointed("candidate") == "1.1.0");
  const auto marks = world.ledger.model_marks("late", "again", "1.0.0");
  REQUIRE(marks.size() == 1);
  CHECK(marks[0].run == again);
}

TEST_CASE("registry: a lost attempt or a failed commit registers nothing twice",
          "[dag][engine][model]") {
  Registry world;
  world.apply(with_review("false"));
  world.deliver();
  const RunNumber run = world.run("flights");
  while (world.started.front().operator_id != "model.register") world.end(0, Outcome::ok);
  event::AttemptEnded ended = EngineWorld::answer(world.started.front(), Outcome::ok);
  ended.requests = {{"register_model", Value(world.wish)}};
  // The turn is lost with the daemon: version, marks and result go together.
  REQUIRE(world.ledger.begin());
  std::vector<Effect> effects;
  world.engine->apply(ended, world.now, effects);
  CHECK(world.ledger.models.size() == 1);
  world.ledger.fail_next_commit = true;
  CHECK_FALSE(world.ledger.commit());
  CHECK(world.ledger.models.empty());
  CHECK(world.ledger.marks.empty());
  world.restart();
  world.work();
  CHECK(world.state(run, "register") == StepState::succeeded);
  CHECK(world.versions() == Versions{"1.0.0"});
  CHECK(world.ledger.model_marks("late", "registered", "1.0.0").size() == 1);
  world.turn(ended);  // the report of the dead life comes late
  CHECK(world.versions() == Versions{"1.0.0"});
}

TEST_CASE("registry: a person may raise the number and not lower it", "[dag][engine][model]") {
  Registry world;
  world.apply(with_review("false"));
  world.wish["at_least"] = "3.0.0";
  world.begin();
  CHECK(world.newest().version.text() == "3.0.0");
  CHECK_THAT(world.newest().reason.sentence, Catch::Contains("raised from 1.0.0"));
  world.begin(world.depth(7));
  CHECK(world.newest().version.text() == "3.1.0");
  world.wish["at_least"] = "1.0.0";
  world.begin(world.depth(8));
  CHECK(world.newest().version.text() == "3.2.0");
  CHECK(world.newest().reason.sentence.find("raised") == std::string::npos);
}

TEST_CASE("registry: with review = \"auto\" the blessing decides", "[dag][engine][model]") {
  Registry world;
  world.apply(with_review("\"auto\""));
  const RunNumber silent = world.begin();
  CHECK(world.state(silent, "register") == StepState::rejected);
  CHECK_THAT(world.step(silent, "register").reason.sentence, Catch::Contains("blesses nothing"));
  world.wish["blessing"] = ValueTable{{"blessed", false}, {"sentence", "auc 0.61 is below 0.7"}};
  const RunNumber unblessed = world.begin(world.depth(7));
  CHECK(world.run_state(unblessed) == RunState::rejected);
  CHECK(world.step(unblessed, "register").reason.sentence ==
        "the evaluation does not bless the model: auc 0.61 is below 0.7");
  CHECK(world.ledger.models.empty());
  world.wish["blessing"] = ValueTable{{"blessed", true}};
  const RunNumber blessed = world.begin(world.depth(8));
  CHECK(world.state(blessed, "register") == StepState::succeeded);
  CHECK(world.versions() == Versions{"1.0.0"});
}

TEST_CASE("registry: an approval holds for exactly its evidence", "[dag][engine][model]") {
  Registry world;
  world.apply(text);
  const RunNumber first = world.begin();
  world.approve(first);
  const RunNumber same = world.begin();
  CHECK(world.state(same, "register") == StepState::succeeded);
  const RunNumber other = world.begin(world.depth(8));
  CHECK(world.state(other, "register") == StepState::in_review);
  CHECK(world.versions() == Versions{"1.0.0"});
}

TEST_CASE("registry: the reviewer is told whether the evaluation blesses the model",
          "[dag][engine][model]") {
  Registry world;
  world.apply(text);
  const auto asked = [&](int depth) {
    const RunNumber run = world.begin(world.depth(depth));
    std::string alert;
    for (const auto& [id, row] : world.ledger.alerts) {
      if (row.run == run && row.step == "register") alert = row.sentence;
    }
    CHECK(alert.find("waits for review") != std::string::npos);
    const std::string sentence = world.step(run, "register").reason.sentence;
    const auto open = sentence.find(" ("), close = sentence.rfind("): pipectl approve");
    if (open == std::string::npos) {
      CHECK(alert.find('(') == std::string::npos);
      return std::string();
    }
    CHECK(alert.ends_with(sentence.substr(open, close + 1 - open)));
    return sentence.substr(open + 2, close - open - 2);
  };
  CHECK(asked(6).empty());
  world.blessing = {{"blessed", true}, {"sentence", "all 2 hold"}, {"reasons", ValueList{}}};
  CHECK(asked(7) == "evaluate: blessed, all 2 hold");
  world.blessing = {
      {"blessed", false}, {"sentence", "1 of 2 failed"}, {"reasons", ValueList{"auc is 0.6"}}};
  CHECK(asked(8) == "evaluate: not blessed, auc is 0.6");
  world.blessing["reasons"] = ValueList{"auc is 0.6", "f1 is 0.1", "mcc is 0"};
  CHECK(asked(9) == "evaluate: not blessed, auc is 0.6, and 2 more");
  world.blessing = {{"blessed", "yes"}};
  CHECK(asked(10).empty());
}

TEST_CASE("registry: a review that nobody answers registers nothing", "[dag][engine][model]") {
  Registry world;
  world.apply(with_review("{ expires = \"1h\" }"));
  const RunNumber run = world.begin();
  world.wait(3'600'000);
  CHECK(world.state(run, "register") == StepState::rejected);
  CHECK(world.ledger.models.empty());
}

TEST_CASE("registry: a request that makes no sense fails the step and registers nothing",
          "[dag][engine][model]") {
  Registry world;
  world.apply(with_review("false"));
  const auto refused = [&](const std::string& name, Value value) {
    world.wish = Registry::arguments({"humid"});
    world.wish[name] = std::move(value);
    const RunNumber run = world.begin();
    CHECK(world.state(run, "register") == StepState::failed);
    return world.step(run, "register").reason.sentence;
  };
  CHECK_THAT(refused("model", "1.0.0"), Catch::Contains("is no name of a model"));
  CHECK_THAT(refused("at_least", "two"), Catch::Contains("'two' is no version"));
  CHECK_THAT(refused("aliases", ValueList{Value("Champion")}), Catch::Contains("no name of an alias"));
  CHECK_THAT(refused("outputs", ValueList{}), Catch::Contains("nothing of what comes out"));
  CHECK_THAT(refused("inputs", ValueList{Value("humid")}), Catch::Contains("no name or no type"));
  CHECK(world.ledger.models.empty());
}

TEST_CASE("registry: only model.register may ask for it unsaid", "[dag][engine][model]") {
  Registry world;
  OperatorInfo teller = fake_operator("teller", {}, {});
  teller.effect = true;
  world.operators["teller"] = teller;
  world.apply("name = \"p\"\n[step.tell]\noperator = \"teller\"\n");
  const RunNumber run = world.run("p");
  event::AttemptEnded ended = EngineWorld::answer(world.started.front(), Outcome::ok);
  ended.requests = {{"register_model", Value(world.wish)}};
  world.turn(ended);
  CHECK(world.state(run, "tell") == StepState::failed);
  CHECK_THAT(world.step(run, "tell").reason.sentence, Catch::Contains("does not allow it"));
}

TEST_CASE("aliases: they move, go back one by one, and every move is kept", "[dag][engine][model]") {
  Registry world;
  world.apply(with_review("false"));
  for (const int depth : {6, 7, 8}) world.begin(world.depth(depth));
  CHECK(world.alias("champion", "1.0.0") == "late champion points at 1.0.0");
  CHECK(world.alias("champion", "1.1.0") == "late champion points at 1.1.0 (was 1.0.0)");
  CHECK(world.alias("champion", "1.2.0") == "late champion points at 1.2.0 (was 1.1.0)");
  CHECK(world.alias("champion", "1.2.0") == "late champion points at 1.2.0 already");
  CHECK(world.rollback("champion") == "late champion points at 1.1.0 (was 1.2.0)");
  CHECK(world.rollback("champion") == "late champion points at 1.0.0 (was 1.1.0)");
  CHECK_THAT(world.rollback("champion"), Catch::Contains("nothing before"));
  CHECK(world.alias("champion", "1.2.0") == "late champion points at 1.2.0 (was 1.0.0)");
  CHECK(world.rollback("champion") == "late champion points at 1.0.0 (was 1.2.0)");
  CHECK(world.alias("champion", "") == "late champion is gone (was 1.0.0)");
  CHECK(world.ledger.model_marks("late", "alias", "champion").size() == 8);
}

TEST_CASE("aliases: only at versions that are there, under names that are none",
          "[dag][engine][model]") {
  Registry world;
  CHECK_THAT(world.alias("champion", "1.0.0"), Catch::Contains("there is no model 'late'"));
  world.apply(with_review("false"));
  world.begin();
  CHECK_THAT(world.alias("champion", "1.0.1"), Catch::Contains("there is no version '1.0.1'"));
  CHECK_THAT(world.alias("champion", "newest"), Catch::Contains("there is no version 'newest'"));
  CHECK_THAT(world.alias("2.0.0", "1.0.0"), Catch::Contains("is no name"));
  CHECK_THAT(world.alias("champion", ""), Catch::Contains("there is no alias 'champion'"));
  CHECK_THAT(world.rollback("champion"), Catch::Contains("nothing before"));
  CHECK(world.ledger.model_marks("late", "alias", "champion").empty());
}

TEST_CASE("tags: put, changed and taken away, each with what was before", "[dag][engine][model]") {
  Registry world;
  world.apply(with_review("false"));
  world.begin();
  ModelMarkRow tag;
  tag.kind = "tag", tag.subject = "1.0.0", tag.name = "market", tag.value = "eu";
  CHECK(world.mark(tag) == "late 1.0.0 has tag market = eu");
  tag.value = "us";
  CHECK(world.mark(tag) == "late 1.0.0 has tag market = us (was eu)");
  tag.value = "";
  CHECK(world.mark(tag) == "late 1.0.0 has no tag market any more (was us)");
  tag.subject = "9.0.0";
  CHECK_THAT(world.mark(tag), Catch::Contains("there is no version '9.0.0'"));
  ModelMarkRow note;
  note.kind = "note", note.subject = "1.0.0", note.value = "good in winter";
  CHECK(world.mark(note) == "late 1.0.0 has a note");
}

TEST_CASE("review: \"auto\" is only for steps that register", "[dag][model]") {
  EngineWorld world;
  const auto parsed =
      parse_pipeline("name = \"p\"\n[step.a]\noperator = \"one\"\nreview = \"auto\"\n", "p.toml");
  REQUIRE(parsed.spec);
  const auto compiled = compile(*parsed.spec, world.operators, {}, sha256("p"));
  REQUIRE_FALSE(compiled);
  CHECK_THAT(compiled.error().message, Catch::Contains("model.register"));
  const auto source = parse_pipeline(
      "name = \"p\"\n[source.a]\npath = \"in/{SPAN}\"\nreview = \"auto\"\n[step.b]\noperator = "
      "\"one\"\n", "p.toml");
  REQUIRE_FALSE(source.problems.empty());
  CHECK_THAT(source.problems.front().message, Catch::Contains("true, false or a table"));
}

namespace {

std::string with_baseline(const std::string& input) {
  std::string whole = with_review("false");
  const std::string place = "[step.register]\n";
  whole.insert(whole.find(place), "in.baseline = " + input + "\n");
  return whole;
}

struct Compared : Registry {
  Compared() {
    operators["model.evaluate"].inputs.push_back(port("baseline", "model/1", false, true));
  }
  /// The digest of a version's model; of the evaluation's baseline in a run, empty: none.
  Digest model_of(const std::string& version) {
    for (const auto& [key, row] : ledger.models) {
      for (const Binding& one : row.artifacts) {
        if (key.second.text() == version && one.port == "model") return one.artifact.digest;
      }
    }
    FAIL("no version " << version);
    return {};
  }
  std::optional<Digest> baseline(RunNumber number) {
    const auto result = ledger.find_result_by_id(step(number, "evaluate").result);
    REQUIRE(result);
    for (const Binding& input : result->inputs) {
      if (input.port == "baseline") return input.artifact.digest;
    }
    return std::nullopt;
  }
};

}  // namespace

TEST_CASE("a registered model as an input: what the alias pointed at when the run began",
          "[dag][engine][model]") {
  Compared world;
  world.apply(with_baseline("{ model = \"late@champion\", optional = true }"));
  CHECK_FALSE(world.baseline(world.begin()));
  world.alias("champion", "1.0.0");
  const RunNumber second = world.begin(world.depth(8));
  CHECK(world.baseline(second) == world.model_of("1.0.0"));
  // The alias moves while a run waits: the run keeps what it began with.
  world.deliver();
  const RunNumber third = world.run("flights", world.depth(9));
  world.alias("champion", "1.1.0");
  world.restart();
  world.work();
  CHECK(world.baseline(third) == world.model_of("1.0.0"));
  // The same model beside another champion is judged anew, beside the same one it is not.
  const RunNumber again = world.begin(world.depth(9));
  CHECK(world.baseline(again) == world.model_of("1.1.0"));
  CHECK(world.step(again, "evaluate").reason.code == "input_changed");
  const RunNumber same = world.begin(world.depth(9));
  CHECK(world.step(same, "evaluate").result == world.step(again, "evaluate").result);
  // Back as it was: the earlier result holds again.
  world.rollback("champion");
  CHECK(world.step(world.begin(world.depth(9)), "evaluate").result ==
        world.step(third, "evaluate").result);
}

TEST_CASE("a registered model as an input: by number, and skipped where it must be there and is not",
          "[dag][engine][model]") {
  Compared world;
  world.apply(with_review("false"));
  world.begin();
  world.apply(with_baseline("{ model = \"late@1.0.0\" }"));
  CHECK(world.baseline(world.begin()) == world.model_of("1.0.0"));
  world.operators["model.evaluate"].inputs.back().optional = false;
  world.apply(with_baseline("{ model = \"late@2.0.0\" }"));
  const RunNumber none = world.begin();
  CHECK(world.state(none, "evaluate") == StepState::skipped);
  CHECK(world.step(none, "evaluate").reason.sentence ==
        "there was no model late@2.0.0 for input baseline");
}

