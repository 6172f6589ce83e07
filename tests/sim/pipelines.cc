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
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
max_parallel = 1
timeout = "10s"
retry = { max = 1, backoff = "500ms" }
[step.look]
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
  static const std::vector<std::string> texts = {flights, people, fresh};
  return texts;
}

OperatorSet operators() {
  OperatorSet set;
  set["one"] = plain("one", {port("in", true, true)});
  set["many"] = plain("many", {port("in", true), port("reference", false, true),
                               port("model", false, true)});
  set["single"] = plain("single", {port("in", false)});
  OperatorInfo gate = plain("gate", {port("in", false), port("previous", false, true)});
  gate.outputs[0].pass = "in";
  PortInfo report = port("report", false);
  report.evidence = true;
  gate.outputs.push_back(report);
  set["gate"] = gate;
  return set;
}

}  // namespace pipelined::sim
