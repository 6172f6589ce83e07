// Some rows of examples, encoded as a model sees them.
//
// Rows are chosen by a hash of seed and position, so the same examples give the same sample however
// they are cut into files or batches.  Knows nothing of explanations.  A plain value once read.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "model/model.h"
#include "plugins/common/examples.h"

namespace pipelined::evaluation {

/// The chosen rows, in their order.
struct Sample {
  std::vector<std::vector<float>> columns;  ///< a column a feature
  std::vector<double> labels;               ///< not-a-number: none, or an unknown class
  std::vector<std::int64_t> rows;           ///< positions in the examples
  bool has_labels = false;                  ///< whether the examples have the label's column
  std::int64_t rows_seen = 0;

  std::size_t size() const { return rows.size(); }
  /// The features of one row.
  std::vector<float> row(std::size_t at) const;
};

/// Reads all examples and keeps at most `rows_max`.  Errors as of BatchScorer and LabelReader.
Result<Sample> read_sample(ExamplesReader& reader, const model::Model& model,
                           std::int64_t rows_max, std::uint64_t seed,
                           const std::function<bool()>& stop_asked);

}  // namespace pipelined::evaluation
