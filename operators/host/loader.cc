#include "operators/host/loader.h"

#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>
#include <thread>
#include <utility>

#include "operators/value_json.h"

namespace pipelined::host {
namespace {

// The names of this process's threads by their ids.
std::map<std::string, std::string> threads_now() {
  std::map<std::string, std::string> threads;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    threads[task.path().filename()] = name;
  }
  return threads;
}

// Arrow's allocator starts this thread while it loads, and starts it anew in a forked child.
bool survives_fork(const std::string& thread) { return thread == "jemalloc_bg_thd"; }

// The threads that were not there before, by name.
std::vector<std::string> started_since(const std::map<std::string, std::string>& before) {
  std::vector<std::string> names;
  for (const auto& [id, name] : threads_now()) {
    if (!before.contains(id)) names.push_back(name);
  }
  return names;
}

// A new thread carries its parent's name until it has named itself, so it is given a little time.
void note_threads(const std::map<std::string, std::string>& before, PluginInfo& info) {
  static constexpr int looks_max = 100;
  std::vector<std::string> names = started_since(before);
  for (int look = 1; look < looks_max && !std::all_of(names.begin(), names.end(), survives_fork);
       ++look) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    names = started_since(before);
  }
  for (const std::string& name : names) {
    info.threads.push_back(valid_utf8(name));
    if (!survives_fork(name)) info.fork_safe = false;
  }
}

Error refusal(const std::string& path, ErrorCode code, const std::string& why) {
  return {code, "cannot load plugin " + path + ": " + why};
}

std::string last_linker_error() {
  const char* text = dlerror();
  return text ? text : "the dynamic linker gives no reason";
}

Result<void> initialise(const pl_plugin_t& entry) {
  if (!entry.init) return {};
  pl_error_t error{};
  error.struct_size = sizeof error;
  const std::int32_t outcome = entry.init(&error);
  if (outcome == PL_OK) return {};
  error.message[sizeof error.message - 1] = 0;
  const std::string message = valid_utf8(error.message);
  return Error{ErrorCode::invalid,
               "its init refused: " + (message.empty() ? "no reason given" : message)};
}

}  // namespace

Result<void> check_version(const pl_plugin_t& entry) {
  const auto version = [](std::uint32_t major, std::uint32_t minor) {
    return std::to_string(major) + "." + std::to_string(minor);
  };
  // Only the three fields whose place never changes are read before this is settled.
  const bool minor_fits = PL_ABI_MAJOR == 0 ? entry.abi_minor == PL_ABI_MINOR
                                            : entry.abi_minor <= PL_ABI_MINOR;
  if (entry.abi_major != PL_ABI_MAJOR || !minor_fits) {
    return Error{ErrorCode::unsupported,
                 "it needs plugin interface " + version(entry.abi_major, entry.abi_minor) +
                     " and this is " + version(PL_ABI_MAJOR, PL_ABI_MINOR) +
                     "; build it again with the pipelined_plugin.h of this version"};
  }
  if (entry.struct_size < sizeof(pl_plugin_t)) {
    return Error{ErrorCode::unsupported, "its entry has " + std::to_string(entry.struct_size) +
                                             " bytes where interface " +
                                             version(PL_ABI_MAJOR, PL_ABI_MINOR) + " has " +
                                             std::to_string(sizeof(pl_plugin_t))};
  }
  return {};
}

Result<LoadedPlugin> LoadedPlugin::load(const std::string& path) {
  std::error_code error;
  // A path with a slash: dlopen searches for a bare name.
  const std::string absolute = std::filesystem::absolute(path, error).string();
  if (error || !std::filesystem::is_regular_file(absolute, error)) {
    return refusal(path, ErrorCode::not_found, "there is no such file");
  }
  const auto threads = threads_now();
  void* library = dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) return refusal(path, ErrorCode::invalid, last_linker_error());
  const auto* entry = static_cast<const pl_plugin_t*>(dlsym(library, "pl_plugin_entry"));
  if (!entry) {
    return refusal(path, ErrorCode::invalid,
                   "it does not export pl_plugin_entry and is no plugin");
  }
  if (Result<void> fits = check_version(*entry); !fits) {
    return refusal(path, fits.error().code, fits.error().message);
  }
  Result<PluginInfo> info = read_entry(*entry);
  if (!info) return refusal(path, info.error().code, info.error().message);
  if (Result<void> ready = initialise(*entry); !ready) {
    return refusal(path, ready.error().code, ready.error().message);
  }
  note_threads(threads, *info);
  return LoadedPlugin(entry, *std::move(info));
}

LoadedPlugin::LoadedPlugin(LoadedPlugin&& other) noexcept
    : entry_(std::exchange(other.entry_, nullptr)), info_(std::move(other.info_)) {}

LoadedPlugin::~LoadedPlugin() {
  if (entry_ && entry_->deinit) entry_->deinit();
}

wire::Ended LoadedPlugin::run(const wire::Run& run, Sink& sink,
                              const std::atomic<bool>& cancelled) const {
  for (std::size_t i = 0; i < info_.operators.size(); ++i) {
    if (info_.operators[i].id != run.operator_id) continue;
    return run_operator(*entry_->operators[i], info_.operators[i], run, sink, cancelled);
  }
  wire::Ended ended;
  ended.attempt = run.attempt;
  ended.fence = run.fence;
  ended.outcome = Outcome::invalid;
  ended.error = "plugin \"" + info_.id + "\" has no operator \"" + run.operator_id + "\"";
  return ended;
}

}  // namespace pipelined::host
