#include "tests/sim/pipelines.h"

namespace pipelined::sim {
namespace {

// The shape of the flights pipeline: gate, resolver to the span before, collectors, backtest.
constexpr const char* flights = R"(
name = "flights"
[params]
p = 1
[source.s]
path = "in/{SPAN}.csv"
[source.reference]
path = "reference.csv"
[[trigger]]
arrival = ["s"]
coalesce = "5s"
[step.ingest]
foreach = "source.s"
operator = "single"
in.in = "each"
retry = { max = 2, backoff = "2s" }
timeout = "20s"
[step.join]
foreach = "ingest"
operator = "many"
in.in = "ingest"
in.reference = { source = "reference" }
retry = { max = 3, backoff = "1s" }
timeout = "20s"
[step.gate]
foreach = "join"
operator = "gate"
in.in = "join"
in.previous = { of = "join", span = -1, optional = true }
params.p = "${p}"
retry = { max = 2 }
timeout = "20s"
[step.split]
operator = "many"
in.in = "gate.out"
retry = { max = 2 }
timeout = "20s"
[step.train]
operator = "many"
in.in = "split"
params.p = "${p}"
retry = { max = 2 }
timeout = "30s"
[step.backtest]
operator = "many"
in.model = { latest = "train", optional = true }
in.in = { newest = "gate.out" }
retry = { max = 2 }
timeout = "30s"
)";

// Reviews, run_on, after, max_parallel, two runs at a time, cleaning up.
constexpr const char* people = R"(
name = "people"
[params]
p = 1
[run]
max_active = 2
[source.s]
path = "in/{SPAN}.csv"
[[trigger]]
arrival = ["s"]
coalesce = "1s"
[[trigger]]
schedule = "20 */9 * * *"
catch_up = "latest"
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
max_parallel = 1
timeout = "10s"
retry = { max = 1, backoff = "500ms" }
[step.look]
pool = "narrow"
foreach = "read"
operator = "gate"
in.in = "read"
timeout = "10s"
retry = { max = 2 }
[step.tell]
foreach = "look"
operator = "single"
in.in = "look.report"
timeout = "10s"
retry = { max = 2 }
[step.all]
operator = "many"
in.in = { of = "look.out", spans = "last 3" }
params.p = "${p}"
review = { expires = "5m" }
timeout = "10s"
retry = { max = 2 }
[step.after]
operator = "one"
after = ["all"]
params.p = "${p}"
timeout = "10s"
[step.clean]
operator = "one"
after = ["after"]
run_on = "always"
timeout = "10s"
[step.mourn]
operator = "one"
in.in = "look.out"
after = ["all"]
run_on = "failure"
timeout = "10s"
)";

// New spans only, no cache, a chain below.
constexpr const char* fresh = R"(
name = "fresh"
[params]
p = 1
[run]
overlap = "coalesce"
[source.s]
path = "in/{SPAN}.csv"
[[trigger]]
arrival = ["s"]
coalesce = "0s"
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
timeout = "10s"
retry = { max = 3, backoff = "100ms" }
[step.gate]
foreach = "read"
operator = "gate"
in.in = "read"
timeout = "10s"
retry = { max = 3, backoff = "100ms" }
[step.sum]
operator = "many"
in.in = { of = "gate.out", spans = "new" }
timeout = "10s"
retry = { max = 3 }
[step.whole]
operator = "many"
in.in = "gate.out"
params.p = "${p}"
cache = false
timeout = "10s"
retry = { max = 3 }
[step.end]
operator = "one"
in.in = "whole"
timeout = "10s"
retry = { max = 3 }
)";

