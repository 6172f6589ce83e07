// What a transform has to know about the data, gathered row by row and merged part by part.
//
// Counts and exact sums only: neither the order of rows nor the division into parts changes a byte of
// the result, so the analysis of each span is made once and kept.  It knows no Arrow.  A plain
// value; belongs to one thread.
#pragma once

#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dag/result.h"
#include "model/encoding.h"
#include "model/exact_sum.h"
#include "model/feature_spec.h"
#include "model/transform.h"
#include "model/value_counts.h"

namespace pipelined::model {

/// How often a word occurs, and in how many rows.
struct WordCount {
  std::int64_t total = 0, rows = 0;
};

/// What was seen of one feature.
struct FeatureFacts {
  std::int64_t rows = 0, missing = 0;
  ExactSum sum, squares;
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
  ValueCounts values;
  std::unordered_map<std::string, WordCount> words;
};

/// The facts of all features of a declaration.
class Analysis {
 public:
  /// More different words of one feature than this are refused.
  static constexpr std::size_t words_max = 2'000'000;

  /// `columns`: what the data has.  An error names a column that is not there or that a method
  /// cannot read.
  static Result<Analysis> begin(std::vector<FeatureSpec> features,
                                std::span<const ColumnInput> columns);

  const std::vector<FeatureSpec>& features() const { return features_; }
  /// The columns to be read, in the order of the cells of a row.
  const std::vector<ColumnInput>& columns() const { return columns_; }
  const std::vector<FeatureFacts>& facts() const { return facts_; }

  /// Takes a row.  REQUIRES: a cell a column.
  Result<void> add_row(std::span<const Cell> cells);
  /// Takes the facts of another part; refuses one of another declaration or of other types.
  Result<void> merge(const Analysis& other);

  /// The text of analysis.json; equal facts have equal text.
  std::string json_text() const;
  /// Reads it back.
  static Result<Analysis> parse(std::string_view text);

  /// What follows for the transform.  An error names the feature: nothing to impute from, too many
  /// categories for columns.
  Result<Transform> fit(std::shared_ptr<const WordVectors> vectors) const;

 private:
  Result<void> add_words(std::size_t feature, std::span<const Cell> cells);

  std::vector<FeatureSpec> features_;
  std::vector<ColumnInput> columns_;
  std::vector<FeatureFacts> facts_;
  std::vector<std::vector<std::size_t>> cells_of_;          // feature → positions in columns_
  std::vector<std::vector<ColumnInput>> columns_of_;
};

}  // namespace pipelined::model
