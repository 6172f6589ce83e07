// Vectors of words from the text formats of word2vec and GloVe.
//
// One word a line, then its numbers; a first line of two whole numbers (how many words, how many
// numbers each) is word2vec's and may be there.  Every line must have as many numbers as the first.
// Immutable once made; any number of threads may look words up.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dag/result.h"

namespace pipelined::model {

/// The position of a word among others.
class WordIndex {
 public:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  WordIndex() = default;
  /// `words` in the order of their positions.
  explicit WordIndex(std::span<const std::string> words);

  /// The position, or `none`.
  std::size_t find(std::string_view word) const {
    const auto found = positions_.find(word);
    return found == positions_.end() ? none : found->second;
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> positions_;
};

/// Words with a vector each, all of one width.
class WordVectors {
 public:
  /// Reads the whole text; an error names the line.  Of a word that stands twice the first counts.
  static Result<WordVectors> parse(std::string_view text);

  std::size_t width() const { return width_; }
  std::size_t size() const { return words_.size(); }
  /// The vector of a word; empty if it has none.
  std::span<const float> find(std::string_view word) const;
  /// GloVe's format; `parse` gives the same vectors back.
  std::string text() const;

 private:
  std::vector<std::string> words_;
  std::vector<float> values_;
  std::size_t width_ = 0;
  WordIndex index_;
};

}  // namespace pipelined::model
