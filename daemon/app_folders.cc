#include "daemon/app_folders.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "daemon/posix/file_facts.h"
#include "daemon/posix/unique_fd.h"
#include "dag/bundle.h"
#include "dag/check.h"
#include "dag/digest.h"
#include "dag/spec_toml.h"

namespace pipelined {
namespace {

namespace fs = std::filesystem;

std::optional<FileFacts> facts_at(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  return facts_of(facts);
}

Result<std::string> read_text(const std::string& path, std::size_t size_max) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts{};
  if (!fd || ::fstat(fd.get(), &facts) != 0) {
    return Error{errno == ENOENT ? ErrorCode::not_found : ErrorCode::io,
                 "cannot read " + path + ": " + std::strerror(errno)};
  }
  if (!S_ISREG(facts.st_mode)) return Error{ErrorCode::invalid, path + " is not a file"};
  std::string text;
  char piece[65536];
  for (;;) {
    const ssize_t length = ::read(fd.get(), piece, sizeof piece);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return Error{ErrorCode::io, "cannot read " + path + ": " + std::strerror(errno)};
    if (length == 0) return text;
    text.append(piece, static_cast<std::size_t>(length));
    if (text.size() > size_max) {
      return Error{ErrorCode::invalid, path + " is larger than a bundle may be"};
    }
  }
}

std::string folder_of(const std::string& path) { return fs::path(path).parent_path().string(); }

}  // namespace

Result<BundleFiles> read_pipeline_files(const std::string& path) {
  const BundleLimits limits;
  TRY(text, read_text(path, limits.bytes));
  BundleFiles files;
  const ParsedPipeline parsed = parse_pipeline(text, path);
  files.emplace(bundle_pipeline_file, std::move(text));
  if (!parsed.spec) return files;
  for (const std::string& name : referenced_files(*parsed.spec)) {
    // A name that leads out of the folder, or a file that is not there, is for `check` to report.
    if (!is_manifest_path(name)) continue;
    auto content = read_text(folder_of(path) + "/" + name, limits.bytes);
    if (content) files.emplace(name, std::move(*content));
    if (!content && content.error().code != ErrorCode::not_found) return content.error();
  }
  return files;
}

std::vector<std::string> PipelineFolders::candidates(std::vector<std::string>& missing) {
  std::vector<std::string> found;
  for (const std::string& folder : folders_) {
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    if (error) {
      if (missing_.insert(folder).second) missing.push_back(folder);
      continue;
    }
    missing_.erase(folder);
    for (; entries != fs::directory_iterator(); entries.increment(error)) {
      if (error) break;
      const fs::path path = entries->path();
      const bool own_folder = entries->is_directory(error);
      const fs::path file = own_folder ? path / bundle_pipeline_file : path;
      if (file.extension() != ".toml" || is_ignored_name(path.filename().string())) continue;
      if (facts_at(file.string())) found.push_back(file.string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

PipelineFolders::Facts PipelineFolders::facts_of(const std::string& path,
                                                 const Known& known) const {
  Facts facts;
  const auto add = [&facts](const std::string& file) {
    if (const auto found = facts_at(file)) facts[file] = *found;
  };
  add(path);
  for (const std::string& name : known.names) add(folder_of(path) + "/" + name);
  return facts;
}

PipelineFile PipelineFolders::read(const std::string& path, Known& known) const {
  PipelineFile file;
  file.path = path;
  file.folder = folder_of(path);
  auto files = read_pipeline_files(path);
  if (!files) {
    file.unreadable = files.error().message;
    file.episode = sha256(file.unreadable).brief();
    return file;
  }
  file.files = std::move(*files);
  file.episode = bundle_version(file.files).brief();
  const ParsedPipeline parsed = parse_pipeline(file.files.at(bundle_pipeline_file), path);
  if (parsed.spec) {
    const auto names = referenced_files(*parsed.spec);
    known.names = {names.begin(), names.end()};
  }
  return file;
}

std::vector<PipelineFile> PipelineFolders::look(std::vector<std::string>& missing) {
  std::vector<PipelineFile> fresh;
  const std::vector<std::string> found = candidates(missing);
  std::erase_if(known_, [&found](const auto& entry) {
    return !std::binary_search(found.begin(), found.end(), entry.first);
  });
  for (const std::string& path : found) {
    Known& known = known_[path];
    Facts facts = facts_of(path, known);
    const bool at_rest = facts == known.seen;
    known.seen = facts;
    if (!at_rest || facts == known.reported) continue;
    fresh.push_back(read(path, known));
    // What changed while it was read is read again; files that it names only now belong to it.
    const Facts after = facts_of(path, known);
    known.seen = after;
    const auto own = after.find(path);
    known.reported = own != after.end() && own->second == facts[path] ? after : Facts{};
  }
  std::erase_if(fresh, [this](const PipelineFile& file) {
    return std::any_of(known_.begin(), known_.end(), [&file](const auto& entry) {
      const std::string folder = folder_of(entry.first) + "/";
      return std::any_of(entry.second.names.begin(), entry.second.names.end(),
                         [&](const std::string& name) { return folder + name == file.path; });
    });
  });
  return fresh;
}

}  // namespace pipelined
