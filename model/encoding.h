// From what a table or a request holds to the numbers that trees compare.
//
// One rule for training, evaluation and serving: a missing value is not-a-number; false and true are
// 0 and 1; numbers are rounded to 32 bits; a text is the position of its category in the signature.
// A text that training never saw is treated as missing, so that it goes the way that the trees
// learned for missing values.  The encoder does not know where cells come from.  It is immutable
// once made; any number of threads may use it at once.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "dag/result.h"
#include "model/signature.h"

namespace pipelined::model {

/// What a tree is given for a value that is not there.
inline constexpr float missing = std::numeric_limits<float>::quiet_NaN();

/// One value of a row: missing, or one of the kinds that tables and JSON have.
using Cell = std::variant<std::monostate, bool, std::int64_t, double, std::string_view>;

/// The codes of one text feature.
class CategoryCodes {
 public:
  /// `categories` in code order.
  explicit CategoryCodes(const std::vector<std::string>& categories);

  /// The code, or `missing` for a text that is no category.
  float code(std::string_view text) const {
    const auto found = codes_.find(text);
    return found == codes_.end() ? missing : found->second;
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::unordered_map<std::string, float, Hash, std::equal_to<>> codes_;
};

/// Encodes rows and columns of one signature.
class Encoder {
 public:
  explicit Encoder(Signature signature);

  const Signature& signature() const { return signature_; }

  /// Fills `row` (a number a feature, in signature order) from `cells` (the same order).  A cell of
  /// a kind that the feature cannot have (a text for a number, a fraction for an integer, anything
  /// but a text for a category) is an error that names the feature.
  /// REQUIRES: both have as many items as there are features.
  Result<void> encode_row(std::span<const Cell> cells, std::span<float> row) const;

  /// The codes of a text feature.  REQUIRES: the feature is of type text.
  const CategoryCodes& codes(std::size_t feature) const {
    return codes_[slots_[feature]];
  }

 private:
  Signature signature_;
  std::vector<CategoryCodes> codes_;  // of the text features only
  std::vector<std::size_t> slots_;    // feature → position in codes_
};

}  // namespace pipelined::model
