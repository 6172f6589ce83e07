#include "operators/host/context.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <mutex>
#include <system_error>
#include <utility>

#include "operators/descriptor.h"
#include "operators/param_lookup.h"
#include "operators/value_json.h"

namespace pipelined::host {
namespace {

using SteadyClock = std::chrono::steady_clock;

// What the callbacks reach through `host_data`.
class Lent {
 public:
  Lent(ValueTable params, const wire::Run& run, Sink& sink, const std::atomic<bool>& cancelled)
      : params_(std::move(params)),
        params_json_(json_text(params_)),
        run_(run),
        sink_(sink),
        cancelled_(cancelled),
        started_(SteadyClock::now()) {}

  const char* params_json() const { return params_json_.c_str(); }
  const Value* find(const char* name) const { return find_param(params_, name ? name : ""); }

  // Keeps a text until the attempt ends, for answers that are made when they are asked for.
  const char* keep(std::string text) {
    const std::lock_guard lock(mutex_);
    return kept_.emplace_back(std::move(text)).c_str();
  }

  const wire::Run& run() const { return run_; }
  const wire::Input* input(const char* port, std::int64_t index) const {
    const auto found = run_.inputs.find(port ? port : "");
    if (found == run_.inputs.end() || index < 0) return nullptr;
    const auto position = static_cast<std::size_t>(index);
    return position < found->second.size() ? &found->second[position] : nullptr;
  }
  const wire::Output* output(const char* port) const {
    const auto found = run_.outputs.find(port ? port : "");
    return found == run_.outputs.end() ? nullptr : &found->second;
  }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  std::int64_t deadline_ms() const {
    if (run_.limits.deadline_ms <= 0) return -1;
    const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(
        SteadyClock::now() - started_);
    return std::max<std::int64_t>(0, run_.limits.deadline_ms - spent.count());
  }

  void log(std::int32_t level, const char* text) {
    sink_.log(std::clamp<std::int32_t>(level, PL_DEBUG, PL_ERROR), valid_utf8(text ? text : ""));
  }
  void progress(std::int64_t done, std::int64_t total) { sink_.progress(done, total); }

  void metric(const char* name, const char* slice, double value) {
    if (!name || !*name) return;
    MetricFact fact{valid_utf8(name), valid_utf8(slice ? slice : ""), value};
    // 64 covers the number and the JSON around it.
    if (!spend(fact.name.size() + fact.slice.size() + 64)) return;
    const std::lock_guard lock(mutex_);
    const auto same = [&](const MetricFact& known) {
      return known.name == fact.name && known.slice == fact.slice;
    };
    const auto known = std::find_if(metrics_.begin(), metrics_.end(), same);
    if (known == metrics_.end()) {
      metrics_.push_back(std::move(fact));
    } else {
      known->value = value;
    }
  }

  void note(const char* key, const char* json) {
    if (!key || !*key || !json) return;
    const std::string_view text(json);
    if (!spend(std::string_view(key).size() + text.size() + 8)) return;
    Result<Value> value = value_from_json(text);
    const std::lock_guard lock(mutex_);
    // A note that is no JSON is kept as plain text: its author meant to say something.
    notes_[valid_utf8(key)] = value ? *std::move(value) : Value(valid_utf8(text));
  }

  bool request(const char* kind, const char* json) {
    if (!kind || !*kind || !json) return false;
    const std::string_view text(json);
    Result<Value> arguments = value_from_json(text);
    if (!arguments || arguments->as_table() == nullptr) return false;
    if (!spend(std::string_view(kind).size() + text.size() + 32)) return false;
    const std::lock_guard lock(mutex_);
    requests_.push_back(
        ValueTable{{"kind", valid_utf8(kind)}, {"arguments", *std::move(arguments)}});
    return true;
  }

  void take(wire::Ended& ended) {
    const std::lock_guard lock(mutex_);
    const bool asks = ended.outcome == Outcome::ok || ended.outcome == Outcome::more;
    if (asks) ended.requests = std::move(requests_);
    ended.metrics = std::move(metrics_);
    ended.notes = std::move(notes_);
  }

