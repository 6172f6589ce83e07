#include "operators/wire.h"

#include <cmath>
#include <limits>
#include <utility>

#include "operators/fields.h"
#include "operators/value_json.h"

namespace pipelined::wire {
namespace {

// Metrics may be nan or infinite, JSON may not: words stand for them.
Value number_value(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
  return number;
}

std::optional<double> number_of(const Value& value) {
  if (const double* number = value.as_double()) return *number;
  if (const std::int64_t* whole = value.as_int()) return static_cast<double>(*whole);
  const std::string* word = value.as_text();
  if (!word) return std::nullopt;
  if (*word == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (*word == "inf") return std::numeric_limits<double>::infinity();
  if (*word == "-inf") return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

std::string upper_case(std::string word) {
  for (char& letter : word) {
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  return word;
}

ValueList text_list(const std::vector<std::string>& texts) {
  return ValueList(texts.begin(), texts.end());
}

struct Kind {
  const char* name;
  ValueTable fields;
};

ValueTable inputs_table(const Run& run) {
  ValueTable inputs;
  for (const auto& [port, artifacts] : run.inputs) {
    ValueList list;
    for (const Input& input : artifacts) {
      list.push_back(ValueTable{
          {"digest", input.digest}, {"type", input.type}, {"path", input.path}});
    }
    inputs[port] = std::move(list);
  }
  return inputs;
}

Kind write(const Run& run) {
  ValueTable inputs = inputs_table(run), outputs;
  for (const auto& [port, output] : run.outputs) {
    outputs[port] = ValueTable{{"type", output.type}, {"path", output.path}};
  }
  ValueTable limits{{"cpus", run.limits.cpus},
                    {"memory_bytes", run.limits.memory_bytes},
                    {"deadline_ms", run.limits.deadline_ms}};
  if (run.limits.scratch_bytes != 0) limits["scratch_bytes"] = run.limits.scratch_bytes;
  if (!run.limits.processors.empty()) {
    limits["processors"] =
        ValueList(run.limits.processors.begin(), run.limits.processors.end());
  }
  if (!run.limits.gpus.empty()) {
    limits["gpus"] = ValueList(run.limits.gpus.begin(), run.limits.gpus.end());
  }
  ValueTable fields{
      {"attempt", run.attempt}, {"fence", run.fence}, {"operator", run.operator_id},
      {"parameters", run.parameters}, {"inputs", std::move(inputs)},
      {"outputs", std::move(outputs)}, {"folder", run.folder}, {"scratch", run.scratch},
      {"log", run.log}, {"seed", run.seed}, {"limits", std::move(limits)},
      {"network", run.network}, {"secrets", text_list(run.secrets)},
      {"readable", text_list(run.readable)}};
  if (!run.inputs_file.empty()) fields["inputs_file"] = run.inputs_file;
  return {"run", std::move(fields)};
}

Kind write(const Cancel& cancel) {
  return {"cancel", {{"attempt", cancel.attempt}, {"grace_ms", cancel.grace_ms}}};
}
Kind write(const Ready& ready) {
  return {"ready", {{"plugin", ready.plugin}, {"version", ready.version}}};
}
Kind write(const Refused& refused) { return {"refused", {{"message", refused.message}}}; }
Kind write(const Started& started) { return {"started", {{"attempt", started.attempt}}}; }
Kind write(const Progress& progress) {
  return {"progress",
          {{"attempt", progress.attempt}, {"done", progress.done}, {"total", progress.total}}};
}

Kind write(const Ended& ended) {
  ValueList metrics;
  for (const MetricFact& metric : ended.metrics) {
    metrics.push_back(ValueTable{{"name", metric.name},
                                 {"slice", metric.slice},
                                 {"value", number_value(metric.value)}});
  }
  ValueTable usage{{"cpu_ms", ended.cpu_ms}, {"memory_peak_bytes", ended.memory_peak_bytes}};
  if (ended.scratch_bytes != 0) usage["scratch_bytes"] = ended.scratch_bytes;
  ValueTable fields{
      {"attempt", ended.attempt},
      {"fence", ended.fence},
      {"outcome", upper_case(name_of(ended.outcome))},
      {"error", ended.error.empty() ? Value() : Value(ended.error)},
      {"notes", ended.notes},
      {"metrics", std::move(metrics)},
      {"outputs", text_list(ended.outputs)},
      {"requests", ended.requests},
      {"usage", std::move(usage)}};
  if (ended.exit_code != 0) fields["exit_code"] = ended.exit_code;
  if (ended.signal != 0) fields["signal"] = ended.signal;
  if (ended.lost) fields["lost"] = true;
  if (!ended.failure_class.empty()) fields["failure_class"] = ended.failure_class;
  if (ended.retryable) fields["retryable"] = true;
  return {"ended", std::move(fields)};
}

// Reads a message's fields and returns it, or the first thing that was wrong.
template <class T>
Result<Message> finish(const Fields& fields, T message) {
  if (fields.error()) return *fields.error();
  return Message(std::move(message));
}

Result<void> take_inputs(Run& run, const ValueTable& inputs) {
  for (const auto& [port, value] : inputs) {
    if (!value.as_list()) {
      return Error{ErrorCode::invalid, "frame run: \"inputs." + port + "\" is not a list"};
    }
    for (const Value& item : *value.as_list()) {
      if (!item.as_table()) return Error{ErrorCode::invalid, "frame run: an input is no table"};
      Fields input(*item.as_table(), "frame run, input " + port);
      run.inputs[port].push_back(
          {input.text("digest", true), input.text("type", true), input.text("path", true)});
      if (input.error()) return *input.error();
    }
  }
  return {};
}

Result<Message> read_run(const ValueTable& table) {
  Fields fields(table, "frame run");
  Run run;
  run.attempt = fields.text("attempt", true);
  run.fence = fields.text("fence", true);
  run.operator_id = fields.text("operator", true);
  run.parameters = fields.table("parameters");
  run.folder = fields.text("folder");
  run.scratch = fields.text("scratch", true);
  run.log = fields.text("log");
  run.seed = fields.integer("seed");
  run.network = fields.flag("network");
  for (const Value& folder : fields.list("readable")) {
    if (folder.as_text() == nullptr) fields.refuse("readable", "holds something that is no path");
    if (folder.as_text() != nullptr) run.readable.push_back(*folder.as_text());
  }
  for (const Value& name : fields.list("secrets")) {
    if (name.as_text() == nullptr) fields.refuse("secrets", "holds something that is no name");
    if (name.as_text() != nullptr) run.secrets.push_back(*name.as_text());
  }
  run.inputs_file = fields.text("inputs_file");
  if (auto read = take_inputs(run, fields.table("inputs")); !read) return read.error();
  for (const auto& [port, value] : fields.table("outputs")) {
    if (!value.as_table()) return Error{ErrorCode::invalid, "frame run: an output is no table"};
    Fields output(*value.as_table(), "frame run, output " + port);
    run.outputs[port] = {output.text("type", true), output.text("path", true)};
    if (output.error()) return *output.error();
  }
  Fields limits(fields.table("limits"), "frame run, limits");
  if (limits.find("cpus")) run.limits.cpus = limits.number("cpus");
  run.limits.memory_bytes = limits.integer("memory_bytes");
  run.limits.deadline_ms = limits.integer("deadline_ms");
  run.limits.scratch_bytes = limits.integer("scratch_bytes");
  for (auto [name, numbers] : {std::pair{"processors", &run.limits.processors}, {"gpus", &run.limits.gpus}}) {
    for (const Value& number : limits.list(name)) {
      if (!number.as_int()) return Error{ErrorCode::invalid, std::string("frame run: one of ") + name + " is no number"};
      numbers->push_back(static_cast<int>(*number.as_int()));
    }
  }
  if (limits.error()) return *limits.error();
  return finish(fields, std::move(run));
}

Result<Message> read_cancel(const ValueTable& table) {
  Fields fields(table, "frame cancel");
  Cancel cancel{fields.text("attempt", true), fields.integer("grace_ms")};
  return finish(fields, std::move(cancel));
}

Result<Message> read_ready(const ValueTable& table) {
  Fields fields(table, "frame ready");
  Ready ready{fields.text("plugin"), fields.text("version")};
  return finish(fields, std::move(ready));
}

Result<Message> read_refused(const ValueTable& table) {
  Fields fields(table, "frame refused");
  Refused refused{fields.text("message", true)};
  return finish(fields, std::move(refused));
}

Result<Message> read_started(const ValueTable& table) {
  Fields fields(table, "frame started");
  Started started{fields.text("attempt", true)};
  return finish(fields, std::move(started));
}

Result<Message> read_progress(const ValueTable& table) {
  Fields fields(table, "frame progress");
  Progress progress{fields.text("attempt", true), fields.integer("done"), fields.integer("total")};
  return finish(fields, std::move(progress));
}

Result<std::vector<MetricFact>> read_metrics(const ValueList& list) {
  std::vector<MetricFact> metrics;
  for (const Value& item : list) {
    const ValueTable* table = item.as_table();
    if (!table) return Error{ErrorCode::invalid, "frame ended: a metric is no table"};
    Fields fields(*table, "frame ended, metric");
    MetricFact metric{fields.text("name", true), fields.text("slice"), 0};
    const Value* value = fields.find("value", true);
    if (value) {
      const std::optional<double> number = number_of(*value);
      if (!number) fields.refuse("value", "is no number");
      metric.value = number.value_or(0);
    }
    if (fields.error()) return *fields.error();
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

Result<Message> read_ended(const ValueTable& table) {
  Fields fields(table, "frame ended");
  Ended ended;
  ended.attempt = fields.text("attempt", true);
  ended.fence = fields.text("fence", true);
  const std::string word = fields.text("outcome", true);
  const std::optional<Outcome> outcome = parse_outcome(word);
  if (!outcome) fields.refuse("outcome", "is no outcome but \"" + word + "\"");
  ended.outcome = outcome.value_or(Outcome::failed);
  ended.error = fields.text("error");
  ended.notes = fields.table("notes");
  TRY(metrics, read_metrics(fields.list("metrics")));
  ended.metrics = std::move(metrics);
  for (const Value& port : fields.list("outputs")) {
    if (!port.as_text()) return Error{ErrorCode::invalid, "frame ended: an output is no string"};
    ended.outputs.push_back(*port.as_text());
  }
  ended.requests = fields.list("requests");
  Fields usage(fields.table("usage"), "frame ended, usage");
  ended.cpu_ms = usage.integer("cpu_ms");
  ended.memory_peak_bytes = usage.integer("memory_peak_bytes");
  ended.scratch_bytes = usage.integer("scratch_bytes");
  if (usage.error()) return *usage.error();
  ended.exit_code = static_cast<int>(fields.integer("exit_code"));
  ended.signal = static_cast<int>(fields.integer("signal"));
  ended.lost = fields.flag("lost");
  ended.failure_class = fields.text("failure_class");
  ended.retryable = fields.flag("retryable");
  return finish(fields, std::move(ended));
}

constexpr std::pair<const char*, Result<Message> (*)(const ValueTable&)> readers[] = {
    {"run", read_run},         {"cancel", read_cancel},     {"ready", read_ready},
    {"refused", read_refused}, {"started", read_started},   {"progress", read_progress},
    {"ended", read_ended},
};

}  // namespace

std::string to_json(const Message& message) {
  Kind kind = std::visit([](const auto& known) { return write(known); }, message);
  return json_text(ValueTable{{kind.name, std::move(kind.fields)}});
}

Result<Message> from_json(std::string_view json) {
  TRY(value, value_from_json(json));
  const ValueTable* frame = value.as_table();
  if (!frame || frame->size() != 1 || !frame->begin()->second.as_table()) {
    return Error{ErrorCode::invalid, "cannot read a frame: it is not one table with one key"};
  }
  for (const auto& [name, read] : readers) {
    if (frame->begin()->first == name) return read(*frame->begin()->second.as_table());
  }
  return Error{ErrorCode::invalid,
               "cannot read a frame: its kind \"" + frame->begin()->first + "\" is unknown"};
}

Result<std::string> inputs_text(const Run& run) {
  std::string text = json_text(inputs_table(run));
  if (text.size() <= inputs_bytes_max) return text;
  return Error{ErrorCode::exhausted, "cannot name the inputs of attempt " + run.attempt + ": that takes " +
                                         std::to_string(text.size()) + " bytes, more than " +
                                         std::to_string(inputs_bytes_max)};
}

Result<void> read_inputs(Run& run, std::string_view text) {
  TRY(value, value_from_json(text));
  if (!value.as_table()) {
    return Error{ErrorCode::invalid, "cannot read the inputs of an attempt: they are no table"};
  }
  run.inputs.clear();
  return take_inputs(run, *value.as_table());
}

Result<std::string> encode(const Message& message) {
  const std::string json = to_json(message);
  if (json.size() > frame_bytes_max) {
    return Error{ErrorCode::exhausted, "cannot send a frame: it has " +
                                           std::to_string(json.size()) + " bytes, more than " +
                                           std::to_string(frame_bytes_max)};
  }
  std::string frame;
  frame.reserve(json.size() + 4);
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame += static_cast<char>(json.size() >> shift & 0xFF);
  }
  return frame + json;
}

Result<std::optional<Message>> Decoder::next() {
  if (error_) return *error_;
  if (buffer_.size() - taken_ < 4) return std::optional<Message>();
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    size = size << 8 | static_cast<unsigned char>(buffer_[taken_ + i]);
  }
  if (size > frame_bytes_max) {
    error_ = Error{ErrorCode::invalid, "cannot read a frame: it says that it has " +
                                           std::to_string(size) + " bytes"};
    return *error_;
  }
  if (buffer_.size() - taken_ < 4 + size) return std::optional<Message>();
  Result<Message> message = from_json(std::string_view(buffer_).substr(taken_ + 4, size));
  taken_ += 4 + size;
  // Moving the rest to the front only now and then keeps many small frames linear.
  if (taken_ == buffer_.size() || taken_ > frame_bytes_max) {
    buffer_.erase(0, std::exchange(taken_, 0));
  }
  if (!message) {
    error_ = message.error();
    return *error_;
  }
  return std::optional<Message>(*std::move(message));
}

}  // namespace pipelined::wire
