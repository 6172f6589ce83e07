#include "plugins/train/dictionary.h"

#include <algorithm>

namespace pipelined::train {

std::vector<std::string> Dictionary::sort(
    std::vector<float>& ranks,
    const std::function<bool(const std::string&, const std::string&)>& before) const {
  std::vector<std::string> words;
  words.reserve(codes_.size());
  for (const auto& [word, code] : codes_) words.push_back(word);
  std::sort(words.begin(), words.end(), before);
  ranks.assign(words.size(), 0);
  for (std::size_t rank = 0; rank < words.size(); ++rank) {
    ranks[codes_.find(words[rank])->second] = static_cast<float>(rank);
  }
  return words;
}

}  // namespace pipelined::train
