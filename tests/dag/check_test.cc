#include "dag/check.h"

#include <catch2/catch.hpp>

#include "dag/spec_toml.h"

using namespace pipelined;
using Catch::Matchers::Contains;

namespace {

OperatorInfo command_run() {
  OperatorInfo info;
  info.id = "command.run";
  info.open_inputs = info.open_outputs = true;
  info.inputs = {{"*", "*", true, true, false, "", ""}};
  info.outputs = {{"*", "*", false, true, false, "", ""}};
  info.params = {{"argv", "list", {}, true, {}, {}, {}, ""},
                 {"env", "table", {}, false, {}, {}, {}, ""},
                 {"stdin", "string", {}, false, {}, {}, {}, ""}};
  return info;
}

OperatorInfo python_call() {
  OperatorInfo info = command_run();
  info.id = "python.call";
  info.inputs.insert(info.inputs.begin(), {"code", "*", false, false, false, "", ""});
  info.params = {{"python", "string", "python3", false, {}, {}, {}, ""},
                 {"arguments", "table", {}, false, {}, {}, {}, ""},
                 {"env", "table", {}, false, {}, {}, {}, ""}};
  return info;
}

// Small operators in the shape of the real ones.
OperatorSet operators() {
  OperatorInfo ingest;
  ingest.id = "ingest.files";
  ingest.inputs = {{"files", "files/1", false, false, false, "", ""}};
  ingest.outputs = {{"examples", "examples/1", false, false, false, "", ""},
                    {"rejected", "examples/1", false, true, true, "", ""}};
  ingest.params = {{"format", "string", "auto", false, {"auto", "csv", "tsv"}, {}, {}, ""},
                   {"null", "list", {}, false, {}, {}, {}, ""}};
  OperatorInfo statistics;
  statistics.id = "data.statistics";
  statistics.inputs = {{"examples", "examples/1", true, false, false, "", ""}};
  statistics.outputs = {{"statistics", "statistics/1", false, false, false, "", ""}};
  statistics.params = {{"label", "string", {}, false, {}, {}, {}, ""},
                       {"top_values", "int", 20, false, {}, 1.0, 1000.0, ""}};
  OperatorInfo validate;
  validate.id = "data.validate";
  validate.inputs = {{"examples", "examples/1", false, false, false, "", ""},
                     {"statistics", "statistics/1", false, false, false, "", ""},
                     {"schema", "schema/1", false, false, false, "", ""},
                     {"previous", "statistics/1", false, true, false, "", ""}};
  validate.outputs = {{"examples", "examples/1", false, false, false, "examples", ""},
                      {"anomalies", "anomalies/1", false, false, true, "", ""},
                      {"report", "report/1", false, false, true, "", ""}};
  validate.params = {{"drift", "table", {}, false, {}, 0.0, 1.0, ""}};
  OperatorInfo split;
  split.id = "data.split";
  split.open_outputs = true;
  split.inputs = {{"examples", "examples/1", true, false, false, "", ""}};
  split.outputs = {{"{shares}", "examples/1", false, false, false, "", ""},
                   {"{shares}_statistics", "statistics/1", false, true, false, "", ""}};
  split.params = {{"shares", "table", {}, true, {}, {}, {}, ""},
                  {"key", "list", {}, true, {}, {}, {}, ""}};
  OperatorInfo train;
  train.id = "train.trees";
  train.inputs = {{"examples", "examples/1", false, false, false, "", ""}};
  train.outputs = {{"model", "model/1", false, false, false, "", ""}};
  train.params = {{"label", "string", {}, true, {}, {}, {}, ""},
                  {"max_depth", "int", 6, false, {}, 1.0, 30.0, ""},
                  {"learning_rate", "float", 0.3, false, {}, 0.0, 1.0, ""}};
  OperatorInfo evaluate;
  evaluate.id = "model.evaluate";
  evaluate.inputs = {{"model", "model/1", false, false, false, "", ""},
                     {"examples", "examples/1", true, false, false, "", ""}};
  evaluate.outputs = {{"evaluation", "evaluation/1", false, false, false, "", ""}};
  OperatorSet set;
  for (const OperatorInfo& info :
       {command_run(), ingest, statistics, validate, split, train, evaluate}) {
    set[info.id] = info;
  }
  return set;
}

constexpr const char* flights_head = R"(name = "flights"
[params]
depth = 6
[source.flights]
path = "incoming/{YYYY}-{MM}.csv"
[source.weather]
path = "reference/weather.csv"
[[trigger]]
arrival = ["flights"]
[step.ingest]
foreach = "source.flights"
operator = "ingest.files"
in.files = "each"
params.null = ["", "NA"]
[step.statistics]
foreach = "ingest"
operator = "data.statistics"
in.examples = "ingest"
params.label = "late"
[step.validate]
foreach = "ingest"
operator = "data.validate"
in.examples = "ingest"
in.statistics = "statistics"
in.schema = { file = "schema.toml" }
in.previous = { of = "statistics", span = -1, optional = true }
params.drift.late.l_infinity = 0.1
[step.split]
operator = "data.split"
in.examples = "validate.examples"
params.key = ["day"]
params.shares = { train = 8, eval = 2 }
[step.train]
operator = "train.trees"
in.examples = "split.train"
params.label = "late"
params.max_depth = "${depth}"
[step.evaluate]
operator = "model.evaluate"
in.model = "train"
in.examples = "split.eval"
[step.backtest]
operator = "model.evaluate"
in.model = { latest = "train", optional = true }
in.examples = { newest = "validate.examples" }
)";