 private:
  bool spend(std::size_t bytes) {
    bool tell = false;
    {
      const std::lock_guard lock(mutex_);
      if (spent_ + bytes <= report_bytes_max) {
        spent_ += bytes;
        return true;
      }
      tell = !std::exchange(told_, true);
    }
    if (tell) {
      sink_.log(PL_WARNING, "metrics, notes and requests of this attempt take more than " +
                                std::to_string(report_bytes_max) + " bytes; the rest is dropped");
    }
    return false;
  }

  const Value params_;
  const std::string params_json_;
  const wire::Run& run_;
  Sink& sink_;
  const std::atomic<bool>& cancelled_;
  const SteadyClock::time_point started_;

  std::mutex mutex_;  // guards what follows
  std::deque<std::string> kept_;
  std::vector<MetricFact> metrics_;
  ValueTable notes_;
  ValueList requests_;
  std::size_t spent_ = 0;
  bool told_ = false;
};

Lent& lent(const pl_context_t* context) { return *static_cast<Lent*>(context->host_data); }

// ---- the callbacks ----

const char* params_json(const pl_context_t* context) noexcept {
  return lent(context).params_json();
}

const char* param_json(const pl_context_t* context, const char* name) noexcept {
  const Value* value = lent(context).find(name);
  return value ? lent(context).keep(json_text(*value)) : nullptr;
}

// The shape of all typed getters: `assign` says whether the value was of the kind.
template <class Assign>
std::int32_t typed(const pl_context_t* context, const char* name, Assign assign) {
  const Value* value = lent(context).find(name);
  if (!value || value->is_null()) return PL_PARAM_ABSENT;
  return assign(*value) ? PL_PARAM_FOUND : PL_PARAM_OTHER_KIND;
}

std::int32_t param_text(const pl_context_t* context, const char* name, const char** out) noexcept {
  return typed(context, name, [&](const Value& value) {
    const std::string* text = value.as_text();
    if (text) *out = text->c_str();
    return text != nullptr;
  });
}

std::int32_t param_integer(const pl_context_t* context, const char* name,
                           std::int64_t* out) noexcept {
  return typed(context, name, [&](const Value& value) {
    const std::int64_t* number = value.as_int();
    if (number) *out = *number;
    return number != nullptr;
  });
}

std::int32_t param_number(const pl_context_t* context, const char* name, double* out) noexcept {
  return typed(context, name, [&](const Value& value) {
    if (const double* number = value.as_double()) *out = *number;
    if (const std::int64_t* number = value.as_int()) *out = static_cast<double>(*number);
    return value.as_double() || value.as_int();
  });
}

std::int32_t param_flag(const pl_context_t* context, const char* name,
                        std::int32_t* out) noexcept {
  return typed(context, name, [&](const Value& value) {
    const bool* flag = value.as_bool();
    if (flag) *out = *flag ? 1 : 0;
    return flag != nullptr;
  });
}

std::int64_t param_size(const pl_context_t* context, const char* name) noexcept {
  const Value* value = lent(context).find(name);
  if (value && value->as_list()) return static_cast<std::int64_t>(value->as_list()->size());
  if (value && value->as_table()) return static_cast<std::int64_t>(value->as_table()->size());
  return -1;
}

const char* param_item(const pl_context_t* context, const char* name, std::int64_t index) noexcept {
  const Value* value = lent(context).find(name);
  const ValueList* list = value ? value->as_list() : nullptr;
  if (!list || index < 0 || index >= static_cast<std::int64_t>(list->size())) return nullptr;
  const Value& item = (*list)[static_cast<std::size_t>(index)];
  return item.as_text() ? item.as_text()->c_str() : lent(context).keep(json_text(item));
}

// The name at a position of anything that is sorted by name.
template <class Map>
const char* name_at(const Map& map, std::int64_t index) {
  if (index < 0 || index >= static_cast<std::int64_t>(map.size())) return nullptr;
  return std::next(map.begin(), static_cast<std::ptrdiff_t>(index))->first.c_str();
}

const char* param_key(const pl_context_t* context, const char* name, std::int64_t index) noexcept {
  const Value* value = lent(context).find(name);
  return value && value->as_table() ? name_at(*value->as_table(), index) : nullptr;
}

const char* input_port(const pl_context_t* context, std::int64_t index) noexcept {
  return name_at(lent(context).run().inputs, index);
}
std::int64_t input_count(const pl_context_t* context, const char* port) noexcept {
  const auto& inputs = lent(context).run().inputs;
  const auto found = inputs.find(port ? port : "");
  return found == inputs.end() ? 0 : static_cast<std::int64_t>(found->second.size());
}
const char* input_path(const pl_context_t* context, const char* port, std::int64_t index) noexcept {
  const wire::Input* input = lent(context).input(port, index);
  return input ? input->path.c_str() : nullptr;
}
const char* input_type(const pl_context_t* context, const char* port, std::int64_t index) noexcept {
  const wire::Input* input = lent(context).input(port, index);
  return input ? input->type.c_str() : nullptr;
}
const char* input_digest(const pl_context_t* context, const char* port,
                         std::int64_t index) noexcept {
  const wire::Input* input = lent(context).input(port, index);
  return input ? input->digest.c_str() : nullptr;
}

const char* output_port(const pl_context_t* context, std::int64_t index) noexcept {
  return name_at(lent(context).run().outputs, index);
}
const char* output_path(const pl_context_t* context, const char* port) noexcept {
  const wire::Output* output = lent(context).output(port);
  return output ? output->path.c_str() : nullptr;
}
const char* output_type(const pl_context_t* context, const char* port) noexcept {
  const wire::Output* output = lent(context).output(port);
  return output ? output->type.c_str() : nullptr;
}

const char* scratch_path(const pl_context_t* context) noexcept {
  // Made when it is first asked for: most operators need none, and a folder is dear to make.
  std::error_code ignored;
  std::filesystem::create_directories(lent(context).run().scratch, ignored);
  return lent(context).run().scratch.c_str();
}
std::int64_t seed(const pl_context_t* context) noexcept { return lent(context).run().seed; }
std::int32_t cancelled(const pl_context_t* context) noexcept {
  return lent(context).cancelled() ? 1 : 0;
}
std::int64_t deadline_ms(const pl_context_t* context) noexcept {
  return lent(context).deadline_ms();
}
double cpus(const pl_context_t* context) noexcept { return lent(context).run().limits.cpus; }
std::int64_t memory_bytes(const pl_context_t* context) noexcept {
  return lent(context).run().limits.memory_bytes;
}
void log(const pl_context_t* context, std::int32_t level, const char* text) noexcept {
  lent(context).log(level, text);
}
void metric(const pl_context_t* context, const char* name, const char* slice,
            double value) noexcept {
  lent(context).metric(name, slice, value);
}
void note(const pl_context_t* context, const char* key, const char* json) noexcept {
  lent(context).note(key, json);
}
void progress(const pl_context_t* context, std::int64_t done, std::int64_t total) noexcept {
  lent(context).progress(done, total);
}
std::int32_t request(const pl_context_t* context, const char* kind, const char* arguments) noexcept {
  return lent(context).request(kind, arguments) ? 1 : 0;
}
const char* secret_path(const pl_context_t* context, const char* name) noexcept {
  const wire::Run& run = lent(context).run();
  if (name == nullptr) return nullptr;
  const bool given = std::find(run.secrets.begin(), run.secrets.end(), name) != run.secrets.end();
  return given ? lent(context).keep(run.folder + "/secrets/" + name) : nullptr;
}
const void* get_extension(const pl_context_t*, const char* id) noexcept {
  static constexpr pl_requests_t requests = {sizeof(pl_requests_t), request};
  static constexpr pl_secrets_t secrets = {sizeof(pl_secrets_t), secret_path};
  const std::string_view wanted = id != nullptr ? id : "";
  if (wanted == PL_REQUESTS_EXTENSION) return &requests;
  return wanted == PL_SECRETS_EXTENSION ? &secrets : nullptr;
}

pl_context_t context_over(Lent& data) {
  return {sizeof(pl_context_t), 0,          &data,       params_json,  param_json,  param_text,
          param_integer,        param_number, param_flag,  param_size,   param_item,  param_key,
          input_port,           input_count,  input_path,  input_type,   input_digest, output_port,
          output_path,          output_type,  scratch_path, seed,        cancelled,   deadline_ms,
          cpus,                 memory_bytes, log,         metric,       note,        progress,
          get_extension};
}

// ---- before and after ----

Result<void> make_folders(const wire::Run& run) {
  for (const auto& [port, output] : run.outputs) {
    std::error_code error;
    std::filesystem::create_directories(output.path, error);
    if (error) {
      return Error{ErrorCode::io, "cannot make folder " + output.path + ": " + error.message()};
    }
  }
  return {};
}

// Whether anything but folders lies in an output folder.
bool delivered(const std::string& folder) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::recursive_directory_iterator();
       entries.increment(error)) {
    if (entries->is_symlink(error) || !entries->is_directory(error)) return true;
  }
  return false;
}

