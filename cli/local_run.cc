#include "cli/local_run.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "cli/program_output.h"
#include "operators/value_json.h"

namespace pipelined::cli {
namespace {

namespace fs = std::filesystem;

ErrorCode code_of(const std::string& outcome) {
  if (outcome == "INVALID") return ErrorCode::invalid;
  if (outcome == "CANCELLED") return ErrorCode::cancelled;
  if (outcome == "UNSUPPORTED") return ErrorCode::unsupported;
  if (outcome == "RETRY") return ErrorCode::unavailable;
  return ErrorCode::internal;
}

std::string text_at(const ValueTable& table, const char* name) {
  const auto found = table.find(name);
  return found != table.end() && found->second.as_text() ? *found->second.as_text() : std::string();
}

/// All plain files of a folder, or the file itself, by absolute path.
Result<std::vector<fs::path>> files_at(const std::string& path) {
  std::error_code error;
  const fs::path whole = fs::absolute(path, error).lexically_normal();
  if (fs::is_regular_file(whole, error)) return std::vector{fs::canonical(whole, error)};
  if (!fs::is_directory(whole, error)) {
    return Error{ErrorCode::not_found, "there is no file or folder '" + path + "'"};
  }
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(whole, error)) {
    if (entry.is_regular_file(error)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  if (!files.empty()) return files;
  return Error{ErrorCode::not_found, "the folder '" + path + "' has no files"};
}

double all_cpus() { return std::max(1u, std::thread::hardware_concurrency()); }

}  // namespace

Result<LocalRun> LocalRun::begin(const Environment& environment) {
  TRY(programs,
      find_programs(environment.worker, environment.plugins, environment.program_folder));
  if (programs.plugins.empty()) {
    return Error{ErrorCode::unavailable, "there are no plugins beside pipectl; name their folder "
                                         "with PIPELINED_PLUGINS"};
  }
  std::error_code error;
  std::string pattern = (fs::temp_directory_path(error) / "pipectl-XXXXXX").string();
  if (error || ::mkdtemp(pattern.data()) == nullptr) {
    return Error{ErrorCode::io, "make a temporary folder " + pattern + ": " + std::strerror(errno)};
  }
  return LocalRun(std::move(programs), std::move(pattern));
}

LocalRun::LocalRun(LocalRun&& other) noexcept
    : programs_(std::move(other.programs_)),
      folder_(std::exchange(other.folder_, {})),
      folders_(other.folders_),
      plugins_(std::move(other.plugins_)) {}

LocalRun::~LocalRun() {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

Result<LocalArtifact> LocalRun::make(const std::string& type) {
  LocalArtifact artifact{type, next_folder(), {}};
  std::error_code error;
  fs::create_directories(artifact.folder, error);
  if (error) return Error{ErrorCode::io, "make " + artifact.folder + ": " + error.message()};
  return artifact;
}

Result<LocalArtifact> LocalRun::link(const std::string& type,
                                     const std::vector<std::string>& paths) {
  LocalArtifact artifact{type, next_folder(), {}};
  std::error_code error;
  fs::create_directories(artifact.folder, error);
  for (const std::string& path : paths) {
    TRY(files, files_at(path));
    const fs::path base = fs::absolute(path).lexically_normal();
    for (const fs::path& file : files) {
      const bool folder = fs::is_directory(base, error);
      const fs::path place = fs::path(artifact.folder) /
                             (folder ? file.lexically_relative(base) : base.filename());
      fs::create_directories(place.parent_path(), error);
      fs::create_symlink(file, place, error);
      if (error) {
        return Error{ErrorCode::conflict, "take '" + path + "' in: two files are called " +
                                              place.filename().string()};
      }
      artifact.links.push_back(file.string());
    }
  }
  return artifact;
}

Result<LocalArtifact> LocalRun::link_as(const std::string& type, const std::string& path,
                                        const std::string& name) {
  TRY(files, files_at(path));
  LocalArtifact artifact{type, next_folder(), {files.front().string()}};
  std::error_code error;
  fs::create_directories(artifact.folder, error);
  fs::create_symlink(files.front(), artifact.folder + "/" + name, error);
  if (error) return Error{ErrorCode::io, "link '" + path + "': " + error.message()};
  return artifact;
}

Result<LocalArtifact> LocalRun::examples(const std::vector<std::string>& paths, ValueTable params) {
  TRY(files, link("files/1", paths));
  TRY(ended, run({.operator_id = "ingest.files", .params = std::move(params),
                  .inputs = {{"files", {files}}}, .outputs = {{"examples", "examples/1"}}}));
  return ended.outputs.at("examples");
}

/// Most plugins are called like the first word of their operators; else all are asked.
Result<PluginInfo> LocalRun::plugin_of(const std::string& operator_id, std::string& file) {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(programs_.plugins, error)) {
    if (entry.path().extension() == ".so") files.push_back(entry.path().string());
  }
  const std::string first = operator_id.substr(0, operator_id.find('.')) + ".so";
  std::sort(files.begin(), files.end(), [&](const std::string& a, const std::string& b) {
    const bool likely_a = fs::path(a).filename() == first, likely_b = fs::path(b).filename() == first;
    return likely_a != likely_b ? likely_a : a < b;
  });
  for (const std::string& each : files) {
    if (!plugins_.contains(each)) {
      auto described = describe_plugin(programs_, each);
      if (!described) continue;
      plugins_[each] = *std::move(described);
    }
    for (const OperatorInfo& info : plugins_[each].operators) {
      if (info.id != operator_id) continue;
      file = each;
      return plugins_[each];
    }
  }
  return Error{ErrorCode::not_found,
               "no plugin in " + programs_.plugins + " has the operator " + operator_id};
}

Result<LocalEnd> LocalRun::run(const LocalStep& step) {
  std::string file;
  TRY(plugin, plugin_of(step.operator_id, file));
  std::vector<std::string> words{programs_.worker, "run", file, step.operator_id, "--quiet",
                                 "--params", json_text(step.params), "--cpus",
                                 std::to_string(step.cpus > 0 ? step.cpus : all_cpus())};
  if (!plugin.fork_safe) words.push_back("--fresh");
  for (const auto& [port, artifacts] : step.inputs) {
    for (const LocalArtifact& artifact : artifacts) {
      words.insert(words.end(), {"--input", port + "=" + artifact.type + ":" + artifact.folder});
      for (const std::string& path : artifact.links) words.insert(words.end(), {"--read", path});
    }
  }
  LocalEnd ended;
  for (const auto& [port, type] : step.outputs) {
    ended.outputs[port] = {type, next_folder(), {}};
    words.insert(words.end(), {"--output", port + "=" + type + ":" + ended.outputs[port].folder});
  }
  TRY(answer, program_output(words));  // how it ended stands in what it printed
  const auto said = value_from_json(answer.text);
  if (!said || said->as_table() == nullptr) {
    return Error{ErrorCode::unavailable, "run " + step.operator_id + ": the worker gave no answer"};
  }
  ended.said = *said->as_table();
  const std::string outcome = text_at(ended.said, "outcome"), error = text_at(ended.said, "error");
  if (outcome == "HALT") ended.halt = error;
  if (outcome != "OK" && outcome != "HALT") return Error{code_of(outcome), error};
  std::erase_if(ended.outputs, [](const auto& entry) {
    std::error_code ignored;
    return !fs::exists(entry.second.folder, ignored);
  });
  return ended;
}

Result<std::string> LocalRun::text(const LocalArtifact& artifact, const std::string& name) const {
  std::ifstream file(artifact.folder + "/" + name, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (file) return text.str();
  return Error{ErrorCode::io, "read " + name + " of a result: the system refused"};
}

}  // namespace pipelined::cli
