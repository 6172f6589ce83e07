// Which rows stay when a remedy leaves out a share of each class.
//
// A row is drawn by what it holds and the seed, never by its place, so that the same rows stay in
// whatever order and files they come.  Of rows that are alike each counts for itself: the n-th of
// them is drawn by its content and n.  Knows no remedy and no columns.  A function without state.
#pragma once

#include <cstdint>
#include <span>

#include "plugins/train/training_table.h"

namespace pipelined::train {

/// Keeps of `table` the rows that their share (0 to 1, one a row) keeps, and their order.
/// REQUIRES: shares.size() == table.row_count(); `width` numbers a row.
void undersample(TrainingTable& table, std::size_t width, std::span<const float> shares,
                 std::int64_t seed);

}  // namespace pipelined::train