const BundleFiles flights_files = {{"pipeline.toml", ""}, {"schema.toml", ""}, {"join.sql", "x"}};

std::vector<std::string> problems_of(const std::string& text,
                                     const BundleFiles& files = flights_files) {
  const ParsedPipeline parsed = parse_pipeline(text, "p.toml");
  for (const Diagnostic& problem : parsed.problems) UNSCOPED_INFO(text_of(problem));
  REQUIRE(parsed.spec);
  std::vector<std::string> all;
  for (const Diagnostic& problem : check(*parsed.spec, operators(), files, "p.toml")) {
    all.push_back(text_of(problem));
  }
  return all;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

// The one problem of the flights pipeline with one thing replaced.
std::string problem_with(const std::string& from, const std::string& to) {
  const auto all = problems_of(replaced(flights_head, from, to));
  for (const std::string& problem : all) UNSCOPED_INFO(problem);
  REQUIRE(all.size() == 1);
  return all.front();
}

std::string problem_adding(const std::string& lines) {
  const auto all = problems_of(flights_head + lines);
  for (const std::string& problem : all) UNSCOPED_INFO(problem);
  REQUIRE(all.size() == 1);
  return all.front();
}

std::string command(const std::string& lines) {
  return "[step.shell]\noperator = \"command.run\"\n" + lines + "\n";
}

}  // namespace

TEST_CASE("check: the flights pipeline is sound, and compiles", "[check]") {
  CHECK(problems_of(flights_head).empty());
  const ParsedPipeline parsed = parse_pipeline(flights_head, "p.toml");
  CHECK(compile(*parsed.spec, operators(), flights_files, {}));
}

TEST_CASE("check: unknown names are told with their place and the nearest known", "[check]") {
  CHECK(problem_with("operator = \"train.trees\"", "operator = \"train.tree\"") ==
        "p.toml:34:1: error: step 'train' has the unknown operator 'train.tree'; did you mean "
        "'train.trees'?");
  CHECK(problem_with("in.model = \"train\"", "in.model = \"trian\"") ==
        "p.toml:40:4: error: unknown step 'trian'; did you mean 'train'?");
  CHECK_THAT(problem_with("\"validate.examples\"", "\"validate.exmples\""),
             Contains("p.toml:30:4: error: step 'validate' has no output 'exmples'; did you mean "
                      "'examples'?"));
  const auto input = problems_of(replaced(flights_head, "in.statistics =", "in.statistic ="));
  REQUIRE(input.size() == 2);
  CHECK_THAT(input[0], Contains("step 'validate' lacks the input 'statistics'"));
  CHECK_THAT(input[1], Contains("has no input 'statistic'; did you mean 'statistics'?"));
  CHECK_THAT(problem_with("file = \"schema.toml\"", "file = \"shema.toml\""),
             Contains("no file 'shema.toml' beside the pipeline; did you mean 'schema.toml'?"));
  CHECK_THAT(problem_with("params.max_depth", "params.max_dept"),
             Contains("has no parameter 'max_dept'; did you mean 'max_depth'?") ||
                 Contains("used nowhere"));
  CHECK_THAT(problem_with("foreach = \"source.flights\"", "foreach = \"source.flight\""),
             Contains("foreach names the unknown source 'flight'; did you mean 'flights'?"));
  CHECK_THAT(problem_adding(command("params.argv = [\"true\"]\nafter = [\"evaluat\"]")),
             Contains("comes after the unknown step 'evaluat'; did you mean 'evaluate'?"));
}

