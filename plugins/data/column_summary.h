// What statistics keep of one column while its values stream by, and how two of them merge.
//
// Counts, extremes and integer sums are exact.  Floating sums are taken over blocks of 4,096 values,
// compensated, and merged in order, so the number of threads changes nothing.  Distinct values are
// exact up to `exact_values_max`, then sketched.  A summary can be written as a small state and states
// merged again (column_state.cc).  Knows Arrow arrays, not files or JSON.  One thread a summary.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/common/column_types.h"
#include "plugins/data/moments.h"
#include "plugins/data/sketches.h"
#include "plugins/data/state_bytes.h"
#include "plugins/data/weight_summary.h"

namespace pipelined {

/// Holds the sum of any number of 64-bit integers that fits into memory.
__extension__ using WideInteger = __int128;

/// How long texts are: in characters or in bytes.
struct Lengths {
  std::int64_t total = 0, min = INT64_MAX, max = 0;
  void add(std::int64_t length, std::int64_t times) {
    total += length * times;
    min = length < min ? length : min;
    max = length > max ? length : max;
  }
  void merge(const Lengths& other) {
    total += other.total;
    min = other.min < min ? other.min : min;
    max = other.max > max ? other.max : max;
  }
};

/// Stands for all texts of more than `long_text_bytes` in counts of values.
inline constexpr const char* long_text_word = "__LARGE_BYTES__";
inline constexpr std::size_t long_text_bytes = 1024;

/// One column's summary.
class ColumnSummary {
 public:
  /// Exact up to `distinct_max` different values.
  explicit ColumnSummary(std::optional<ColumnType> type,
                         std::size_t distinct_max = exact_values_max)
      : texts(distinct_max), type_(type), values_(distinct_max) {}

  /// Takes the values of an array of that column: of its type, or a dictionary of texts.
  /// `weights` is null or has one entry a row.
  void add(const arrow::Array& array, const double* weights);

  /// Nothing for types that statistics only count.
  std::optional<ColumnType> type() const { return type_; }
  std::int64_t rows = 0;
  std::int64_t count = 0;          ///< not missing
  std::unique_ptr<WeightSummary> weighted;  ///< null: rows have no weights

  // Numbers, dates and times.
  std::int64_t zeros = 0, nan = 0;
  std::int64_t infinite = 0, negative_infinite = 0;  ///< the first of both signs
  std::int64_t integer_min = INT64_MAX, integer_max = INT64_MIN;
  WideInteger integer_sum = 0;
  double number_min = 0, number_max = 0;  ///< of finite values, if moments.count() > 0
  Moments moments;                        ///< of finite values

  // Bools.
  std::int64_t true_count = 0;

  // Strings.
  Lengths characters, bytes;
  std::int64_t empty = 0, invalid_utf8 = 0;
  TextCounts texts;

  /// Whether distinct values were counted exactly.
  bool exact() const { return type_ == ColumnType::text ? texts.exact() : !overflowed_; }
  std::int64_t unique() const;

  /// By how much a quantile's rank may be off, as a share of the count; 0: not at all.
  double rank_error() const;

  /// Appends the state: what merging needs, some kilobytes at most.
  void write_state(StateWriter& writer) const;

  /// The same as merging the summary that wrote the state, within the stated errors.  Error (corrupt):
  /// the bytes are no state of a column of this type.
  Result<void> merge_state(StateReader& reader);

  /// Once all states were merged: makes what they left small.
  void settle();

  /// Finite numbers in order with how often each came: exact, or from the sketch.
  std::vector<std::pair<double, std::int64_t>> sorted_numbers() const;

  /// Exact integer values with their counts, sorted by value; REQUIRES: exact().
  std::vector<std::pair<std::int64_t, std::int64_t>> integer_counts() const;

 private:
  void add_integers(const std::int64_t* values, std::size_t count);
  void add_numbers(const double* values, std::size_t count);
  void add_finite(const double* values, std::size_t count);
  void add_bools(const arrow::Array& array);
  void add_texts(const arrow::Array& array);
  void add_dictionary(const arrow::Array& array);
  void count_value(std::uint64_t bits, double number, std::int64_t times);
  void overflow();
  void add_text(std::string_view text, std::int64_t times, std::int64_t characters_in_it);
  void sketch_texts();
  void write_values(StateWriter& writer) const;
  void write_texts(StateWriter& writer) const;
  void merge_values(StateReader& reader);
  void merge_texts(StateReader& reader);
  void add_points(const std::vector<std::pair<double, std::int64_t>>& sorted);
  double number_of(std::uint64_t bits) const;

  std::optional<ColumnType> type_;
  ValueCounts values_;
  bool overflowed_ = false;
  std::unique_ptr<DistinctSketch> distinct_;
  std::unique_ptr<QuantileSketch> quantiles_;
  std::vector<std::pair<double, std::int64_t>> points_;  // of merged states: values with weights
  double points_error_ = 0;
};

inline void ColumnSummary::count_value(std::uint64_t bits, double number, std::int64_t times) {
  if (!overflowed_) {
    if (values_.add(bits, times)) return;
    overflow();
  }
  distinct_->add(mix(bits));
  if (times == 1) {
    quantiles_->add(number);
  } else {
    quantiles_->add(number, times);
  }
}

}  // namespace pipelined