// Two fanned-out sources, chosen elements, conditions, a trigger that waits for all, skipping.
constexpr const char* choice = R"(
name = "choice"
[params]
p = 1
[run]
overlap = "skip"
[source.s]
path = "in/{SPAN}.csv"
[source.t]
path = "other/{SPAN}.csv"
[source.reference]
path = "reference.csv"
[[trigger]]
arrival = ["s", "reference"]
all_of = true
coalesce = "2s"
[[trigger]]
arrival = ["s", "t"]
coalesce = "9s"
[step.recent]
foreach = { of = "source.s", spans = "last 3" }
operator = "single"
in.in = "each"
retry = { max = 2 }
timeout = "10s"
[step.some]
foreach = { of = "source.s", spans = "11..13" }
operator = "single"
in.in = "each"
params.p = "${p}"
retry = { max = 2 }
timeout = "10s"
[step.look]
foreach = "recent"
operator = "gate"
in.in = "recent"
in.previous = { of = "recent", span = -1, optional = true }
when = "recent.m < 3"
retry = { max = 2 }
timeout = "10s"
[step.other]
foreach = "source.t"
operator = "many"
in.in = "each"
in.reference = { source = "reference" }
retry = { max = 2 }
timeout = "10s"
[step.both]
operator = "pair"
in.in = "look.out"
in.more = { of = "other", spans = "last 2" }
retry = { max = 2 }
timeout = "10s"
[step.part]
operator = "pair"
in.in = { of = "some", spans = "12..20" }
in.reference = { source = "reference" }
cache = false
retry = { max = 2 }
timeout = "10s"
[step.last]
operator = "one"
in.in = "both"
after = ["part", "other"]
when = "both.m >= 0"
retry = { max = 2 }
timeout = "10s"
)";

// Newer runs cancel older ones; steps below a collection, order element by element, a review of
// each element, two resolvers over history.
constexpr const char* below = R"(
name = "below"
[params]
p = 1
[run]
overlap = "cancel_previous"
max_active = 2
[source.s]
path = "in/{SPAN}.csv"
[[trigger]]
arrival = ["s"]
coalesce = "4s"
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
retry = { max = 2 }
timeout = "10s"
[step.gate]
foreach = "read"
operator = "gate"
in.in = "read"
in.previous = { of = "gate.out", span = -1, optional = true }
params.p = "${p}"
retry = { max = 2 }
timeout = "10s"
[step.note]
pool = { name = "wide", slots = 2 }
foreach = "source.s"
operator = "single"
in.in = "each"
after = ["gate"]
retry = { max = 2 }
timeout = "10s"
[step.all]
operator = "many"
in.in = "gate.out"
retry = { max = 2 }
timeout = "10s"
[step.score]
pool = "wide"
priority = 3
resources = { gpus = 1 }
foreach = "gate"
operator = "many"
in.in = "gate.out"
in.model = "all"
retry = { max = 2 }
timeout = "10s"
[step.trend]
resources = { gpus = 2 }
foreach = "score"
operator = "many"
in.in = "score"
in.reference = { of = "score", span = -2, optional = true }
in.model = { latest = "all", optional = true }
review = { expires = "1m" }
retry = { max = 2 }
timeout = "10s"
[step.newest]
operator = "many"
in.in = { newest = "trend" }
retry = { max = 2 }
timeout = "10s"
[step.always]
foreach = "gate"
operator = "one"
after = ["note"]
run_on = "always"
timeout = "10s"
)";

// Halts that propose a remedy, and somebody who reads it: runs that the policy starts.
constexpr const char* shop = R"(
name = "shop"
[params]
p = 1
[run]
max_active = 2
[source.s]
path = "in/{SPAN}.csv"
[[trigger]]
arrival = ["s"]
coalesce = "3s"
[step.judge]
foreach = "source.s"
operator = "judge"
in.in = "each"
params.p = "${p}"
retry = { max = 2 }
timeout = "10s"
[step.learn]
operator = "learn"
in.in = "judge.out"
in.remedy = { newest = "judge.remedy" }
retry = { max = 2 }
timeout = "10s"
[step.score]
operator = "many"
in.in = "learn"
retry = { max = 2 }
timeout = "10s"
)";

// A step that names elements round by round, what runs them and is judged, and what collects them
// though a few failed.
constexpr const char* tune = R"(
name = "tune"
[params]
p = 1
[source.s]
path = "in/{SPAN}.csv"
[[trigger]]
arrival = ["s"]
coalesce = "4s"
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
retry = { max = 2 }
timeout = "10s"
[step.search]
operator = "search"
in.in = { newest = "read" }
in.results = { results = "score.out" }
generates = { max = 9, failures = 2, values = { x = 0 } }
params.p = "${p}"
retry = { max = 2 }
timeout = "10s"
[step.trial]
foreach = "search"
operator = "many"
in.in = { newest = "read" }
params.p = "${each.x}"
retry = { max = 2 }
timeout = "10s"
[step.score]
foreach = "trial"
operator = "gate"
in.in = "trial"
retry = { max = 2 }
timeout = "10s"
[step.best]
operator = "many"
in.in = "score.out"
in.model = "search"
retry = { max = 2 }
timeout = "10s"
)";

