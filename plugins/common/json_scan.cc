#include "plugins/common/json_scan.h"

namespace pipelined {
namespace {

constexpr std::size_t depth_max = 1000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::uint32_t point, std::string& text) {
  const auto byte = [&](std::uint32_t bits) { text += static_cast<char>(bits); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | point >> 6);
    byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | point >> 12);
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | point >> 18);
    byte(0x80 | (point >> 12 & 0x3F));
    byte(0x80 | (point >> 6 & 0x3F));
    byte(0x80 | (point & 0x3F));
  }
}

}  // namespace

std::string JsonScanner::scan(std::string_view line) {
  line_ = line;
  at_ = 0;
  problem_.clear();
  wrong_key_ = {};
  structure_seen_ = false;
  members_.clear();
  unescaped_.clear();
  skip_blanks();
  if (at_ < line_.size() && line_[at_] != '{') {
    std::string_view text;
    Kind kind = Kind::nothing;
    const char first = line_[at_];
    if (!value(text, kind)) return problem_;
    skip_blanks();
    if (at_ < line_.size()) {
      fail("the end of the line");
      return problem_;
    }
    const char* what = first == '[' ? "list" : first == '"' ? "string" : "value";
    return std::string("a JSON ") + what + " where an object is expected";
  }
  if (!object()) return problem_;
  skip_blanks();
  if (at_ < line_.size()) fail("the end of the line");
  if (problem_.empty() && structure_seen_) {
    return "'" + std::string(wrong_key_) + "' is a list or an object; only plain values can be read";
  }
  return problem_;
}

bool JsonScanner::fail(const char* expected) {
  problem_ = "no JSON at character " + std::to_string(at_ + 1) + ": " + expected + " is expected";
  return false;
}

void JsonScanner::skip_blanks() {
  while (at_ < line_.size() &&
         (line_[at_] == ' ' || line_[at_] == '\t' || line_[at_] == '\r' || line_[at_] == '\n')) {
    ++at_;
  }
}

bool JsonScanner::take(char c) {
  if (at_ >= line_.size() || line_[at_] != c) return false;
  ++at_;
  return true;
}

bool JsonScanner::take_word(std::string_view word) {
  if (!line_.substr(at_).starts_with(word)) return fail("a value");
  at_ += word.size();
  return true;
}

bool JsonScanner::object() {
  if (!take('{')) return fail("{");
  skip_blanks();
  if (take('}')) return true;
  for (;;) {
    JsonMember member;
    Kind kind = Kind::nothing;
    skip_blanks();
    if (at_ >= line_.size() || line_[at_] != '"') return fail("a key in quotes");
    if (!string(member.key)) return false;
    skip_blanks();
    if (!take(':')) return fail(": behind the key");
    skip_blanks();
    if (!value(member.value.text, kind)) return false;
    if (kind == Kind::structure && !structure_seen_) {
      structure_seen_ = true;
      wrong_key_ = member.key;
    }
    member.value.kind = kind == Kind::text    ? TextCell::Kind::text
                        : kind == Kind::plain ? TextCell::Kind::plain
                                              : TextCell::Kind::absent;
    members_.push_back(member);
    skip_blanks();
    if (take('}')) return true;
    if (!take(',')) return fail(", or }");
  }
}

bool JsonScanner::value(std::string_view& text, Kind& kind) {
  const std::size_t begin = at_;
  kind = Kind::plain;
  switch (at_ < line_.size() ? line_[at_] : '\0') {
    case '"': kind = Kind::text; return string(text);
    case '{':
    case '[': kind = Kind::structure; return structure();
    case 'n': kind = Kind::nothing; return take_word("null");
    case 't':
      if (!take_word("true")) return false;
      break;
    case 'f':
      if (!take_word("false")) return false;
      break;
    default: return number(text);
  }
  text = line_.substr(begin, at_ - begin);
  return true;
}

