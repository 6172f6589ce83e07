// Patterns of delivered files and the order of span ids.
//
// A pattern is a relative path with words in braces: {YYYY} {MM} {DD} {HH} {SPAN} {VERSION}; `*`
// stands for any characters within one part of the path.  The matched words, from the largest unit
// to the smallest, make the span id ("2013-12", "2013-12-24-07", "17"); {VERSION} only orders
// deliveries of one span.  A pattern without words has one span, "all".  Knows no files.
// Values are immutable after parsing; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"

namespace pipelined {

/// The one span of a source whose path has no words.
inline constexpr const char* only_span = "all";

/// What a path says about its delivery.
struct SpanMatch {
  std::string span;
  std::int64_t version = 0;  ///< of {VERSION}; 0 when the pattern has none
};

class SpanPattern {
 public:
  /// Reads "incoming/{YYYY}-{MM}.csv".  Words may carry a width, {SPAN:4}; each word stands once.
  static Result<SpanPattern> parse(std::string_view text);

  /// The span of `path` (relative, as the pattern), or nothing.
  std::optional<SpanMatch> match(std::string_view path) const;

  /// The folder before the first part with a word or `*`: "incoming"; empty when there is none.
  const std::string& folder() const { return folder_; }
  /// Parts of a path below `folder()`: "{YYYY}/{MM}.csv" has two.
  std::size_t parts_below() const;
  /// Whether a folder, given relative to `folder()`, can hold matching files at some depth.
  bool may_hold(std::string_view folder_below) const;
  const std::string& text() const { return text_; }
  bool has_words() const { return has_words_; }
  /// Whether the same words make the span in both, so that a span of one is a span of the other.
  bool same_words(const SpanPattern& other) const;

 private:
  enum class Kind { literal, any, year, month, day, hour, number, version };
  struct Piece {
    Kind kind = Kind::literal;
    std::string text;  ///< of literal
    int width = 0;     ///< digits; 0: any number of them
  };
  using Part = std::vector<Piece>;
  struct Words;

  static Result<Part> parse_part(std::string_view part);
  static bool match_part(const Part& part, std::size_t piece, std::string_view rest, Words& words);
  bool match_parts(std::size_t from, const std::vector<std::string_view>& parts,
                   Words& words) const;
  static bool take_word(const Piece& piece, std::string_view digits, Words& words);

  std::string text_, folder_;
  std::vector<Part> parts_;
  std::size_t fixed_parts_ = 0;
  bool has_words_ = false;
};

/// Whether span `a` comes before span `b`: word by word as numbers, calendar first; words that are no
/// numbers compare as text, behind numbers.
bool span_before(std::string_view a, std::string_view b);

/// Whether `span` lies in first..last, both included.  A bound with fewer words than the span takes
/// in all that begin with it: 2013-12-24 lies in 2013-01..2013-12.
bool span_in_range(std::string_view span, std::string_view first, std::string_view last);

}  // namespace pipelined
