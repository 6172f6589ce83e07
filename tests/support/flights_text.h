// The flights pipeline as text, for engine tests and the simulator: the shape of etc/examples/flights.
#pragma once

namespace pipelined {

inline constexpr const char* flights_text = R"(
name = "flights"
[params]
depth = 6
[source.flights]
path = "incoming/{YYYY}-{MM}.csv"
settle = "2s"
[source.weather]
path = "reference/weather.csv"
[[trigger]]
arrival = ["flights"]
coalesce = "5s"
[step.ingest]
foreach = "source.flights"
operator = "ingest.files"
in.files = "each"
params.null = ["", "NA"]
[step.join]
foreach = "ingest"
operator = "data.sql"
in.flights = "ingest"
in.weather = { source = "weather" }
params.query = { file = "join.sql" }
[step.statistics]
foreach = "join"
operator = "data.statistics"
in.examples = "join"
params.label = "late"
[step.validate]
foreach = "join"
operator = "data.validate"
in.examples = "join"
in.statistics = "statistics"
in.schema = { file = "schema.toml" }
in.previous = { of = "statistics", span = -1, optional = true }
params.drift.late.l_infinity = 0.1
[step.split]
operator = "data.split"
in.examples = "validate.examples"
params.key = ["year", "month"]
params.shares = { train = 8, eval = 2 }
[step.train]
operator = "train.trees"
in.examples = "split.train"
params.label = "late"
params.max_depth = "${depth}"
params.rounds = 100
resources = { cpus = 2, memory = "4GiB" }
timeout = "30m"
retry = { max = 2, backoff = "10s" }
[step.evaluate]
operator = "model.evaluate"
in.model = "train"
in.examples = "split.eval"
[step.backtest]
operator = "model.evaluate"
in.model = { latest = "train", optional = true }
in.examples = { newest = "validate.examples" }
)";

}  // namespace pipelined
