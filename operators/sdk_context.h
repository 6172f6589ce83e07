// The C++ face of an attempt: parameters, inputs, outputs, reports.
//
// Part of sdk.h.  Knows only the C context that the host lends; the host reads the JSON.  What a
// Context returns is the caller's.  A Context may be used by several threads while `run` runs,
// except for `halt`, which belongs to the thread that called `run`.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "operators/pipelined_plugin.h"

namespace pipelined::sdk {

/// How loud a log line is.
enum class Level { debug = PL_DEBUG, info = PL_INFO, warning = PL_WARNING, error = PL_ERROR };

/// Thrown by the typed getters when a parameter is of another kind; it ends the attempt as INVALID.
class ParameterError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What an operator may know and say while it runs.
class Context {
 public:
  /// Over what the host lends; valid until `run` returns.
  explicit Context(const pl_context_t* context) : context_(context) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // Parameters.  Names lead into tables: "drift.late.l_infinity".  What the step leaves out has the
  // default of the descriptor; `fallback` is for what has none.

  /// All parameters as one JSON object.
  std::string params_json() const { return context_->params_json(context_); }
  /// One parameter as JSON; nothing if it is absent.
  std::optional<std::string> param_json(const std::string& name) const {
    const char* json = context_->param_json(context_, name.c_str());
    return json ? std::optional<std::string>(json) : std::nullopt;
  }
  /// Whether the parameter is there.
  bool has(const std::string& name) const { return context_->param_json(context_, name.c_str()); }

  // The `find` getters give nothing when the parameter is absent and throw ParameterError when it
  // is of another kind.

  /// A string.
  std::optional<std::string> find_text(const std::string& name) const {
    const char* value = nullptr;
    return found(name, "a string", context_->param_text(context_, name.c_str(), &value))
               ? std::optional<std::string>(value) : std::nullopt;
  }
  /// A 64-bit integer; 1.0 is none.
  std::optional<std::int64_t> find_integer(const std::string& name) const {
    std::int64_t value = 0;
    return found(name, "an integer", context_->param_integer(context_, name.c_str(), &value))
               ? std::optional(value) : std::nullopt;
  }
  /// A double; an integer counts as a number too.
  std::optional<double> find_number(const std::string& name) const {
    double value = 0;
    return found(name, "a number", context_->param_number(context_, name.c_str(), &value))
               ? std::optional(value) : std::nullopt;
  }
  /// True or false.
  std::optional<bool> find_flag(const std::string& name) const {
    std::int32_t value = 0;
    return found(name, "true or false", context_->param_flag(context_, name.c_str(), &value))
               ? std::optional(value != 0) : std::nullopt;
  }
  /// The same with a fallback for absent ones; so are the three below.
  std::string text(const std::string& name, std::string fallback = {}) const {
    return find_text(name).value_or(std::move(fallback));
  }
  /// See `find_integer`.
  std::int64_t integer(const std::string& name, std::int64_t fallback = 0) const {
    return find_integer(name).value_or(fallback);
  }
  /// See `find_number`.
  double number(const std::string& name, double fallback = 0) const {
    return find_number(name).value_or(fallback);
  }
  /// See `find_flag`.
  bool flag(const std::string& name, bool fallback = false) const {
    return find_flag(name).value_or(fallback);
  }
  /// The items of a list as text (numbers as JSON); a lone string is a list of one.
  std::vector<std::string> list(const std::string& name,
                                std::vector<std::string> fallback = {}) const {
    if (!has(name)) return fallback;
    const char* lone = nullptr;
    if (context_->param_text(context_, name.c_str(), &lone) == PL_PARAM_FOUND) return {lone};
    const std::int64_t size = context_->param_size(context_, name.c_str());
    std::vector<std::string> items;
    for (std::int64_t i = 0; i < size; ++i) {
      const char* item = context_->param_item(context_, name.c_str(), i);
      if (!item) throw ParameterError("parameter \"" + name + "\" is not a list");
      items.emplace_back(item);
    }
    if (size < 0) throw ParameterError("parameter \"" + name + "\" is not a list");
    return items;
  }
  /// The keys of a table, sorted; none if it is absent or no table.
  std::vector<std::string> keys(const std::string& name) const {
    std::vector<std::string> keys;
    while (const char* key = context_->param_key(context_, name.c_str(),
                                                 static_cast<std::int64_t>(keys.size()))) {
      keys.emplace_back(key);
    }
    return keys;
  }

  // Inputs.

  /// The input ports that have artifacts, sorted.
  std::vector<std::string> input_ports() const {
    std::vector<std::string> ports;
    while (const char* port = context_->input_port(
               context_, static_cast<std::int64_t>(ports.size()))) {
      ports.emplace_back(port);
    }
    return ports;
  }
  /// How many artifacts the port has; 0 when an optional one has none.
  std::int64_t input_count(const std::string& port) const {
    return context_->input_count(context_, port.c_str());
  }
  /// The artifact's folder.  REQUIRES: index < input_count(port), as for the two below.
  std::filesystem::path input_path(const std::string& port, std::int64_t index = 0) const {
    return there(context_->input_path(context_, port.c_str(), index), "input", port);
  }
  /// "examples/1"; a port that takes several types asks for it.
  std::string input_type(const std::string& port, std::int64_t index = 0) const {
    return there(context_->input_type(context_, port.c_str(), index), "input", port);
  }
  /// 64 hexadecimal digits that name the artifact.
  std::string input_digest(const std::string& port, std::int64_t index = 0) const {
    return there(context_->input_digest(context_, port.c_str(), index), "input", port);
  }
  /// All regular files of the artifact, sorted by path.
  std::vector<std::filesystem::path> input_files(const std::string& port,
                                                 std::int64_t index = 0) const {
    std::vector<std::filesystem::path> files;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(input_path(port, index))) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  // Outputs.