/// A list or an object inside: checked without recursion, since it may be as deep as it is long.
bool JsonScanner::structure() {
  std::string open;  // the brackets that are open
  std::string_view ignored;
  bool value_expected = true;
  for (;;) {
    skip_blanks();
    const char c = at_ < line_.size() ? line_[at_] : '\0';
    if (value_expected && (c == '{' || c == '[')) {
      ++at_;
      open += c;
      if (open.size() > depth_max) return fail("at most 1000 brackets within each other");
      skip_blanks();
      value_expected = !take(c == '{' ? '}' : ']');
      if (!value_expected) open.pop_back();
    } else if (value_expected) {
      Kind kind = Kind::nothing;
      if (!value(ignored, kind)) return false;
      value_expected = false;
    } else if (take(open.back() == '{' ? '}' : ']')) {
      open.pop_back();
    } else if (take(',')) {
      value_expected = true;
      skip_blanks();
    } else {
      return fail(", or the closing bracket");
    }
    if (open.empty()) return true;
    if (value_expected && open.back() == '{') {
      skip_blanks();
      if (at_ >= line_.size() || line_[at_] != '"') return fail("a key in quotes");
      if (!string(ignored)) return false;
      skip_blanks();
      if (!take(':')) return fail(": behind the key");
    }
  }
}

bool JsonScanner::number(std::string_view& text) {
  const std::size_t begin = at_;
  const auto digits = [&] {
    const std::size_t first = at_;
    while (at_ < line_.size() && is_digit(line_[at_])) ++at_;
    return at_ > first;
  };
  take('-');
  if (!take('0') && !digits()) return at_ = begin, fail("a value");
  if (take('.') && !digits()) return fail("a digit");
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    if (!digits()) return fail("a digit");
  }
  text = line_.substr(begin, at_ - begin);
  return true;
}

bool JsonScanner::string(std::string_view& text) {
  const std::size_t begin = ++at_;
  std::string* plain = nullptr;
  std::size_t copied = begin;  // up to here it stands in `plain`
  for (;;) {
    if (at_ >= line_.size()) return fail("the quote that ends the string");
    const char c = line_[at_];
    if (c == '"') break;
    if (static_cast<unsigned char>(c) < 0x20) return fail("an escape for a control character");
    if (c != '\\') {
      ++at_;
      continue;
    }
    if (plain == nullptr) plain = &unescaped_.emplace_back();
    plain->append(line_.substr(copied, at_ - copied));
    ++at_;
    if (!escape(*plain)) return false;
    copied = at_;
  }
  text = line_.substr(begin, at_ - begin);
  if (plain != nullptr) {
    plain->append(line_.substr(copied, at_ - copied));
    text = *plain;
  }
  ++at_;
  return true;
}

bool JsonScanner::escape(std::string& plain) {
  constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
  const char c = at_ < line_.size() ? line_[at_] : '\0';
  if (const std::size_t place = letters.find(c); c != '\0' && place != letters.npos) {
    plain += meanings[place];
    ++at_;
    return true;
  }
  if (c != 'u') return fail("an escape of JSON");
  ++at_;
  std::uint32_t point = 0, low = 0;
  if (!hex(point)) return false;
  if (point >= 0xDC00 && point < 0xE000) return fail("the first half of a surrogate pair before this");
  if (point >= 0xD800 && point < 0xDC00) {
    if (!take('\\') || !take('u')) return fail("the second half of a surrogate pair");
    if (!hex(low)) return false;
    if (low < 0xDC00 || low > 0xDFFF) return fail("the second half of a surrogate pair before this");
    point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(point, plain);
  return true;
}

bool JsonScanner::hex(std::uint32_t& unit) {
  for (int i = 0; i < 4; ++i) {
    const char c = at_ < line_.size() ? line_[at_] : '\0';
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!is_digit(c) && !letter) return fail("a hexadecimal digit");
    unit = unit * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    ++at_;
  }
  return true;
}

}  // namespace pipelined