TEST_CASE("check: every error is told at once, in order of place", "[check]") {
  std::string text = replaced(flights_head, "in.model = \"train\"", "in.model = \"trian\"");
  text = replaced(text, "arrival = [\"flights\"]", "arrival = [\"fligths\"]");
  text = replaced(text, "params.label = \"late\"\nparams.max_depth", "params.max_depth");
  const auto all = problems_of(text);
  REQUIRE(all.size() == 3);
  CHECK_THAT(all[0], Contains("fligths"));
  CHECK_THAT(all[1], Contains("step 'train' lacks the parameter 'label'"));
  CHECK_THAT(all[2], Contains("trian"));
}

TEST_CASE("check: names have one form", "[check]") {
  CHECK(is_name("data_2-x"));
  for (const char* bad : {"", "Train", "2x", "_x", "a b", "ä", "a.b", "a/b"}) CHECK_FALSE(is_name(bad));
  CHECK_FALSE(is_name(std::string(65, 'a')));
  CHECK_THAT(problem_with("name = \"flights\"", "name = \"Flights 2013\""),
             Contains("1:1: error: the pipeline name 'Flights 2013' is no name"));
  CHECK_THAT(problem_adding("[step.Shell]\noperator = \"command.run\"\nparams.argv = [\"true\"]\n"),
             Contains("the step 'Shell' is no name"));
}

TEST_CASE("check: required inputs and types of ports", "[check]") {
  CHECK_THAT(problem_with("in.model = \"train\"\n", ""),
             Contains("step 'evaluate' lacks the input 'model' (model/1) that 'model.evaluate' "
                      "requires"));
  CHECK_THAT(problem_with("in.model = \"train\"", "in.model = \"split.train\""),
             Contains("input 'model' takes model/1, but 'split.train' gives examples/1"));
  CHECK_THAT(problem_with("in.files = \"each\"", "in.files = { source = \"wether\" }"),
             Contains("unknown source 'wether'; did you mean 'weather'?"));
  CHECK_THAT(problem_with("in.model = \"train\"", "in.model = { source = \"weather\" }"),
             Contains("input 'model' takes model/1, but source 'weather' gives files/1"));
}

TEST_CASE("check: an output that is not the only one must be named", "[check]") {
  CHECK_THAT(problem_with("in.examples = \"split.train\"", "in.examples = \"split\""),
             Contains("step 'split' has several outputs; name one: ") &&
                 Contains("\"split.train\""));
  // Of ingest's two outputs one is evidence and optional, so the other is meant.
  CHECK(problems_of(flights_head).empty());
}

TEST_CASE("check: one input cannot take an output for every span", "[check]") {
  CHECK_THAT(problem_with("in.examples = \"split.train\"", "in.examples = \"validate.examples\""),
             Contains("35:4: error: in.examples: step 'validate' has an output for every span of "
                      "'flights', but 'examples' takes one; add foreach = \"validate\" or take "
                      "{ newest = \"validate.examples\" }"));
  CHECK_THAT(problem_with("newest = \"validate.examples\"", "newest = \"split.eval\""),
             Contains("step 'split' has no foreach, so it has no spans"));
  CHECK_THAT(problem_with("in.model = \"train\"", "in.model = { of = \"train\", span = -1 }"),
             Contains("step 'train' has no foreach, so it has no spans"));
  CHECK_THAT(problem_with("in.examples = \"split.eval\"",
                          "in.examples = { of = \"ingest.examples\", span = -1 }"),
             Contains("span = -1 needs foreach over the same source 'flights'"));
  CHECK_THAT(problem_with("newest = \"validate.examples\"", "latest = \"ingest.examples\""),
             Contains("{ newest = … } takes the last of them"));
  CHECK_THAT(problem_with("in.examples = \"ingest\"\nin.statistics",
                          "in.examples = { of = \"ingest\", spans = \"last 3\" }\nin.statistics"),
             Contains("'spans' has no meaning here"));
  CHECK(problems_of(replaced(flights_head, "in.examples = \"validate.examples\"",
                             "in.examples = { of = \"validate.examples\", spans = \"last 9\" }"))
            .empty());
}

