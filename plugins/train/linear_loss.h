// The loss of linear models over rows in a file, and its gradient.
//
// Rows are passed chunk by chunk; each chunk's part is summed by one thread and the parts are added
// in the order of the chunks, so that the number of threads changes no bit.  Parameters are the
// intercepts of all scores, then the weights of the first score, of the second, …
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "model/signature.h"
#include "plugins/train/row_store.h"

namespace pipelined::train {

/// What is minimised: the weighted mean of the rows' losses plus half the square penalty.
class LinearLoss {
 public:
  /// `class_weights`: a factor for the rows of each class; empty: all count alike.
  /// REQUIRES: the store outlives this.
  LinearLoss(const RowStore& rows, model::Objective objective, std::size_t groups,
             std::size_t features, std::vector<double> class_weights, int threads);

  std::size_t size() const { return groups_ * (features_ + 1); }
  std::size_t groups() const { return groups_; }
  model::Objective objective() const { return objective_; }

  /// The mean loss without penalty; `gradient`, unless empty, gets its derivative.
  /// `stop` is asked before each group of chunks.
  Result<double> measure(std::span<const double> parameters, std::span<double> gradient,
                         const std::function<bool()>& stop) const;

 private:
  struct Part {
    double loss = 0;
    double weight = 0;
    std::vector<double> gradient;
    Result<void> read;
  };

  void add_chunk(std::span<const double> parameters, std::size_t chunk, bool gradient,
                 Part& part) const;
  double add_row(std::span<const double> margins, float label, std::span<double> slopes) const;

  const RowStore& rows_;
  model::Objective objective_;
  std::size_t groups_, features_;
  std::vector<double> class_weights_;
  int threads_;
};

}  // namespace pipelined::train
