#include "dag/span_pattern.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace pipelined {
namespace {

constexpr std::size_t most_digits = 18;    // so that any number of a name fits 64 bits
constexpr std::size_t longest_part = 255;  // no file system here has longer names

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0;;) {
    const std::size_t end = text.find(separator, from);
    parts.push_back(text.substr(from, end - from));
    if (end == std::string_view::npos) return parts;
    from = end + 1;
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= most_digits &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::int64_t number_of(std::string_view digits) {
  std::int64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

int days_in(std::int64_t year, std::int64_t month) {
  constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year < 0 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
  if (month < 0) return 31;
  return month == 2 && leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

// -1, 0 or 1; numbers by value and before text.
int compare_words(std::string_view a, std::string_view b) {
  const bool a_number = is_number(a), b_number = is_number(b);
  if (a_number != b_number) return a_number ? -1 : 1;
  if (!a_number) return a.compare(b) < 0 ? -1 : a != b;
  const std::int64_t x = number_of(a), y = number_of(b);
  return x < y ? -1 : x > y;
}

int compare_spans(std::string_view a, std::string_view b) {
  const auto words_a = split(a, '-'), words_b = split(b, '-');
  for (std::size_t i = 0; i < std::min(words_a.size(), words_b.size()); ++i) {
    if (const int order = compare_words(words_a[i], words_b[i])) return order;
  }
  return words_a.size() < words_b.size() ? -1 : words_a.size() > words_b.size();
}

std::string_view first_words(std::string_view span, std::size_t count) {
  std::size_t end = 0;
  for (std::size_t word = 0; word < count; ++word) {
    end = span.find('-', word == 0 ? 0 : end + 1);
    if (end == std::string_view::npos) return span;
  }
  return span.substr(0, end);
}

}  // namespace

// The words taken so far while a path is matched; -1: not yet.
struct SpanPattern::Words {
  std::array<std::int64_t, 6> values = {-1, -1, -1, -1, -1, -1};
  std::array<std::string, 4> digits;  // of the calendar, with their leading zeros
  std::vector<bool> failed;           // (piece, letters left) of this part that lead nowhere

  std::int64_t& of(Kind kind) {
    return values[static_cast<std::size_t>(kind) - static_cast<std::size_t>(Kind::year)];
  }
};

Result<SpanPattern::Part> SpanPattern::parse_part(std::string_view part) {
  struct Word {
    std::string_view name;
    Kind kind;
    int width;
  };
  constexpr std::array<Word, 6> words = {{{"YYYY", Kind::year, 4},
                                          {"MM", Kind::month, 2},
                                          {"DD", Kind::day, 2},
                                          {"HH", Kind::hour, 2},
                                          {"SPAN", Kind::number, 0},
                                          {"VERSION", Kind::version, 0}}};
  const auto invalid = [](const std::string& message) { return Error{ErrorCode::invalid, message}; };
  Part pieces;
  for (std::size_t at = 0; at < part.size();) {
    if (part[at] == '*') {
      if (pieces.empty() || pieces.back().kind != Kind::any) pieces.push_back({Kind::any, {}, 0});
      ++at;
      continue;
    }
    if (part[at] == '}') return invalid("a '}' without its '{'");
    if (part[at] != '{') {
      const std::size_t end = std::min(part.find_first_of("*{}", at), part.size());
      pieces.push_back({Kind::literal, std::string(part.substr(at, end - at)), 0});
      at = end;
      continue;
    }
    const std::size_t close = part.find('}', at);
    if (close == std::string_view::npos) return invalid("a '{' without its '}'");
    const std::string_view inside = part.substr(at + 1, close - at - 1);
    const std::string_view name = inside.substr(0, inside.find(':'));
    const auto word = std::find_if(words.begin(), words.end(),
                                   [&](const Word& w) { return w.name == name; });
    if (word == words.end()) {
      return invalid("no word '{" + std::string(inside) +
                     "}'; there are {YYYY} {MM} {DD} {HH} {SPAN} {VERSION}");
    }
    int width = word->width;
    if (name.size() < inside.size()) {
      const std::string_view digits = inside.substr(name.size() + 1);
      const std::int64_t wished = is_number(digits) ? number_of(digits) : 0;
      if (wished < 1 || wished > static_cast<std::int64_t>(most_digits) ||
          (width != 0 && wished != width)) {
        return invalid("the width in '{" + std::string(inside) + "}' is not possible");
      }
      width = static_cast<int>(wished);
    }
    pieces.push_back({word->kind, {}, width});
    at = close + 1;
  }
  return pieces;
}

Result<SpanPattern> SpanPattern::parse(std::string_view text) {
  const auto invalid = [&](const std::string& message) {
    return Error{ErrorCode::invalid, "path '" + std::string(text) + "': " + message};
  };
  if (text.empty()) return invalid("it is empty");
  if (text.front() == '/') return invalid("it must be relative to the pipeline file");
  SpanPattern pattern;
  pattern.text_ = text;
  std::array<int, 6> seen{};
  bool fixed = true;
  for (const std::string_view part : split(text, '/')) {
    if (part.empty() || part == "." || part == "..") {
      return invalid("it must have no empty, '.' or '..' part");
    }
    auto pieces = parse_part(part);
    if (!pieces) return invalid(pieces.error().message);
    for (const Piece& piece : *pieces) {
      if (piece.kind != Kind::literal) fixed = false;
      if (piece.kind == Kind::literal || piece.kind == Kind::any) continue;
      const auto index = static_cast<std::size_t>(piece.kind) - static_cast<std::size_t>(Kind::year);
      if (++seen[index] > 1) return invalid("a word stands in it twice");
      if (piece.kind != Kind::version) pattern.has_words_ = true;
    }
    pattern.parts_.push_back(*std::move(pieces));
    if (fixed) ++pattern.fixed_parts_;
  }
  if (seen[1] > 0 && seen[0] == 0) return invalid("{MM} needs {YYYY}");
  if (seen[2] > 0 && seen[1] == 0) return invalid("{DD} needs {MM}");
  if (seen[3] > 0 && seen[2] == 0) return invalid("{HH} needs {DD}");
  // The last part names the file, also when it is fixed.
  pattern.fixed_parts_ = std::min(pattern.fixed_parts_, pattern.parts_.size() - 1);
  for (std::size_t i = 0; i < pattern.fixed_parts_; ++i) {
    if (i > 0) pattern.folder_ += '/';
    for (const Piece& piece : pattern.parts_[i]) pattern.folder_ += piece.text;
  }
  return pattern;
}

bool SpanPattern::same_words(const SpanPattern& other) const {
  const auto words = [](const SpanPattern& pattern) {
    std::array<bool, 6> there{};
    for (const Part& part : pattern.parts_) {
      for (const Piece& piece : part) {
        if (piece.kind < Kind::year || piece.kind == Kind::version) continue;
        there[static_cast<std::size_t>(piece.kind) - static_cast<std::size_t>(Kind::year)] = true;
      }
    }
    return there;
  };
  return words(*this) == words(other);
}

std::size_t SpanPattern::parts_below() const { return parts_.size() - fixed_parts_; }

bool SpanPattern::take_word(const Piece& piece, std::string_view digits, Words& words) {
  const std::int64_t value = number_of(digits);
  if (piece.kind == Kind::month && (value < 1 || value > 12)) return false;
  if (piece.kind == Kind::day && (value < 1 || value > 31)) return false;
  if (piece.kind == Kind::hour && value > 23) return false;
  words.of(piece.kind) = value;
  if (piece.kind < Kind::number) {
    const auto index = static_cast<std::size_t>(piece.kind) - static_cast<std::size_t>(Kind::year);
    words.digits[index] = digits;
  }
  return true;
}

// Tries the longest number and the shortest text first.  What fails is remembered, so that a part of
// many `*` costs no more than its pieces times its letters.
bool SpanPattern::match_part(const Part& part, std::size_t piece, std::string_view rest,
                             Words& words) {
  if (piece == part.size()) return rest.empty();
  const std::size_t here = piece * (longest_part + 1) + rest.size();
  if (words.failed[here]) return false;
  const Piece& wanted = part[piece];
  bool matches = false;
  if (wanted.kind == Kind::literal) {
    matches = rest.starts_with(wanted.text) &&
              match_part(part, piece + 1, rest.substr(wanted.text.size()), words);
  } else if (wanted.kind == Kind::any) {
    for (std::size_t skipped = 0; skipped <= rest.size() && !matches; ++skipped) {
      matches = match_part(part, piece + 1, rest.substr(skipped), words);
    }
  } else {
    const auto width = static_cast<std::size_t>(wanted.width);
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const std::size_t most = width > 0 ? width : std::min(digits, most_digits);
    const std::size_t least = width > 0 ? width : 1;
    for (std::size_t taken = most; taken >= least && taken <= digits && !matches; --taken) {
      matches = take_word(wanted, rest.substr(0, taken), words) &&
                match_part(part, piece + 1, rest.substr(taken), words);
    }
  }
  if (!matches) words.failed[here] = true;
  return matches;
}

bool SpanPattern::match_parts(std::size_t from, const std::vector<std::string_view>& parts,
                              Words& words) const {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts_[from + i];
    if (parts[i].size() > longest_part) return false;
    words.failed.assign((part.size() + 1) * (longest_part + 1), false);
    if (!match_part(part, 0, parts[i], words)) return false;
  }
  return true;
}

std::optional<SpanMatch> SpanPattern::match(std::string_view path) const {
  const auto parts = split(path, '/');
  if (parts.size() != parts_.size()) return std::nullopt;
  Words words;
  if (!match_parts(0, parts, words)) return std::nullopt;
  const std::int64_t day = words.of(Kind::day);
  if (day > days_in(words.of(Kind::year), words.of(Kind::month))) return std::nullopt;
  SpanMatch match;
  for (const std::string& digits : words.digits) {
    if (digits.empty()) continue;
    match.span += (match.span.empty() ? "" : "-") + digits;
  }
  if (const std::int64_t number = words.of(Kind::number); number >= 0) {
    match.span += (match.span.empty() ? "" : "-") + std::to_string(number);
  }
  if (match.span.empty()) match.span = only_span;
  match.version = std::max<std::int64_t>(0, words.of(Kind::version));
  return match;
}

bool SpanPattern::may_hold(std::string_view folder_below) const {
  if (folder_below.empty()) return true;
  const auto parts = split(folder_below, '/');
  if (parts.size() >= parts_below()) return false;
  Words words;
  return match_parts(fixed_parts_, parts, words);
}

bool span_before(std::string_view a, std::string_view b) { return compare_spans(a, b) < 0; }

bool span_in_range(std::string_view span, std::string_view first, std::string_view last) {
  const std::size_t words = split(last, '-').size();
  return compare_spans(span, first) >= 0 && compare_spans(first_words(span, words), last) <= 0;
}

}  // namespace pipelined
