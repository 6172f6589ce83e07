// A dictionary that grows while a column is read and is sorted at the end.
//
// Codes that are handed out while reading are provisional; `sort` gives each word its final code,
// its place among all words.  So the codes depend on which words there are, not on which came first.
// Knows nothing of columns or tables.  Belongs to one thread.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pipelined::train {

/// Words and their codes.
class Dictionary {
 public:
  /// The provisional code of a word, which is new or known.
  float code(std::string_view word) {
    const auto found = codes_.find(word);
    if (found != codes_.end()) return static_cast<float>(found->second);
    codes_.emplace(std::string(word), codes_.size());
    return static_cast<float>(codes_.size() - 1);
  }

  std::size_t size() const { return codes_.size(); }

  /// All words in order; `ranks` becomes the final code of each provisional one.
  std::vector<std::string> sort(std::vector<float>& ranks,
                                const std::function<bool(const std::string&, const std::string&)>&
                                    before = std::less<>()) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> codes_;
};

}  // namespace pipelined::train
