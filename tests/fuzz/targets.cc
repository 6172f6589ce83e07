#include "tests/fuzz/targets.h"

#include <initializer_list>
#include <string>

#include "dag/check.h"
#include "dag/condition.h"
#include "dag/cron.h"
#include "dag/selection.h"
#include "dag/span_pattern.h"
#include "dag/spec_toml.h"
#include "dag/time_zone.h"
#include "daemon/api/protocol.h"
#include "daemon/api/target.h"
#include "daemon/config.h"
#include "daemon/store/manifest_text.h"
#include "daemon/store/value_text.h"
#include "operators/command_template.h"
#include "operators/value_json.h"
#include "operators/wire.h"

namespace pipelined::fuzz {
namespace {

// A refusal has to say something.
template <class T>
void said_why(const Result<T>& result) {
  if (!result) CHECK(!result.error().message.empty());
}

void read_pipeline(std::string_view input) {
  const ParsedPipeline parsed = parse_pipeline(input, "pipeline.toml");
  CHECK(parsed.spec.has_value() || !parsed.problems.empty());
}

void read_config(std::string_view input) {
  said_why(parse_listen(std::string(input)));
  static_cast<void>(parse_config(input, "pipelined.toml"));
}

void read_cron(std::string_view input) {
  const auto schedule = Schedule::parse(input);
  said_why(schedule);
  if (!schedule) return;
  constexpr std::int64_t instant = 1'700'000'000;
  const auto next = schedule->next(instant, TimeZone::utc());
  CHECK(!next || *next > instant);
  const auto latest = schedule->latest(instant, TimeZone::utc());
  CHECK(!latest || *latest <= instant);
}

void read_zone(std::string_view input) {
  const auto zone = TimeZone::parse("Fuzz/Zone", input);
  said_why(zone);
  if (!zone) return;
  for (const std::int64_t instant : std::initializer_list<std::int64_t>{
           -4'000'000'000, 0, 1'700'000'000, 100'000'000'000}) {
    const auto change = zone->next_change(instant);
    CHECK(!change || *change > instant);
    static_cast<void>(zone->resolve(instant));
  }
}

// What was read is read again from what is written of it.
template <class T>
void read_record(std::string_view input) {
  const auto read = protocol::from_json_strictly<T>(input);
  said_why(read);
  if (!read) return;
  const std::string text = protocol::to_json(*read);
  const auto again = protocol::from_json_strictly<T>(text);
  CHECK(again.has_value() && protocol::to_json(*again) == text);
}

void read_api_json(std::string_view input) {
  read_record<protocol::Upload>(input);
  read_record<protocol::RunRequest>(input);
  read_record<protocol::Decision>(input);
  static_cast<void>(protocol::from_json<protocol::RunDetail>(input));
}

void read_http_target(std::string_view input) {
  const auto target = api::parse_target(input);
  said_why(target);
  if (!target) return;
  for (const std::string& part : target->parts) {
    CHECK(!part.empty() && part != "." && part != ".." && part.find('/') == std::string::npos);
  }
}

void read_value(std::string_view input) {
  const auto value = value_from_json(input);
  said_why(value);
  if (value) said_why(value_from_json(json_text(*value)));
  if (const auto kept = parse_canonical(input)) {
    const auto again = parse_canonical(canonical(*kept));
    CHECK(again.has_value() && *again == *kept);
  }
}

void read_wire(std::string_view input) {
  wire::Decoder decoder;
  // In two pieces, as a socket may give it.
  decoder.feed(input.substr(0, input.size() / 2));
  bool fed = false;
  for (;;) {
    const auto message = decoder.next();
    said_why(message);
    if (!message) break;
    if (*message) {
      said_why(wire::from_json(wire::to_json(**message)));
    } else if (!fed) {
      decoder.feed(input.substr(input.size() / 2));
      fed = true;
    } else {
      break;
    }
  }
  said_why(wire::from_json(input));
}

void read_manifest(std::string_view input) {
  const auto manifest = parse_manifest(input);
  said_why(manifest);
  if (manifest) {
    for (const ManifestFile& file : manifest->files) CHECK(is_manifest_path(file.path));
  }
}

void read_span_pattern(std::string_view input) {
  const std::size_t line = std::min(input.find('\n'), input.size());
  const auto pattern = SpanPattern::parse(input.substr(0, line));
  said_why(pattern);
  if (!pattern || line == input.size()) return;
  const std::string_view path = input.substr(line + 1);
  const auto match = pattern->match(path);
  CHECK(!match || !match->span.empty());
  static_cast<void>(pattern->may_hold(path));
}

void read_selection(std::string_view input) {
  static const PipelineSpec spec = [] {
    const char* text =
        "name = \"x\"\n[step.load]\noperator = \"o\"\ntags = [\"nightly\"]\n[step.data_a]\noperator = "
        "\"o\"\nin.x = \"load\"\n[step.data_b]\noperator = \"o\"\nin.x = \"load\"\n[step.train]\n"
        "operator = \"o\"\nin.x = \"data_a\"\n";
    ParsedPipeline parsed = parse_pipeline(text, "pipeline.toml");
    CHECK(parsed.spec.has_value());
    return *parsed.spec;
  }();
  const auto steps = select_steps(spec, input);
  said_why(steps);
  if (steps) CHECK(steps->size() <= spec.steps.size());
}

void read_condition(std::string_view input) {
  const auto condition = Condition::parse(input);
  said_why(condition);
  if (!condition) return;
  said_why(condition->evaluate([](const ConditionName& name) -> ConditionValue {
    if (name.step.size() % 3 == 0) return 0.5;
    if (name.step.size() % 3 == 1) return "pass";
    return {};
  }));
}

void read_command(std::string_view input) {
  const auto pieces = parse_template_word(input);
  said_why(pieces);
  static_cast<void>(check_command({"sh", std::string(input)}, {{"file"}, {}, {}, {"x"}, {}}));
}

}  // namespace

const std::vector<Target>& targets() {
  static const std::vector<Target> all = {
      {"pipeline", read_pipeline},   {"config", read_config},       {"cron", read_cron},
      {"zone", read_zone},           {"api_json", read_api_json},   {"http_target", read_http_target},
      {"value", read_value},         {"wire", read_wire},           {"manifest", read_manifest},
      {"span_pattern", read_span_pattern}, {"selection", read_selection},
      {"condition", read_condition}, {"command", read_command},
      {"delimited", read_delimited}, {"json_row", read_json_row},   {"encoding", read_encoding},
      {"cell", read_cell},           {"statistics_proto", read_statistics_proto},
  };
  return all;
}

}  // namespace pipelined::fuzz
