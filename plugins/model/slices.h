// Slices: which rows belong together by the values of columns.
//
// A slice column holds a word a row: the value itself, the bucket that a number falls into, or
// whether a predicate holds.  Slices are made of one column, or of several crossed.  Knows nothing
// of scores or metrics.  Plain values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dag/result.h"
#include "plugins/model/measure.h"

namespace pipelined::evaluation {

/// The words that one column takes, and which of them each row has.
struct SliceColumn {
  std::string name;
  std::vector<std::string> values;    ///< in the order of slices; a null is "(missing)"
  std::vector<std::uint32_t> of_row;  ///< a position in `values` a row

  static constexpr const char* missing = "(missing)";
};

/// How the numbers of a column are cut: at given places, or into so many parts of about equal size.
struct Buckets {
  std::vector<double> edges;
  std::size_t parts = 0;
};

/// The column of numbers cut into buckets "..10", "10..20", "20..", each from its lower edge on;
/// not-a-number is missing.
SliceColumn cut(std::string name, const std::vector<double>& numbers, const Buckets& buckets);

/// Sorts the values of a column of words, which stand in order of appearance.
void sort_values(SliceColumn& column);

/// The slices of crossed columns, "a=1, b=2", in order of the columns' values; those without a row
/// are not there.  Error: more than `slices_max`.
Result<std::vector<Slice>> slices_of(const std::vector<const SliceColumn*>& columns);

/// More make a table of numbers, not slices that somebody can look at.
inline constexpr std::size_t slices_max = 1000;

}  // namespace pipelined::evaluation
