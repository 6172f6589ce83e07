// Trials on rungs: many with little of the resource, few with all of it.
//
// Successive halving: Jamieson and Talwalkar, "Non-stochastic Best Arm Identification and
// Hyperparameter Optimization" (AISTATS 2016).  ASHA: Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur,
// Hardt, Recht and Talwalkar, "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020),
// algorithm 2, asked once for each place of a round with the trials of the rounds before as those
// that are complete: so timing changes nothing.  A trial goes up by being trained anew with more of
// the resource.  Pure.
#pragma once

#include <functional>
#include <vector>

#include "plugins/tune/search.h"

namespace pipelined::tune {

/// A point that was not tried before, the `place`-th new one; nothing if none is left.
using NewPoint = std::function<std::optional<nlohmann::json>(std::size_t place)>;

/// The next round of a halving that begins with `points` points.
Round halving_round(const Search& search, const std::vector<Trial>& history, std::size_t points,
                    std::size_t most, const NewPoint& new_point);

/// The next round of ASHA.
Round asha_round(const Search& search, const std::vector<Trial>& history, std::size_t most,
                 const NewPoint& new_point);

}  // namespace pipelined::tune
