#include "daemon/exec/plugin_registry.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "daemon/exec/plugin_description.h"
#include "operators/descriptor.h"
#include "operators/value_json.h"

namespace pipelined {
namespace {

namespace fs = std::filesystem;

// Part of a kept description's name: raised when descriptions get other fields.
constexpr const char* cache_format = "1";

// Why a folder or file must not be trusted; empty: it may be.
std::string distrust(const std::string& path, bool folder) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return std::strerror(errno);
  if (S_ISLNK(found.st_mode) && !folder) return "it is a symbolic link";
  // The plugin folder itself may be reached through a link; what counts is where it leads.
  if (folder && ::stat(path.c_str(), &found) != 0) return std::strerror(errno);
  if (folder && !S_ISDIR(found.st_mode)) return "it is no folder";
  if (!folder && !S_ISREG(found.st_mode)) return "it is no regular file";
  if (found.st_uid != 0 && found.st_uid != ::geteuid()) {
    return "user " + std::to_string(found.st_uid) + " owns it; it must be root or user " +
           std::to_string(::geteuid());
  }
  if (found.st_mode & (S_IWGRP | S_IWOTH)) {
    return "its group or others may write to it; chmod go-w it";
  }
  return {};
}

Result<Digest> digest_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  Sha256 hash;
  std::vector<char> buffer(1 << 16);
  while (stream) {
    stream.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hash.update(buffer.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad() || !stream.eof()) return Error{ErrorCode::io, "cannot read plugin " + path};
  return hash.finish();
}

Result<PluginInfo> parse(const std::string& json) {
  TRY(value, value_from_json(json));
  return plugin_from_value(value);
}

// Descriptions kept by the digest of the file that they describe.  A damaged one is asked anew.
class Cache {
 public:
  explicit Cache(const std::string& folder) : folder_(folder) {
    std::error_code ignored;
    if (!folder.empty()) fs::create_directories(folder_, ignored);
  }

  std::optional<PluginInfo> find(const Digest& digest) const {
    if (folder_.empty()) return std::nullopt;
    std::ifstream stream(path(digest), std::ios::binary);
    if (!stream) return std::nullopt;
    Result<PluginInfo> info = parse({std::istreambuf_iterator<char>(stream), {}});
    return info ? std::optional(*std::move(info)) : std::nullopt;
  }

  // Losing it costs one more question, so errors and power cuts do not matter.
  void keep(const Digest& digest, const std::string& json) const {
    if (folder_.empty()) return;
    const fs::path unfinished = path(digest).string() + "." + std::to_string(::getpid());
    std::ofstream stream(unfinished, std::ios::binary);
    stream << json;
    stream.close();
    std::error_code error;
    if (stream.good()) fs::rename(unfinished, path(digest), error);
    if (!stream.good() || error) fs::remove(unfinished, error);
  }

 private:
  fs::path path(const Digest& digest) const {
    return folder_ / (digest.hex() + "." + cache_format + ".json");
  }
  fs::path folder_;
};

struct Candidate {
  std::string path;
  Digest digest;
  std::optional<PluginInfo> info;
  bool from_cache = false;
};

class Reader {
 public:
  explicit Reader(const PluginOptions& options) : options_(options), cache_(options.cache) {
    for (const OperatorInfo& info : builtin_operators()) found_.operators.emplace(info.id, info);
  }

  PluginRegistry read() && {
    for (const std::string& folder : options_.folders) look_through(folder);
    ask();
    for (Candidate& candidate : candidates_) {
      if (candidate.info) admit(candidate);
    }
    return std::move(found_);
  }

 private:
  void refuse(const std::string& what, const std::string& why) {
    found_.problems.push_back("cannot use " + what + ": " + why);
  }

  void look_through(const std::string& folder) {
    if (const std::string why = distrust(folder, true); !why.empty()) {
      refuse("plugin folder " + folder, why);
      return;
    }
    std::vector<std::string> files;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension() == ".so") files.push_back(entry->path().string());
    }
    if (error) refuse("plugin folder " + folder, error.message());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) consider(file);
  }

  void consider(const std::string& file) {
    if (const std::string why = distrust(file, false); !why.empty()) {
      refuse("plugin " + file, why);
      return;
    }
    const Result<Digest> digest = digest_of(file);
    if (!digest) {
      found_.problems.push_back(digest.error().message);
      return;
    }
    Candidate candidate{file, *digest, cache_.find(*digest), false};
    candidate.from_cache = candidate.info.has_value();
    candidates_.push_back(std::move(candidate));
  }

  // Asks for all descriptions that are not kept, at the same time.
  void ask() {
    std::vector<Candidate*> unknown;
    std::vector<std::string> files;
    for (Candidate& candidate : candidates_) {
      if (candidate.info) continue;
      unknown.push_back(&candidate);
      files.push_back(candidate.path);
    }
    const auto answers = describe_plugins(options_.worker, files, options_.timeout_ms);
    for (std::size_t i = 0; i < unknown.size(); ++i) take(*unknown[i], answers[i]);
  }

  void take(Candidate& candidate, const Result<std::string>& answer) {
    if (!answer) {
      found_.problems.push_back(answer.error().message);
      return;
    }
    Result<PluginInfo> info = parse(*answer);
    if (!info) {
      refuse("plugin " + candidate.path, info.error().message);
      return;
    }
    // What was asked of other libraries may change without a change of this file.
    if (!info->asks_libraries) cache_.keep(candidate.digest, *answer);
    candidate.info = *std::move(info);
  }

  void admit(Candidate& candidate) {
    PluginInfo& info = *candidate.info;
    if (const auto known = found_.plugins.find(info.id); known != found_.plugins.end()) {
      refuse("plugin " + candidate.path, "plugin \"" + info.id + "\" is taken from " +
                                             known->second.path + " already");
      return;
    }
    for (const OperatorInfo& one : info.operators) {
      const auto known = found_.operators.find(one.id);
      if (known == found_.operators.end()) continue;
      refuse("plugin " + candidate.path, "its operator \"" + one.id + "\" is one of plugin \"" +
                                             known->second.plugin + "\" already");
      return;
    }
    for (OperatorInfo& one : info.operators) {
      // The version of a plugin under development says nothing: its bytes do.
      if (info.version.ends_with("-dev")) one.build = candidate.digest.hex();
      std::string id = one.id;
      found_.operators.emplace(std::move(id), std::move(one));
    }
    found_.plugins[info.id] = {info.id,        info.version, candidate.path, candidate.digest,
                               info.fork_safe, info.threads, candidate.from_cache};
  }

  const PluginOptions& options_;
  Cache cache_;
  std::vector<Candidate> candidates_;
  PluginRegistry found_;
};

}  // namespace

std::optional<std::string> PluginRegistry::path_of(const std::string& plugin) const {
  const auto found = plugins.find(plugin);
  if (found == plugins.end()) return std::nullopt;
  return found->second.path;
}

PluginRegistry read_plugins(const PluginOptions& options) { return Reader(options).read(); }

}  // namespace pipelined