  /// The output ports to be written, sorted: for operators whose ports the step names.
  std::vector<std::string> output_ports() const {
    std::vector<std::string> ports;
    while (const char* port = context_->output_port(
               context_, static_cast<std::int64_t>(ports.size()))) {
      ports.emplace_back(port);
    }
    return ports;
  }
  /// Whether the port is to be written in this attempt.
  bool wants_output(const std::string& port) const {
    return context_->output_path(context_, port.c_str());
  }
  /// An empty folder to be filled with files.  REQUIRES: wants_output(port), as for the type.
  std::filesystem::path output_path(const std::string& port) const {
    return there(context_->output_path(context_, port.c_str()), "output", port);
  }
  /// The type that the step declared for the port.
  std::string output_type(const std::string& port) const {
    return there(context_->output_type(context_, port.c_str()), "output", port);
  }

  // The attempt.

  /// A folder for temporary files; gone when the attempt has ended.
  std::filesystem::path scratch_path() const { return context_->scratch_path(context_); }
  /// The only permitted randomness.
  std::int64_t seed() const { return context_->seed(context_); }
  /// Whether somebody wants the attempt to end; return Error{cancelled} soon.
  bool cancelled() const { return context_->cancelled(context_) != 0; }
  /// Milliseconds before the attempt is killed; -1: no limit.
  std::int64_t deadline_ms() const { return context_->deadline_ms(context_); }
  /// How many processors the step was given; may be a fraction.
  double cpus() const { return context_->cpus(context_); }
  /// `cpus` as a number of threads, at least 1.
  int threads() const { return std::max(1, static_cast<int>(cpus())); }
  /// Bytes of memory to stay below; 0: no limit stated.
  std::int64_t memory_bytes() const { return context_->memory_bytes(context_); }

  // Reports.

  /// A line of the attempt's log.
  void log(Level level, const std::string& text) const {
    context_->log(context_, static_cast<std::int32_t>(level), text.c_str());
  }
  /// A number worth comparing between runs; a later one of that name and slice replaces it.
  void metric(const std::string& name, double value, const std::string& slice = {}) const {
    context_->metric(context_, name.c_str(), slice.c_str(), value);
  }
  /// `json` is any JSON text; a string needs its quotes.
  void note(const std::string& key, const std::string& json) const {
    context_->note(context_, key.c_str(), json.c_str());
  }
  /// Asks the system to do something once the step has succeeded (`raise_alert`, `add_span`); the
  /// operator must be declared with an effect, the step must allow it.  `arguments` is a JSON object.
  Result<void> request(const std::string& kind, const std::string& arguments) const {
    const auto* requests =
        static_cast<const pl_requests_t*>(context_->get_extension(context_, PL_REQUESTS_EXTENSION));
    if (requests == nullptr) {
      return Error{ErrorCode::unsupported, "this host takes no requests of operators"};
    }
    if (requests->request(context_, kind.c_str(), arguments.c_str()) == 1) return {};
    return Error{ErrorCode::invalid, "the request '" + kind + "' is not taken: its arguments must be "
                                     "a JSON object and fit into the report"};
  }
  /// The value of a secret that the attempt was handed, without the line break at its end.
  Result<std::string> secret(const std::string& name) const {
    const auto* secrets =
        static_cast<const pl_secrets_t*>(context_->get_extension(context_, PL_SECRETS_EXTENSION));
    const char* path = secrets == nullptr ? nullptr : secrets->path(context_, name.c_str());
    if (path == nullptr) {
      return Error{ErrorCode::not_found, "the attempt was not handed the secret '" + name +
                                             "'; the step names it with secrets = [\"" + name + "\"]"};
    }
    std::ifstream file(path, std::ios::binary);
    std::string value((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file) return Error{ErrorCode::io, "cannot read the secret '" + name + "'"};
    while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) value.pop_back();
    return value;
  }
  /// How far it is; `total` 0: unknown.
  void progress(std::int64_t done, std::int64_t total = 0) const {
    context_->progress(context_, done, total);
  }
  /// The data is wrong, and this sentence says how.  All required outputs must be written all the
  /// same; the attempt ends as HALT when `run` returns without an error.
  void halt(std::string verdict) { verdict_ = std::move(verdict); }
  /// Of a generator: names an element to be run, a JSON object of values (`${each.x}` in the steps
  /// with foreach over this one).  The attempt then ends as MORE when `run` returns without an
  /// error, and the operator is called again with what came of all its elements.
  Result<void> generate(const std::string& values) {
    TRY_VOID(request("element", values));
    more_ = true;
    return {};
  }
  /// Whether `generate` was called.
  bool more() const { return more_; }
  /// What `halt` said; nothing if it was not called.
  const std::optional<std::string>& verdict() const { return verdict_; }

  /// The plain C side, for extensions.
  const pl_context_t* raw() const { return context_; }

 private:
  static bool found(const std::string& name, const char* kind, std::int32_t answer) {
    if (answer == PL_PARAM_OTHER_KIND) {
      throw ParameterError("parameter \"" + name + "\" is not " + kind);
    }
    return answer == PL_PARAM_FOUND;
  }
  static const char* there(const char* text, const char* side, const std::string& port) {
    if (!text) throw std::out_of_range("no " + std::string(side) + " at port \"" + port + "\"");
    return text;
  }

  const pl_context_t* context_;
  std::optional<std::string> verdict_;
  bool more_ = false;
};

}  // namespace pipelined::sdk
