#include "cli/local_operators.h"

#include <algorithm>
#include <filesystem>

#include "cli/program_output.h"
#include "operators/value_json.h"

namespace pipelined::cli {
namespace {

namespace fs = std::filesystem;

/// The first of these that exists.
std::string first_existing(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::exists(path, error)) return path;
  }
  return {};
}

}  // namespace

Result<LocalPrograms> find_programs(std::string worker, std::string plugins,
                                    const std::string& folder) {
  if (worker.empty()) {
    worker = first_existing({folder + "/pipelined-worker",
                             folder + "/../libexec/pipelined/pipelined-worker"});
  }
  if (plugins.empty()) {
    std::vector<std::string> places = {folder + "/../plugins",
                                       folder + "/../lib/pipelined/plugins"};
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder + "/../lib", error)) {
      places.push_back(entry.path().string() + "/pipelined/plugins");  // lib/<architecture>
    }
    plugins = first_existing(places);
  }
  if (worker.empty()) {
    return Error{ErrorCode::unavailable,
                 "there is no pipelined-worker beside pipectl to run operators or tell what they "
                 "are; name one with PIPELINED_WORKER"};
  }
  return LocalPrograms{std::move(worker), std::move(plugins)};
}

Result<PluginInfo> describe_plugin(const LocalPrograms& programs, const std::string& file) {
  TRY(answer, program_output({programs.worker, "describe", file}));
  if (!answer.succeeded) {
    return Error{ErrorCode::unavailable, programs.worker + " could not describe " + file};
  }
  TRY(value, value_from_json(answer.text));
  return plugin_from_value(value);
}

Result<LocalOperators> describe_local(std::string worker, std::string plugins,
                                      const std::string& folder) {
  TRY(programs, find_programs(std::move(worker), std::move(plugins), folder));
  LocalOperators found;
  for (OperatorInfo& info : builtin_operators()) found.operators[info.id] = std::move(info);
  std::vector<std::string> files;
  std::error_code error;
  if (!programs.plugins.empty()) {
    for (const auto& entry : fs::directory_iterator(programs.plugins, error)) {
      if (entry.path().extension() == ".so") files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    const auto plugin = describe_plugin(programs, file);
    if (!plugin) {
      found.problems.push_back(file + ": " + plugin.error().message);
      continue;
    }
    for (const OperatorInfo& info : plugin->operators) found.operators[info.id] = info;
  }
  return found;
}

}  // namespace pipelined::cli
