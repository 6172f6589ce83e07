// What statistics keep of one column while its values stream by, and how two of them merge.
//
// Counts, extremes and integer sums are exact.  Floating sums are taken over blocks of 4,096 values,
// compensated, and merged in order, so the number of threads changes nothing.  Distinct values are
// exact up to `exact_values_max`, then sketched.  Knows Arrow arrays, not files or JSON.  One thread
// a summary.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "plugins/common/column_types.h"
#include "plugins/data/sketches.h"

namespace pipelined {

/// Holds the sum of any number of 64-bit integers that fits into memory.
__extension__ using WideInteger = __int128;

/// Mean and spread of numbers that merge without loss of small differences.
class Moments {
 public:
  void add_block(const double* values, std::size_t count);
  void merge(const Moments& other);
  std::int64_t count() const { return count_; }
  double mean() const { return count_ > 0 ? (sum_ + lost_) / static_cast<double>(count_) : 0; }
  /// Of the population.
  double std_dev() const;

 private:
  void add_to_sum(double value);
  std::int64_t count_ = 0;
  double sum_ = 0, lost_ = 0;  // compensated
  double spread_ = 0;          // sum of squared distances from the mean
};

/// One column's summary.
class ColumnSummary {
 public:
  explicit ColumnSummary(std::optional<ColumnType> type) : type_(type) {}

  /// Takes the values of an array of that column: of its type, or a dictionary of texts.
  /// `weights` is null or has one entry a row.
  void add(const arrow::Array& array, const double* weights);

  /// The same as having taken the other's values after these.
  void merge(const ColumnSummary& other);

  /// Nothing for types that statistics only count.
  std::optional<ColumnType> type() const { return type_; }
  std::int64_t rows = 0;
  std::int64_t count = 0;          ///< not missing
  double weighted_count = 0;       ///< sum of the weights of what is not missing
  double weighted_sum = 0, weighted_square_sum = 0;

  // Numbers, dates and times.
  std::int64_t zeros = 0, nan = 0, infinite = 0;
  std::int64_t integer_min = INT64_MAX, integer_max = INT64_MIN;
  WideInteger integer_sum = 0;
  double number_min = 0, number_max = 0;  ///< of finite values, if moments.count() > 0
  Moments moments;                        ///< of finite values

  // Bools.
  std::int64_t true_count = 0;

  // Strings.
  std::int64_t character_count = 0;
  TextCounts texts;

  /// Whether distinct values were counted exactly.
  bool exact() const { return type_ == ColumnType::text ? texts.exact() : !overflowed_; }
  std::int64_t unique() const;

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
  void add_weights(const arrow::Array& array, const double* weights);
  void count_value(std::uint64_t bits, double number, std::int64_t times);
  void overflow();
  void sketch_texts();

  std::optional<ColumnType> type_;
  ValueCounts values_;
  bool overflowed_ = false;
  std::unique_ptr<DistinctSketch> distinct_;
  std::unique_ptr<QuantileSketch> quantiles_;
};

}  // namespace pipelined
