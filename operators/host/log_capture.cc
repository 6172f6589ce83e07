#include "operators/host/log_capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace pipelined::host {
namespace {

constexpr std::size_t recent_bytes = 600;
constexpr int last_lines_max = 5;

/// Bytes of the valid UTF-8 character at the front; 0: none.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const std::size_t size = first < 0x80                     ? 1
                           : first >= 0xC2 && first < 0xE0 ? 2
                           : first >= 0xE0 && first < 0xF0 ? 3
                           : first >= 0xF0 && first < 0xF5 ? 4
                                                           : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  // Overlong forms, surrogates and what lies beyond the last character.
  if (first == 0xE0 && byte(1) < 0xA0) return 0;
  if (first == 0xED && byte(1) >= 0xA0) return 0;
  if (first == 0xF0 && byte(1) < 0x90) return 0;
  if (first == 0xF4 && byte(1) >= 0x90) return 0;
  return size;
}

}  // namespace

std::string harmless(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    if (size == 0) {
      out += '?';
    } else if (size == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7f)) {
      out += ' ';
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

bool LogCapture::open_file() {
  if (file_ || unusable_) return static_cast<bool>(file_);
  // Exclusive and without following links: nobody else may have put something there.
  file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  unusable_ = !file_;
  return !unusable_;
}

void LogCapture::write_at(std::uint64_t offset, std::string_view bytes) {
  if (!open_file()) return;
  while (!bytes.empty()) {
    const ssize_t put =
        ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put <= 0) return;
    offset += static_cast<std::uint64_t>(put);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

void LogCapture::hide(std::vector<std::string> secrets) {
  std::erase_if(secrets, [](const std::string& secret) { return secret.size() < 4; });
  std::sort(secrets.begin(), secrets.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  hidden_ = std::move(secrets);
}

void LogCapture::append(std::string_view bytes) {
  if (hidden_.empty()) return take(bytes);
  held_.append(bytes);
  std::size_t kept = 0;  // bytes at the end that may be the beginning of a hidden text
  for (const std::string& secret : hidden_) {
    for (std::size_t at = held_.find(secret); at != std::string::npos; at = held_.find(secret, at)) {
      held_.replace(at, secret.size(), "***");
    }
  }
  for (const std::string& secret : hidden_) {
    for (std::size_t size = std::min(secret.size() - 1, held_.size()); size > kept; --size) {
      if (held_.ends_with(std::string_view(secret).substr(0, size))) kept = size;
    }
  }
  const std::string ready = held_.substr(0, held_.size() - kept);
  held_.erase(0, ready.size());
  take(ready);
}

void LogCapture::take(std::string_view bytes) {
  if (bytes.empty()) return;
  total_ += bytes.size();
  recent_.append(bytes.substr(bytes.size() - std::min(bytes.size(), recent_bytes)));
  if (recent_.size() > recent_bytes) recent_.erase(0, recent_.size() - recent_bytes);

  const std::size_t to_head =
      std::min<std::uint64_t>(bytes.size(), bounds_.head_bytes - head_written_);
  write_at(head_written_, bytes.substr(0, to_head));
  head_written_ += to_head;
  bytes.remove_prefix(to_head);
  if (bytes.empty()) return;

  dirty_ = true;
  if (bytes.size() >= bounds_.tail_bytes) tail_.clear();
  tail_.append(bytes.substr(bytes.size() - std::min(bytes.size(), bounds_.tail_bytes)));
  if (tail_.size() > 2 * bounds_.tail_bytes) tail_.erase(0, tail_.size() - bounds_.tail_bytes);
}

void LogCapture::flush() {
  if (!dirty_) return;
  dirty_ = false;
  std::string_view tail = tail_;
  if (tail.size() > bounds_.tail_bytes) tail.remove_prefix(tail.size() - bounds_.tail_bytes);
  const std::uint64_t left_out = total_ - head_written_ - tail.size();
  std::string marker;
  if (left_out > 0) marker = "\n[… " + std::to_string(left_out) + " bytes left out …]\n";
  write_at(head_written_, marker + std::string(tail));
  const std::uint64_t size = head_written_ + marker.size() + tail.size();
  if (file_ && ::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) dirty_ = true;
}

void LogCapture::end() { take(std::exchange(held_, {})); }

void LogCapture::finish(const std::string& line) {
  end();
  append((recent_.empty() || recent_.back() == '\n' ? "" : "\n") + line + "\n");
  flush();
}

std::string LogCapture::last_lines() const {
  std::string_view text = recent_;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::size_t from = text.size();
  for (int lines = 0; lines < last_lines_max && from != std::string_view::npos && from > 0;
       ++lines) {
    from = text.rfind('\n', from - 1);
  }
  if (from != std::string_view::npos && from < text.size() && text[from] == '\n') ++from;
  if (from == std::string_view::npos) from = 0;
  // A line cut off in the middle of a character would begin with question marks.
  std::string_view shown = text.substr(from);
  while (from == 0 && !shown.empty() && (static_cast<unsigned char>(shown[0]) & 0xC0) == 0x80) {
    shown.remove_prefix(1);
  }
  std::string joined;
  for (const char c : shown) {
    if (c == '\n') {
      joined += " | ";
    } else {
      joined += c;
    }
  }
  return harmless(joined);
}

}  // namespace pipelined::host