TEST_CASE("check: each and foreach belong together", "[check]") {
  const auto all = problems_of(replaced(flights_head, "foreach = \"source.flights\"\n", ""));
  REQUIRE_FALSE(all.empty());
  CHECK_THAT(all[0], Contains("in.files = \"each\" needs foreach = \"source.NAME\""));
  CHECK_THAT(problem_adding(command("foreach = \"split\"\nparams.argv = [\"true\"]")),
             Contains("foreach names step 'split', which has no foreach itself"));
  CHECK_THAT(problem_adding(command("foreach = \"weather\"\nparams.argv = [\"true\"]")),
             Contains("the source of that name is \"source.weather\""));
}

TEST_CASE("check: a step may read its own earlier span", "[check]") {
  CHECK(problems_of(std::string(flights_head) + command(R"(foreach = "ingest"
in.rows = "ingest"
in.before = { of = "shell", span = -1, optional = true }
out.sum = "files/1"
params.argv = ["sum", "{in.rows}", "{in.before}", "{out.sum}"])"))
            .empty());
}

TEST_CASE("check: cycles are spelled out", "[check]") {
  const std::string loop = R"([step.a]
operator = "command.run"
in.x = "c.y"
out.y = "files/1"
params.argv = ["cp", "{in.x}", "{out.y}"]
[step.b]
operator = "command.run"
in.x = "a.y"
out.y = "files/1"
params.argv = ["cp", "{in.x}", "{out.y}"]
[step.c]
operator = "command.run"
after = ["b"]
out.y = "files/1"
params.argv = ["touch", "{out.y}"]
)";
  CHECK_THAT(problem_adding(loop), Contains("the steps form a cycle: a → b → c → a"));
  CHECK_THAT(problem_adding(command("after = [\"shell\"]\nparams.argv = [\"true\"]")),
             Contains("the steps form a cycle: shell → shell"));
}

TEST_CASE("check: parameters have kinds, limits and choices", "[check]") {
  const auto [from, to, wanted] = GENERATE(table<std::string, std::string, std::string>({
      {"params.max_depth = \"${depth}\"", "params.max_depth = \"six ${depth}\"",
       "37:8: error: parameter 'max_depth' of 'train.trees' must be an integer, not a string"},
      {"depth = 6", "depth = 31", "'max_depth' of 'train.trees' must be at most 30, not 31"},
      {"depth = 6", "depth = 0", "must be at least 1, not 0"},
      {"depth = 6", "depth = 6.5", "must be an integer, not a number"},
      {"params.null = [\"\", \"NA\"]", "params.null = \"NA\"", "must be a list, not a string"},
      {"params.null = [\"\", \"NA\"]", "params.format = \"cvs\"",
       "must be one of auto, csv, tsv, not 'cvs'; did you mean 'csv'?"},
      {"params.drift.late.l_infinity = 0.1", "params.drift.late.l_infinity = 1.5",
       "27:19: error: parameter 'drift.late.l_infinity' of 'data.validate' must be at most 1"},
      {"params.drift.late.l_infinity = 0.1", "params.drift.late.l_infinity = nan",
       "must be at least 0"},
      {"params.key = [\"day\"]\n", "", "step 'split' lacks the parameter 'key'"},
      {"params.label = \"late\"\nparams.max", "params.label = { file = \"lable.txt\" }\nparams.max",
       "there is no file 'lable.txt' beside the pipeline"},
  }));
  CAPTURE(to);
  CHECK_THAT(problem_with(from, to), Contains(wanted));
}

TEST_CASE("check: a whole number is good enough for a decimal", "[check]") {
  CHECK(problems_of(replaced(flights_head, "params.max_depth = \"${depth}\"",
                             "params.max_depth = \"${depth}\"\nparams.learning_rate = 1"))
            .empty());
}

TEST_CASE("check: references to parameters", "[check]") {
  const auto all = problems_of(replaced(flights_head, "\"${depth}\"", "\"${dpeth}\""));
  REQUIRE(all.size() == 2);
  CHECK_THAT(all[0], Contains("3:1: warning: the parameter 'depth' is used nowhere"));
  CHECK_THAT(all[1], Contains("37:8: error: unknown parameter ${dpeth}") &&
                         Contains("did you mean 'depth'?"));
  CHECK(problems_of(flights_head + command("params.argv = [\"echo\", \"$${HOME}\"]")).empty());
}

