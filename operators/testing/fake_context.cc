#include "operators/testing/fake_context.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <mutex>
#include <system_error>

#include "operators/descriptor.h"
#include "operators/host/context.h"
#include "operators/value_json.h"

namespace pipelined::testing {

// Several threads of an operator may report at once.
class FakeContext::Collector : public host::Sink {
 public:
  explicit Collector(FakeContext& owner) : owner_(owner) {}

  void progress(std::int64_t done, std::int64_t total) override {
    const std::lock_guard lock(mutex_);
    owner_.progress_ = wire::Progress{owner_.run_.attempt, done, total};
    if (++owner_.progress_calls_ == owner_.cancel_after_) owner_.cancelled_ = true;
  }
  void log(std::int32_t level, std::string_view text) override {
    const std::lock_guard lock(mutex_);
    owner_.log_.push_back({level, std::string(text)});
  }

 private:
  FakeContext& owner_;
  std::mutex mutex_;
};

FakeContext::FakeContext() {
  std::string pattern = (std::filesystem::temp_directory_path() / "operator-XXXXXX").string();
  CHECK(mkdtemp(pattern.data()) != nullptr);
  folder_ = pattern;
  run_.attempt = "test";
  run_.fence = "fence";
  run_.folder = folder_.string();
  run_.scratch = (folder_ / "scratch").string();
}

FakeContext::~FakeContext() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

FakeContext& FakeContext::params(const std::string& json) {
  Result<Value> value = value_from_json(json);
  CHECK(value.has_value() && value->as_table() != nullptr);
  run_.parameters = std::move(*value->as_table());
  return *this;
}

FakeContext& FakeContext::input(const std::string& port, const std::string& type,
                                const std::filesystem::path& path) {
  run_.inputs[port].push_back({sha256(path.string()).hex(), type, path.string()});
  return *this;
}

FakeContext& FakeContext::input_file(const std::string& port, const std::string& type,
                                     const std::string& file, const std::string& content) {
  const std::filesystem::path path = folder_ / "in" / std::to_string(inputs_made_++);
  std::filesystem::create_directories((path / file).parent_path());
  std::ofstream stream(path / file, std::ios::binary);
  stream << content;
  stream.close();
  CHECK(stream.good());
  return input(port, type, path);
}

FakeContext& FakeContext::output(const std::string& port, const std::string& type) {
  run_.outputs[port] = {type, output_path(port).string()};
  return *this;
}

FakeContext& FakeContext::without_output(const std::string& port) {
  unwanted_.push_back(port);
  return *this;
}

FakeContext& FakeContext::secret(const std::string& name, const std::string& value) {
  std::filesystem::create_directories(folder_ / "secrets");
  std::ofstream(folder_ / "secrets" / name, std::ios::binary) << value;
  run_.secrets.push_back(name);
  return *this;
}

FakeContext& FakeContext::seed(std::int64_t seed) {
  run_.seed = seed;
  return *this;
}

FakeContext& FakeContext::cpus(double cpus) {
  run_.limits.cpus = cpus;
  return *this;
}

FakeContext& FakeContext::memory_bytes(std::int64_t bytes) {
  run_.limits.memory_bytes = bytes;
  return *this;
}

FakeContext& FakeContext::cancel(std::int64_t after_progress_calls) {
  cancel_after_ = after_progress_calls;
  cancelled_ = after_progress_calls == 0;
  return *this;
}

wire::Ended FakeContext::run(const pl_operator_t& descriptor) {
  const pl_operator_t* const operators[] = {&descriptor};
  const pl_plugin_t entry{PL_ABI_MAJOR, PL_ABI_MINOR, sizeof(pl_plugin_t), 1,       "test", "1",
                          operators,    nullptr,      nullptr,             nullptr};
  Result<PluginInfo> plugin = read_entry(entry);
  if (!plugin) {
    wire::Ended ended;
    ended.outcome = Outcome::invalid;
    ended.error = plugin.error().message;
    return ended;
  }
  const OperatorInfo& info = plugin->operators.front();
  for (const PortInfo& port : info.outputs) {
    const bool wanted = std::find(unwanted_.begin(), unwanted_.end(), port.name) == unwanted_.end();
    if (port.name != "*" && port.pass.empty() && wanted) output(port.name, port.type);
  }
  Collector collector(*this);
  return note_elements(host::run_operator(descriptor, info, run_, collector, cancelled_));
}

wire::Ended FakeContext::run(sdk::Function function) {
  Collector collector(*this);
  const host::Body body = [function](const pl_context_t* context, pl_error_t* error) {
    return sdk::guarded(function, context, error);
  };
  return note_elements(host::run_body(body, run_.parameters, {}, run_, collector, cancelled_));
}

wire::Ended FakeContext::note_elements(wire::Ended ended) {
  generated_.clear();
  for (const Value& request : ended.requests) {
    const ValueTable* fields = request.as_table();
    if (fields == nullptr || !fields->contains("kind") || !fields->contains("arguments")) continue;
    if (fields->at("kind") != Value("element")) continue;
    generated_.push_back(json_text(fields->at("arguments")));
  }
  return ended;
}

std::filesystem::path FakeContext::output_path(const std::string& port) const {
  return folder_ / "out" / port;
}

std::string FakeContext::output_text(const std::string& port, const std::string& file) const {
  std::ifstream stream(output_path(port) / file, std::ios::binary);
  CHECK(stream.good());
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::optional<double> metric(const wire::Ended& ended, const std::string& name,
                             const std::string& slice) {
  for (const MetricFact& fact : ended.metrics) {
    if (fact.name == name && fact.slice == slice) return fact.value;
  }
  return std::nullopt;
}

}  // namespace pipelined::testing
