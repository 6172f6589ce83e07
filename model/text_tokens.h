// Texts cut into characters and words, by rules that no locale changes.
//
// Bytes that are no UTF-8 become U+FFFD, one a byte.  A word is a run of ASCII letters, digits and
// underscores and of characters beyond ASCII that are neither spaces nor punctuation.  Lower case is
// known for ASCII, Latin, Greek and Cyrillic letters.  Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pipelined::model {

/// What is done to a text before it is cut.
struct TextRules {
  bool lower = true;    ///< letters become small
  bool spaces = false;  ///< runs of white space become one blank, none at the ends
  bool digits = false;  ///< every digit becomes 0

  bool operator==(const TextRules&) const = default;
};

/// The text after these rules.
std::string normalised(std::string_view text, const TextRules& rules);

/// The characters of a text, each as its UTF-8 bytes; views into `text` where it is valid.
std::vector<std::string_view> characters_of(std::string_view text);

/// The words of a text that have at least `least` characters; views into `text`.
std::vector<std::string_view> words_of(std::string_view text, std::int64_t least = 1);

/// All runs of `low` to `high` neighbouring words, joined by a blank; shorter ones first.
std::vector<std::string> ngrams_of(const std::vector<std::string_view>& words, std::int64_t low,
                                   std::int64_t high);

/// MurmurHash3 (x86, 32 bits, seed 0): what scikit-learn hashes features with.
std::uint32_t murmur_hash(std::string_view text);

}  // namespace pipelined::model