std::string message_of(const pl_error_t& error) {
  // The plugin promised to end its texts; the host does not rely on it.
  const auto text = [](const char* chars, std::size_t size) {
    return valid_utf8(std::string_view(chars, static_cast<std::size_t>(
                                                  std::find(chars, chars + size, '\0') - chars)));
  };
  const std::string subject = text(error.subject, sizeof error.subject);
  const std::string message = text(error.message, sizeof error.message);
  return subject.empty() || message.empty() ? subject + message : subject + ": " + message;
}

void conclude(std::int32_t returned, const pl_error_t& error, wire::Ended& ended) {
  ended.error = returned == PL_OK ? "" : message_of(error);
  switch (returned) {
    case PL_OK: ended.outcome = Outcome::ok; return;
    case PL_MORE: ended.outcome = Outcome::more, ended.error.clear(); return;
    case PL_HALT: ended.outcome = Outcome::halt; break;
    case PL_INVALID: ended.outcome = Outcome::invalid; break;
    case PL_FAILED: ended.outcome = Outcome::failed; break;
    case PL_RETRY: ended.outcome = Outcome::retry; break;
    case PL_CANCELLED: ended.outcome = Outcome::cancelled; break;
    case PL_UNSUPPORTED: ended.outcome = Outcome::unsupported; break;
    default:
      ended.outcome = Outcome::failed;
      ended.error = "the operator returned " + std::to_string(returned) +
                    ", which is no outcome";
  }
  ended.retryable = ended.outcome == Outcome::retry;
  if (ended.error.empty()) ended.error = "the operator gave no reason";
}

}  // namespace

