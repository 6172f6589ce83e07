// The next point by a tree of Parzen estimators.
//
// Bergstra, Bardenet, Bengio and Kégl, "Algorithms for Hyper-Parameter Optimization" (NIPS 2011),
// section 4: of the trials so far the best share is good, the others are bad; l and g are the
// densities of the good and the bad (plugins/tune/parzen.h).  Candidates are drawn from l, walking
// the tree of parameters, and the one with the greatest l / g, that is the greatest expected
// improvement, is tried next.  Pure.
#pragma once

#include <vector>

#include "plugins/tune/parzen.h"
#include "plugins/tune/space.h"
#include "plugins/tune/trial.h"

namespace pipelined::tune {

/// How a tree of Parzen estimators is used.
struct TpeSettings {
  std::size_t startup = 10;     ///< so many trials are drawn evenly
  std::size_t candidates = 24;  ///< points drawn from the good ones for each trial
  double good = 0.15;           ///< share of the finished trials that is good, rounded up
};

/// Densities of good and bad points.
class Tpe {
 public:
  /// Of the trials so far; `pending`, which have no metric yet, count as bad, so that a round does
  /// not try one place several times.
  Tpe(const Space& space, Goal goal, const TpeSettings& settings, const std::vector<Trial>& history,
      const std::vector<nlohmann::json>& pending);

  /// log l - log g, summed over the parameters that are active in the point.
  double score(const nlohmann::json& point) const;
  /// A point drawn from l.
  nlohmann::json draw(Draws& draws) const;
  /// The best of so many points drawn from l; the earliest of equal ones.
  nlohmann::json propose(Draws& draws, std::size_t candidates) const;

 private:
  const Space* space_;
  std::vector<Parzen> good_, bad_;  ///< one a parameter, of the trials in which it was active
};

}  // namespace pipelined::tune
