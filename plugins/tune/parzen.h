// What the values of good (or of bad) trials say about where to look, one parameter at a time.
//
// The adaptive Parzen estimator of Bergstra, Bardenet, Bengio and Kégl, "Algorithms for
// Hyper-Parameter Optimization" (NIPS 2011), section 4.2.  On an axis [a, b] it is the evenly
// weighted mixture of the even prior and of a Gaussian around each value, cut off at a and b; the
// deviation of each is the greater of the distances to its neighbours (a and b are neighbours, too),
// kept between (b - a) / min(100, n + 1) and b - a.  A whole number has the mass from half below to
// half above it.  Of N choices, choice i has a weight of 1 + how often it occurs.  Pure.
#pragma once

#include <vector>

#include "plugins/tune/space.h"

namespace pipelined::tune {

class Parzen {
 public:
  /// Of these values of a parameter, in any order.
  Parzen(const Parameter& parameter, const std::vector<nlohmann::json>& values);

  /// The logarithm of the density at a value; of whole numbers and choices that of its mass.
  double log_density(const nlohmann::json& value) const;
  /// A value drawn from it.
  nlohmann::json draw(Draws& draws) const;

 private:
  struct Bell {
    double mean = 0, deviation = 0, inside = 1;  ///< inside: its share between both ends
  };
  double mass(double from, double to) const;
  double density(double place) const;

  const Parameter* parameter_;
  double low_ = 0, high_ = 0;
  std::vector<Bell> bells_;
  std::vector<double> weights_;  ///< of choices
};

}  // namespace pipelined::tune
