// A cursor over text of ours: accepts exact words and JSON strings, skips nothing.
//
// Shared by the readers of canonical values and manifests, which know that no blanks occur.  Holds
// a view: the text must outlive it.  Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pipelined {

/// Where a reader stands in a text.
class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : text_(text) {}

  bool at_end() const { return position_ == text_.size(); }
  std::size_t position() const { return position_; }
  bool starts_with(std::string_view word) const {
    return text_.substr(position_, word.size()) == word;
  }
  /// Steps over `word` if it stands here.
  bool accept(std::string_view word) {
    if (!starts_with(word)) return false;
    position_ += word.size();
    return true;
  }
  /// The next `count` characters, or fewer at the end.
  std::string_view take(std::size_t count) {
    const std::string_view taken = text_.substr(position_, count);
    position_ += taken.size();
    return taken;
  }
  /// The longest run of characters for which `wanted` holds.
  template <class Wanted>
  std::string_view take_while(Wanted wanted) {
    std::size_t end = position_;
    while (end < text_.size() && wanted(text_[end])) ++end;
    return take(end - position_);
  }
  /// Reads a JSON string, quotes included, and appends its content to `out`.
  bool read_quoted(std::string& out);

 private:
  bool read_escape(std::string& out);
  bool read_code_unit(unsigned& unit);
  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace pipelined
