// Finds the parameters of least loss: L-BFGS, and OWL-QN where there is an absolute penalty.
//
// After Andrew and Gao, "Scalable training of L1-regularized log-linear models" (2007); with no
// absolute penalty it is L-BFGS after Nocedal.  Each step passes over the rows once or a few times.
// The state between two steps is one plain value that can be written and read back, so that a
// training goes on as if it had never been lost.  Knows nothing of rows.  One thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "dag/result.h"

namespace pipelined::train {

/// Loss and gradient at some parameters.
using Measure =
    std::function<Result<double>(std::span<const double> parameters, std::span<double> gradient)>;

/// Penalties and when to stop.
struct DescentSettings {
  double l1 = 0, l2 = 0;
  std::size_t unpenalised = 0;  ///< so many parameters at the front
  std::int64_t steps_max = 200;
  double tolerance = 1e-6;  ///< of the largest component of the gradient, by those units
  /// The units in which each parameter is searched; empty: 1.  They decide how quickly the least is
  /// found, not where it is: penalties count the parameters themselves.
  std::vector<double> units = {};
};

/// Where a descent stands.
struct DescentState {
  std::int64_t steps = 0;
  bool ended = false;           ///< nothing more to gain
  double value = 0;             ///< loss and penalties
  double slope = 0;             ///< largest component of the gradient
  std::vector<double> parameters, gradient;     ///< in units; of the loss and the square penalty
  std::vector<std::vector<double>> moves, changes;  ///< of the last steps: parameters, gradients
  std::vector<double> curve, second_curve;      ///< a caller's: losses after each step

  /// Writes it whole or not at all.
  Result<void> save(const std::filesystem::path& path) const;
  /// Reads it back; false if there is none of this size that can be read.
  bool load(const std::filesystem::path& path, std::size_t parameter_count);
};

/// One descent.
class Descent {
 public:
  Descent(DescentSettings settings, Measure measure)
      : settings_(std::move(settings)), measure_(std::move(measure)) {}

  /// Begins where all parameters are 0.
  Result<DescentState> begin(std::size_t parameter_count) const;
  /// The parameters themselves.
  std::vector<double> parameters(const DescentState& state) const;
  /// One step down; sets `ended` when no step leads further down.
  Result<void> step(DescentState& state) const;

 private:
  Result<double> value_at(std::span<const double> parameters, std::vector<double>& gradient) const;
  std::vector<double> steepest(const DescentState& state) const;
  bool penalised(std::size_t at) const { return at >= settings_.unpenalised; }
  double unit(std::size_t at) const { return settings_.units.empty() ? 1 : settings_.units[at]; }
  double l1(std::size_t at) const { return settings_.l1 * unit(at); }
  std::vector<double> in_full(std::span<const double> parameters) const;

  DescentSettings settings_;
  Measure measure_;
};

}  // namespace pipelined::train
