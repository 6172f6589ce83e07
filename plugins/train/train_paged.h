// Training trees on rows that do not fit into memory.
//
// Reads the examples once into numbers in a file, cuts these into bins, and grows trees from pages of
// them.  What is learned is written as every model of trees is; the record says how it was grown.
// Knows XGBoost only as the writer of its own format.
#pragma once

#include "plugins/train/growing.h"
#include "plugins/train/training_table.h"

namespace pipelined::train {

/// A training from pages: what was learned (its table has no rows, only counts) and grown.
struct PagedTraining {
  Learned learned;
  Grown grown;
  std::int64_t rows = 0, validation_rows = 0;
};

/// Trains.  An error says which parameter or input pages cannot serve.
Result<PagedTraining> train_paged(const sdk::Context& context, const Settings& settings,
                                  std::shared_ptr<const model::Transform> transform);

}  // namespace pipelined::train
