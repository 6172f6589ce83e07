#include "dag/toml_limits.h"

#include <algorithm>
#include <vector>

namespace pipelined {
namespace {

class Scanner {
 public:
  Scanner(std::string_view text, const PipelineLimits& limits) : text_(text), limits_(limits) {}

  /// What is too much, with its place; nothing when the text keeps the limits.
  std::optional<Diagnostic> scan() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;  // a byte order mark
    while (at_ < text_.size() && !problem_) step();
    return problem_;
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '"' || c == '\'') return skip_string(c);
    if (c == '#') {
      while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      return;
    }
    ++at_;
    ++column_;
    // Only texts and comments may hold other letters; the parser itself is undefined for some of them.
    if (static_cast<unsigned char>(c) >= 0x80) return report_letter();
    const bool top = open_.empty();
    if (c == '\n') {
      ++line_;
      column_ = 1;
      if (top) begin_line();
    } else if (top && in_header_ && c == '.') {
      deepen();
      header_depth_ = depth_;
    } else if (top && at_line_start_ && c == '[') {
      in_header_ = true;
      header_depth_ = depth_ = 1;
      count_key();
    } else if (in_header_) {
      // The rest of a header's brackets and letters.
    } else if (c == '.') {
      deepen();
    } else if (c == '=') {
      count_key();
    } else if (c == '[' || c == '{') {
      deepen();
      open_.push_back(depth_);
    } else if ((c == ']' || c == '}') && !top) {
      depth_ = open_.back() - 1;
      open_.pop_back();
    } else if (c == ',') {
      depth_ = top ? header_depth_ : open_.back();
    }
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') at_line_start_ = false;
  }

  void begin_line() {
    at_line_start_ = true;
    in_header_ = false;
    depth_ = header_depth_;
  }

  void skip_string(char quote) {
    at_line_start_ = false;
    const std::string three(3, quote);
    const bool long_one = text_.substr(at_, 3) == three;
    const std::size_t mark = long_one ? 3 : 1;
    std::size_t from = at_;
    at_ += mark;
    while (at_ < text_.size()) {
      if (text_[at_] == '\\' && quote == '"') {
        at_ += 2;
      } else if (text_.substr(at_, mark) == std::string_view(three).substr(0, mark)) {
        at_ += mark;
        break;
      } else if (text_[at_] == '\n' && !long_one) {
        break;  // not closed: the parser will say so
      } else {
        ++at_;
      }
    }
    at_ = std::min(at_, text_.size());
    for (; from < at_; ++from) {
      column_ = text_[from] == '\n' ? 1 : column_ + 1;
      line_ += text_[from] == '\n';
    }
  }

  void deepen() {
    if (++depth_ > limits_.depth) {
      report("nested deeper than " + std::to_string(limits_.depth) + " levels");
    }
  }

  void count_key() {
    if (++keys_ > limits_.keys) {
      report("more than " + std::to_string(limits_.keys) + " keys in one pipeline file");
    }
  }

  void report_letter() {
    std::size_t end = at_;
    while (end < text_.size() && (text_[end] & 0xC0) == 0x80) ++end;
    report("'" + std::string(text_.substr(at_ - 1, end - at_ + 1)) +
           "' stands outside of quotes; write names and texts with such letters in quotes");
  }

  void report(const std::string& message) {
    if (!problem_) problem_ = Diagnostic{"", {line_, column_ - 1}, message, false};
  }

  std::string_view text_;
  PipelineLimits limits_;
  std::optional<Diagnostic> problem_;
  std::size_t at_ = 0, keys_ = 0;
  int line_ = 1, column_ = 1, depth_ = 0, header_depth_ = 0;
  bool at_line_start_ = true, in_header_ = false;
  std::vector<int> open_;  // the depth inside of every open bracket
};

}  // namespace

std::optional<Diagnostic> find_breach(std::string_view text, const std::string& file_name,
                                      const PipelineLimits& limits) {
  std::optional<Diagnostic> breach;
  if (text.size() > limits.bytes) {
    breach = Diagnostic{file_name, {}, "the file has " + std::to_string(text.size()) +
                        " bytes; a pipeline file may have " + std::to_string(limits.bytes), false};
  } else if ((breach = Scanner(text, limits).scan())) {
    breach->file = file_name;
  }
  return breach;
}

}  // namespace pipelined
