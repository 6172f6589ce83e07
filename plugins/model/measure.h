// Every metric of one model on every slice, for rows that count once or several times.
//
// A Measure is built once from scores, labels and slices; `compute` then gives all numbers for any
// weights, which is how point values (all weights 1) and resamples come from the same code.  Weights
// belong to rows, so two models measured with the same weights are compared in pairs.  What is not
// defined is not-a-number.  Immutable once made; any number of threads may compute at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/signature.h"

namespace pipelined::evaluation {

/// Some of the rows, by a name: "" (all), "origin=JFK", "origin=JFK, carrier=UA".
struct Slice {
  std::string name;
  std::vector<std::uint32_t> rows;  ///< ascending
};

/// Which number it is.
struct MetricKey {
  std::string name;                 ///< "auc", "precision", "recall.CLASS"
  std::optional<double> threshold;  ///< of metrics that call rows positive from it on

  bool operator==(const MetricKey&) const = default;
};

/// What decides which metrics there are.
struct MeasureOptions {
  std::vector<double> thresholds;
  std::vector<double> recalls;  ///< for each a metric precision_at_recall_R
};

/// A number as text that reads back the same: "0.5".
std::string shortest(double value);

class Measure {
 public:
  virtual ~Measure() = default;
  /// The metrics, the same for each slice.
  const std::vector<MetricKey>& keys() const { return keys_; }
  std::size_t slice_count() const { return slice_count_; }
  /// Fills `table`, slice after slice, a number a key.  REQUIRES: a weight a row.
  virtual void compute(std::span<const std::uint8_t> weights, std::span<double> table) const = 0;

 protected:
  std::vector<MetricKey> keys_;
  std::size_t slice_count_ = 0;
};

/// The measure for the signature's objective.  `scores`: score_count() a row; `labels`: one a row.
/// REQUIRES: no score is not-a-number.
std::unique_ptr<Measure> make_measure(const model::Signature& signature,
                                      std::span<const float> scores,
                                      std::span<const double> labels,
                                      const std::vector<Slice>& slices,
                                      const MeasureOptions& options);

/// The one of `make_measure` for each objective.
std::unique_ptr<Measure> make_binary_measure(std::span<const float> scores,
                                             std::span<const double> labels,
                                             const std::vector<Slice>& slices,
                                             const MeasureOptions& options);
/// See `make_binary_measure`; `classes` names the classes.
std::unique_ptr<Measure> make_class_measure(std::span<const float> scores,
                                            std::span<const double> labels,
                                            const std::vector<Slice>& slices,
                                            const std::vector<std::string>& classes);
/// See `make_binary_measure`.
std::unique_ptr<Measure> make_value_measure(std::span<const float> scores,
                                            std::span<const double> labels,
                                            const std::vector<Slice>& slices);

/// The rows of each slice in the order of `order`, as positions in it.
std::vector<std::vector<std::uint32_t>> in_order(const std::vector<std::uint32_t>& order,
                                                 const std::vector<Slice>& slices);

/// A probability of exactly 0 or 1 would make the loss of one row infinite.
double clipped(double probability);

}  // namespace pipelined::evaluation
