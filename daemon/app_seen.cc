#include "daemon/app_seen.h"

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>

#include "daemon/posix/fault.h"

namespace pipelined {
namespace {

// A line: five numbers, then the key, whose parts are separated by a unit separator.  Paths with a
// line break are not remembered.
constexpr char separator = '\x1f';
constexpr const char* first_line = "pipelined seen files 1";

template <class Number>
bool take_number(std::string_view& line, Number& value) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc{} || end == line.data() + line.size() || *end != ' ') return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
  return true;
}

}  // namespace

std::string SeenFiles::key_of(const std::string& pipeline, const std::string& source,
                              const std::string& path) {
  return pipeline + separator + source + separator + path;
}

void SeenFiles::load() {
  files_.clear();
  std::ifstream file(path_);
  std::string line;
  if (!std::getline(file, line) || line != first_line) return;
  while (std::getline(file, line)) read_line(line);
  dirty_ = false;
}

void SeenFiles::read_line(std::string_view line) {
  FileFacts facts;
  const bool good = take_number(line, facts.size) && take_number(line, facts.mtime_ns) &&
                    take_number(line, facts.ctime_ns) && take_number(line, facts.inode) &&
                    take_number(line, facts.device);
  if (good) files_[std::string(line)] = facts;
}

bool SeenFiles::knows(const SettledFile& file) const {
  const auto found = files_.find(key_of(file.pipeline, file.source, file.path));
  return found != files_.end() && found->second == file.facts;
}

void SeenFiles::recorded() {
  for (const SettledFile& file : std::exchange(offered_, {})) {
    if (file.path.find('\n') != std::string::npos) continue;
    files_[key_of(file.pipeline, file.source, file.path)] = file.facts;
    dirty_ = true;
  }
}

void SeenFiles::keep_only(const std::vector<WatchedSource>& sources) {
  std::set<std::string> kept;
  for (const WatchedSource& source : sources) {
    kept.insert(key_of(source.pipeline, source.source, ""));
  }
  const auto watched = [&kept](const std::string& key) {
    const std::size_t end = key.find(separator, key.find(separator) + 1);
    return kept.count(key.substr(0, end + 1)) != 0;
  };
  dirty_ |= std::erase_if(files_, [&](const auto& entry) { return !watched(entry.first); }) != 0;
}

Result<void> SeenFiles::save() {
  const std::string fresh = path_ + ".new";
  const int refused = fault::at(fault::Place::seen_write);
  std::ofstream file(fresh, std::ios::trunc);
  file << first_line << '\n';
  for (const auto& [key, facts] : files_) {
    file << facts.size << ' ' << facts.mtime_ns << ' ' << facts.ctime_ns << ' ' << facts.inode
         << ' ' << facts.device << ' ' << key << '\n';
  }
  file.close();
  if (refused > 0) file.setstate(std::ios::failbit);
  if (!file || fault::at(fault::Place::seen_rename) > 0 || std::rename(fresh.c_str(), path_.c_str()) != 0) {
    const Error error{ErrorCode::io, "cannot write " + path_ + ": " + std::strerror(errno)};
    std::remove(fresh.c_str());
    return error;
  }
  fault::at(fault::Place::seen_renamed);
  dirty_ = false;
  return {};
}

}  // namespace pipelined