// Rows of a table that is asked again and again, each in one span.
constexpr const char* orders = R"(
name = "orders"
[params]
p = 1
[run]
max_active = 2
[source.s]
kind = "query"
database = "sqlite"
path = "shop.db"
query = "SELECT * FROM orders"
watermark = "id"
every = "6h"
[[trigger]]
arrival = ["s"]
coalesce = "1s"
[step.read]
foreach = "source.s"
operator = "rows"
in.in = "each"
retry = { max = 2 }
timeout = "10s"
[step.gate]
foreach = "read"
operator = "gate"
in.in = "read"
retry = { max = 2 }
timeout = "10s"
[step.all]
operator = "many"
in.in = "gate.out"
params.p = "${p}"
retry = { max = 2 }
timeout = "10s"
)";

PortInfo port(const char* name, bool many, bool optional = false) {
  PortInfo info;
  info.name = name;
  info.type = name == std::string("*") ? "*" : "files/1";
  info.many = many;
  info.optional = optional;
  return info;
}

OperatorInfo plain(const char* id, std::vector<PortInfo> inputs) {
  OperatorInfo info;
  info.id = id;
  info.plugin = "sim";
  info.inputs = std::move(inputs);
  info.outputs = {port("out", false)};
  ParamInfo param;
  param.name = "p";
  param.kind = "any";
  info.params = {param};
  return info;
}

}  // namespace

const std::vector<std::string>& pipeline_texts() {
  static const std::vector<std::string> texts = {flights, people, fresh, choice, below, shop, tune, orders};
  return texts;
}

std::string without_step(const std::string& text, const std::string& step) {
  const std::size_t from = text.find("[step." + step + "]");
  if (from == std::string::npos) return text;
  return text.substr(0, from) + text.substr(std::min(text.find("\n[", from) + 1, text.size()));
}

std::string without_schedule(const std::string& text) {
  const std::size_t from = text.find("[[trigger]]\nschedule");
  if (from == std::string::npos) return text;
  return text.substr(0, from) + text.substr(text.find("\n[", from) + 1);
}

std::string revised(const std::string& text, std::int64_t variant) {
  std::string changed = text;
  const auto replace = [&changed](const std::string& from, const std::string& to) {
    const auto at = changed.find(from);
    if (at != std::string::npos) changed.replace(at, from.size(), to);
  };
  replace("p = 1", "p = " + std::to_string(1 + variant % 3));
  if (variant >= 3) replace("coalesce = \"", "coalesce = \"1");
  if (variant >= 6) replace("max_active = 2", "max_active = 1");
  return changed;
}

OperatorSet operators() {
  OperatorSet set;
  set["one"] = plain("one", {port("in", true, true)});
  set["many"] = plain("many", {port("in", true), port("reference", false, true),
                               port("model", false, true)});
  set["pair"] = plain("pair", {port("in", true), port("more", true, true),
                               port("reference", false, true)});
  set["single"] = plain("single", {port("in", false)});
  set["rows"] = set["single"];
  set["rows"].id = "rows";
  set["rows"].inputs[0].type = "examples/1";
  set["ingest.query"] = plain("ingest.query", {});
  set["ingest.query"].outputs[0].name = "examples";
  set["ingest.query"].outputs[0].type = "examples/1";
  OperatorInfo gate = plain("gate", {port("in", false), port("previous", false, true)});
  gate.outputs[0].pass = "in";
  PortInfo report = port("report", false);
  report.evidence = true;
  gate.outputs.push_back(report);
  set["gate"] = gate;
  OperatorInfo judge = gate;
  judge.id = "judge";
  judge.outputs.push_back(port("remedy", false));
  judge.outputs.back().type = "remedy/1";
  set["judge"] = judge;
  set["learn"] = plain("learn", {port("in", true), port("remedy", false, true)});
  set["learn"].inputs.back().type = "remedy/1";
  set["search"] = plain("search", {port("in", true), port("results", true, true)});
  ParamInfo past;
  past.name = "generated";
  past.kind = "any";
  set["search"].params.push_back(past);
  set["search"].generates = true;
  return set;
}

}  // namespace pipelined::sim
