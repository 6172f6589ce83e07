// Numbers that say how good scores are.
//
// Each objective has its list; what is not defined for some rows (an area under a curve with one
// class only) has no value rather than a misleading one.  Sums are compensated and in row order, so
// the same rows give the same bits.  Knows nothing of columns, models or files.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "plugins/model/ranking.h"

namespace pipelined::evaluation {

/// One number.
struct Metric {
  std::string name;                 ///< "auc", "precision", …
  std::string slice;                ///< "" for all rows, else "origin=JFK"
  std::optional<double> value;      ///< nothing: not defined for these rows
  std::optional<double> threshold;  ///< of metrics that call rows positive above it
};

/// The counts behind the metrics of one slice.
struct SliceCounts {
  std::string slice;
  std::int64_t rows = 0;
  std::optional<double> threshold;  ///< with it, `counts` hold
  Counts counts;
};

/// Scores of a yes-or-no question: auc, pr_auc, log_loss, brier, score_mean, label_mean, and for each
/// threshold precision, recall, f1, accuracy.  REQUIRES: as many scores as labels.
void add_binary_metrics(const Ranking& ranking, std::span<const float> scores,
                        std::span<const std::uint8_t> labels,
                        const std::vector<double>& thresholds, const std::string& slice,
                        std::vector<Metric>& metrics, std::vector<SliceCounts>& counts);

/// Scores of a choice between classes, `class_count` a row: accuracy, log_loss and the means over
/// classes precision_macro, recall_macro, f1_macro.
void add_class_metrics(std::span<const float> scores, std::span<const std::uint32_t> labels,
                       std::size_t class_count, const std::string& slice,
                       std::vector<Metric>& metrics);

/// Expected values: rmse, mae, r2.
void add_value_metrics(std::span<const float> scores, std::span<const double> labels,
                       const std::string& slice, std::vector<Metric>& metrics);

}  // namespace pipelined::evaluation