const char* level_name(std::int32_t level) {
  constexpr const char* names[] = {"debug", "info", "warning", "error"};
  return names[std::clamp<std::int32_t>(level, PL_DEBUG, PL_ERROR)];
}

wire::Ended run_body(const Body& body, const ValueTable& params,
                     const std::vector<std::string>& passes, const wire::Run& run, Sink& sink,
                     const std::atomic<bool>& cancelled_flag) {
  wire::Ended ended;
  ended.attempt = run.attempt;
  ended.fence = run.fence;
  if (Result<void> made = make_folders(run); !made) {
    ended.error = made.error().message;
    return ended;
  }
  Lent data(params, run, sink, cancelled_flag);
  const pl_context_t context = context_over(data);
  pl_error_t error{};
  error.struct_size = sizeof error;
  conclude(body(&context, &error), error, ended);
  data.take(ended);
  if (ended.outcome != Outcome::ok && ended.outcome != Outcome::halt) return ended;
  for (const auto& [port, output] : run.outputs) {
    if (delivered(output.path)) ended.outputs.push_back(port);
  }
  ended.outputs.insert(ended.outputs.end(), passes.begin(), passes.end());
  return ended;
}

wire::Ended run_operator(const pl_operator_t& raw, const OperatorInfo& info, const wire::Run& run,
                         Sink& sink, const std::atomic<bool>& cancelled_flag) {
  Result<ValueTable> params = complete_params(info, run.parameters);
  if (!params) {
    wire::Ended ended;
    ended.attempt = run.attempt;
    ended.fence = run.fence;
    ended.outcome = Outcome::invalid;
    ended.error = params.error().message;
    return ended;
  }
  std::vector<std::string> passes;
  for (const PortInfo& output : info.outputs) {
    if (!output.pass.empty() && run.inputs.contains(output.pass)) passes.push_back(output.name);
  }
  return run_body(raw.run, *params, passes, run, sink, cancelled_flag);
}

}  // namespace pipelined::host