TEST_CASE("check: command templates name declared ports", "[check]") {
  const auto [lines, wanted] = GENERATE(table<std::string, std::string>({
      {"params.argv = [\"cat\", \"{in.rows}\"]", "declares no input 'rows'"},
      {"out.copy = \"files/1\"\nparams.argv = [\"cp\", \"{out.cpoy}\", \"{out.copy}\"]",
       "declares no output 'cpoy'; did you mean 'copy'?"},
      {"params.argv = [\"x\", \"{tmp}\"]", "unknown placeholder {tmp}"},
      {"params.argv = [\"x\", \"{in.a\"]", "'{' is not closed"},
      {"params.argv = [\"x\", \"a}b\"]", "a single '}'"},
      {"params.argv = []", "argv is empty"},
      {"params.argv = [\"x\", 1]", "every word of argv must be a string, not int"},
      {"params.argv = \"echo\"", "must be a list, not a string"},
      {"out.copy = \"files/1\"\nparams.argv = [\"true\"]", "no word of argv says {out.copy}"},
      {"out.copy = \"files\"\nparams.argv = [\"x\", \"{out.copy}\"]", "'files' is no type"},
      {"out.Copy = \"files/1\"\nparams.argv = [\"x\", \"{out.Copy}\"]", "is no name"},
      {"params.argv = [\"x\"]\nparams.env = { A = 1 }", "'A' must be a string, not int"},
      {"params.argv = [\"x\"]\nparams.stdin = \"rows\"", "which is no input of step 'shell'"},
      {"in.rows = { of = \"split.train\", optional = true }\nparams.argv = [\"x=\", \"-{in.rows}\"]",
       "may be absent, so it must be a word of its own"},
      {"cache = true", "lacks the parameter 'argv'"},
  }));
  CAPTURE(lines);
  CHECK_THAT(problem_adding(command(lines)), Contains(wanted));
}

TEST_CASE("check: sound command templates pass", "[check]") {
  CHECK(problems_of(std::string(flights_head) + command(R"(in.rows = "split.train"
in.script = { file = "join.sql" }
out.copy = "files/1"
params.argv = ["sh", "{in.script}", "--in={in.rows}", "{out.copy}", "{{}}", "{scratch}/x"]
params.env = { DEPTH = "6" }
params.stdin = "rows")"))
            .empty());
}

TEST_CASE("check: outputs are declared only where an operator lets the step", "[check]") {
  CHECK_THAT(problem_with("params.null = [\"\", \"NA\"]", "out.more = \"files/1\""),
             Contains("'ingest.files' has its own outputs"));
  CHECK_THAT(problem_with("params.key = [\"day\"]", "params.key = [\"day\"]\nout.train = \"a/1\""),
             Contains("step 'split' has the output 'train' twice"));
}

TEST_CASE("check: conditions read steps that stand above", "[check]") {
  const std::string base = "params.argv = [\"true\"]\n";
  CHECK(problems_of(flights_head + command(base + "after = [\"evaluate\"]\n"
                                                  "when = \"evaluate.auc >= 0.7\""))
            .empty());
  CHECK_THAT(problem_adding(command(base + "when = \"evaluate.auc >= 0.7\"")),
             Contains("'shell' does not depend on 'evaluate'; add after = [\"evaluate\"]"));
  CHECK_THAT(problem_adding(command(base + "when = \"evalaute.auc > 1\"")),
             Contains("unknown step 'evalaute'; did you mean 'evaluate'?"));
  CHECK_THAT(problem_adding(command(base + "when = \"evaluate.auc => 1\"")),
             Contains("when: at character 14"));
}

TEST_CASE("check: training on data that no gate has judged is a warning", "[check]") {
  const auto all = problems_of(replaced(flights_head, "in.examples = \"validate.examples\"",
                                        "in.examples = \"ingest.examples\""));
  REQUIRE(all.size() == 1);
  CHECK_THAT(all[0], Contains("33:7: warning: step 'train' learns from source 'flights' with no "
                              "gate between"));
}

TEST_CASE("check: patterns of sources, empty pipelines, triggers", "[check]") {
  CHECK_THAT(problem_with("{YYYY}-{MM}.csv", "{YEAR}.csv"),
             Contains("4:9: error: source 'flights': path 'incoming/{YEAR}.csv': no word "
                      "'{YEAR}'"));
  CHECK_THAT(problem_with("arrival = [\"flights\"]", "arrival = [\"flights\", \"flights\"]"),
             Contains("names the source 'flights' twice"));
  const auto empty = problems_of("name = \"p\"\n");
  REQUIRE(empty.size() == 1);
  CHECK_THAT(empty[0], Contains("the pipeline has no steps"));
}

TEST_CASE("check: what it passes, compile accepts; what compile refuses, it has told", "[check]") {
  // One line of the flights pipeline left out at a time: every outcome must agree.
  const std::string text = flights_head;
  int sound = 0, broken = 0;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = text.find('\n', from) + 1;
    const ParsedPipeline parsed = parse_pipeline(text.substr(0, from) + text.substr(end), "p");
    from = end;
    if (!parsed.spec) continue;
    const bool passed = !has_errors(check(*parsed.spec, operators(), flights_files, "p"));
    const bool compiled = compile(*parsed.spec, operators(), flights_files, {}).has_value();
    CAPTURE(text.substr(from, 40));
    CHECK((!passed || compiled));
    ++(passed ? sound : broken);
  }
  CHECK(sound >= 5);
  CHECK(broken > 10);
}

