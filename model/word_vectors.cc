#include "model/word_vectors.h"

#include <array>
#include <charconv>
#include <cmath>

namespace pipelined::model {
namespace {

Error wrong_line(std::size_t line, const std::string& what) {
  return {ErrorCode::invalid, "cannot read word vectors: line " + std::to_string(line) + " " + what};
}

std::vector<std::string_view> pieces_of(std::string_view line) {
  std::vector<std::string_view> pieces;
  for (std::size_t begin = 0; begin < line.size();) {
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    if (end > begin) pieces.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return pieces;
}

bool is_header(const std::vector<std::string_view>& pieces) {
  if (pieces.size() != 2) return false;
  for (const std::string_view piece : pieces) {
    if (piece.find_first_not_of("0123456789") != std::string_view::npos) return false;
  }
  return true;
}

}  // namespace

WordIndex::WordIndex(std::span<const std::string> words) {
  positions_.reserve(words.size());
  for (std::size_t i = 0; i < words.size(); ++i) positions_.emplace(words[i], i);
}

Result<WordVectors> WordVectors::parse(std::string_view text) {
  WordVectors vectors;
  std::size_t number = 0;
  std::string_view promised;  // by the first line of word2vec's format
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    begin = end + 1;
    ++number;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const auto pieces = pieces_of(line);
    if (pieces.empty()) continue;
    if (number == 1 && is_header(pieces)) {
      promised = pieces.back();
      continue;
    }
    const std::size_t width = pieces.size() - 1;
    if (!promised.empty() && std::to_string(width) != promised) {
      return wrong_line(number, "has " + std::to_string(width) + " numbers; line 1 promises " +
                                    std::string(promised));
    }
    if (vectors.width_ == 0) vectors.width_ = width;
    if (width == 0) return wrong_line(number, "has a word and no numbers");
    if (width != vectors.width_) {
      return wrong_line(number, "has " + std::to_string(width) + " numbers; the first word has " +
                                    std::to_string(vectors.width_));
    }
    for (std::size_t i = 1; i < pieces.size(); ++i) {
      float value = 0;
      const char* last = pieces[i].data() + pieces[i].size();
      const auto [stop, error] = std::from_chars(pieces[i].data(), last, value);
      if (error != std::errc() || stop != last || !std::isfinite(value)) {
        return wrong_line(number, "has \"" + std::string(pieces[i]) + "\", which is no number");
      }
      vectors.values_.push_back(value);
    }
    vectors.words_.emplace_back(pieces.front());
  }
  if (vectors.words_.empty()) {
    return Error{ErrorCode::invalid, "cannot read word vectors: the file has no word"};
  }
  vectors.index_ = WordIndex(vectors.words_);
  return vectors;
}

std::span<const float> WordVectors::find(std::string_view word) const {
  const std::size_t at = index_.find(word);
  if (at == WordIndex::none) return {};
  return std::span(values_).subspan(at * width_, width_);
}

std::string WordVectors::text() const {
  std::string text;
  std::array<char, 32> buffer{};
  for (std::size_t i = 0; i < words_.size(); ++i) {
    text += words_[i];
    for (std::size_t j = 0; j < width_; ++j) {
      const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(),
                                              values_[i * width_ + j]);
      text.push_back(' ');
      if (error == std::errc()) text.append(buffer.data(), end);
    }
    text.push_back('\n');
  }
  return text;
}

}  // namespace pipelined::model
