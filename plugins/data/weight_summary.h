// What statistics keep of one column when its rows have weights.
//
// Beside the counts of rows in ColumnSummary: sums, moments and distributions of the weights.  Knows
// Arrow arrays, not files or JSON.  One thread a summary.
#pragma once

#include <arrow/type_fwd.h>

#include <optional>

#include "plugins/common/column_types.h"
#include "plugins/data/moments.h"
#include "plugins/data/sketches.h"
#include "plugins/data/state_bytes.h"
#include "plugins/data/weighted_numbers.h"

namespace pipelined {

struct WeightSummary {
  Sum count;                ///< the weights of what is not missing
  WeightedMoments moments;  ///< of finite numbers
  Weight true_weight = 0, false_weight = 0;  ///< of bools
  WeightedNumbers numbers;  ///< finite numbers, dates and times
  TextWeights texts;

  /// `weights` has one entry a row of the array, which is of that type or a dictionary of texts.
  void add(const arrow::Array& array, std::optional<ColumnType> type, const double* weights);

  void write_state(StateWriter& writer) const;
  void merge_state(StateReader& reader);
};

}  // namespace pipelined