TEST_CASE("check: every file that a pipeline names", "[check]") {
  const ParsedPipeline parsed = parse_pipeline(flights_head + command(R"(
in.script = { file = "tools/x.py" }
params.argv = ["x", "{in.script}"]
params.env.A = { file = "a.txt" }
params.stdin = { file = "schema.toml" })"),
                                               "p");
  REQUIRE(parsed.spec);
  CHECK(referenced_files(*parsed.spec) ==
        std::vector<std::string>{"a.txt", "schema.toml", "tools/x.py"});
}

TEST_CASE("check: python.call needs a script, and arguments that a function can take", "[check]") {
  OperatorSet with = operators();
  with["python.call"] = python_call();
  const auto problems = [&](const std::string& lines) {
    const auto parsed = parse_pipeline("name = \"p\"\n[source.s]\npath = \"a.csv\"\n[step.x]\n"
                                       "operator = \"python.call\"\nin.rows = { source = \"s\" }\n"
                                       "out.made = \"files/1\"\n" + lines, "p.toml");
    REQUIRE(parsed.spec);
    std::string all;
    for (const Diagnostic& one : check(*parsed.spec, with, {{"x.py", "x"}}, "p.toml")) {
      all += text_of(one) + "\n";
    }
    return all;
  };
  const std::string code = "in.code = { file = \"x.py\" }\n";
  CHECK(problems(code + "params.arguments = { depth = 3 }") == "");
  CHECK_THAT(problems(""), Contains("code"));
  CHECK_THAT(problems(code + "params.arguments = { rows = 3 }"),
             Contains("gets 'rows' already, as an input"));
  CHECK_THAT(problems(code + "params.arguments = { out = 3 }"),
             Contains("gets 'out' already, as the place for what it makes"));
  CHECK_THAT(problems(code + "params.arguments = { \"a-b\" = 3 }"),
             Contains("'a-b' cannot be one of a function"));
  CHECK_THAT(problems(code + "params.env = { N = 3 }"), Contains("must be a string"));
  CHECK_THAT(problems(code + "timeout.progress = \"5s\""), Contains("a program reports no progress"));
}

TEST_CASE("check: tens of thousands of steps are checked in time", "[check]") {
  PipelineSpec spec;
  spec.name = "big";
  for (int i = 0; i < 20'000; ++i) {
    StepSpec step;
    step.name = "s" + std::to_string(i);
    step.operator_id = "command.run";
    step.params["argv"] = ValueList{"true"};
    if (i > 0) step.after = {"s" + std::to_string(i - 1)};
    spec.steps.push_back(step);
  }
  CHECK(check(spec, operators(), {}, "p").empty());
  // And so are as many wrong names, whose nearest nobody looks for.
  for (StepSpec& step : spec.steps) step.after = {"wrong_" + step.name};
  CHECK(check(spec, operators(), {}, "p").size() == 20'000);
}
