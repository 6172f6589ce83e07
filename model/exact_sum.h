// Sums of doubles without rounding.
//
// A fixed-point number wide enough for every double: adding is exact, so neither the order of rows
// nor the way in which they were divided into parts changes a bit of the result.  That is what lets
// the analysis of spans be merged.  Knows nothing of columns.  A plain value; one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dag/result.h"

namespace pipelined::model {

/// Wide enough for the difference of a sum of squares and a squared sum.
__extension__ typedef __float128 Wide;

/// The exact sum of what was added.
class ExactSum {
 public:
  /// REQUIRES: value is finite.
  void add(double value);
  /// Adds the square of a number without rounding.  REQUIRES: |value| <= 1e150.
  void add_square(double value);
  /// Adds all that the other has.
  void merge(const ExactSum& other);

  /// The sum with 113 bits.
  Wide wide() const;
  /// The sum as the nearest double, or a neighbour of it.
  double value() const { return static_cast<double>(wide()); }

  /// The same sum has the same digits, whatever it was made of.
  std::vector<std::int64_t> digits() const;
  /// The sum with these digits; digits of another length or out of range are an error.
  static Result<ExactSum> from_digits(const std::vector<std::int64_t>& digits);

 private:
  static constexpr std::size_t limb_count = 68;
  static constexpr std::int64_t adds_max = std::int64_t{1} << 29;

  void carry();

  std::array<std::int64_t, limb_count> limbs_{};  // each counts for 2^(32 i - 1074)
  std::int64_t adds_ = 0;                         // since the last carry
};

}  // namespace pipelined::model
