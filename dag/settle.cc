#include "dag/settle.h"

#include <algorithm>

namespace pipelined {

bool is_ignored_name(std::string_view base_name) {
  if (base_name.empty() || base_name.front() == '.') return true;
  const auto ends_with = [&](std::string_view ending) {
    if (base_name.size() < ending.size()) return false;
    const std::string_view tail = base_name.substr(base_name.size() - ending.size());
    return std::equal(tail.begin(), tail.end(), ending.begin(), [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  };
  return ends_with(".tmp") || ends_with(".part");
}

void Settling::wait_until(const std::string& path, File& file, std::int64_t due_ms) {
  waiting_.erase({file.due_ms, path});
  file.due_ms = due_ms;
  file.at_rest = false;
  waiting_.emplace(due_ms, path);
}

SettleState Settling::look(const std::string& path, const std::optional<FileFacts>& facts,
                           std::int64_t now_ms, bool stirred) {
  if (!facts) {
    forget(path);
    return SettleState::gone;
  }
  const auto [entry, is_new] = files_.try_emplace(path);
  File& file = entry->second;
  if (is_new || file.facts != *facts || (stirred && !file.at_rest)) {
    file.facts = *facts;
    wait_until(path, file, now_ms + settle_ms_);
  }
  if (file.at_rest) return SettleState::known;
  if (now_ms < file.due_ms) return SettleState::waiting;
  waiting_.erase({file.due_ms, path});
  file.at_rest = true;
  return SettleState::settled;
}

std::optional<std::int64_t> Settling::next_due() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.begin()->first;
}

std::vector<std::string> Settling::due(std::int64_t now_ms) const {
  std::vector<std::string> paths;
  for (const auto& [due_ms, path] : waiting_) {
    if (due_ms > now_ms) break;
    paths.push_back(path);
  }
  return paths;
}

void Settling::unsettle(const std::string& path, std::int64_t now_ms) {
  const auto entry = files_.find(path);
  if (entry == files_.end()) return;
  // At least a moment, or a file that never rests would be read without end.
  wait_until(path, entry->second, now_ms + std::max<std::int64_t>(settle_ms_, 20));
}

void Settling::mark_known(const std::string& path, const FileFacts& facts) {
  forget(path);
  files_[path] = File{facts, 0, true};
}

void Settling::forget(const std::string& path) {
  const auto entry = files_.find(path);
  if (entry == files_.end()) return;
  waiting_.erase({entry->second.due_ms, path});
  files_.erase(entry);
}

std::vector<std::string> Settling::paths() const {
  std::vector<std::string> all;
  all.reserve(files_.size());
  for (const auto& [path, file] : files_) all.push_back(path);
  return all;
}

}  // namespace pipelined
