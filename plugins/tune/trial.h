// What has been tried, and what came of it.
//
// Trials stand in the order in which they were named; none is under way when a round is asked for.
// Plain values.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace pipelined::tune {

/// Which way the metric is better.
enum class Goal { maximise, minimise };

/// Whether `one` is better than `other`.
inline bool better(Goal goal, double one, double other) {
  return goal == Goal::maximise ? one > other : one < other;
}

/// One trial.
struct Trial {
  nlohmann::json point;          ///< the values of the active parameters
  std::optional<double> metric;  ///< nothing: it failed, or its metric is no finite number
  std::size_t rung = 0;          ///< from 0; how much of the resource it was given
};

/// The text by which two points are the same.
inline std::string name_of(const nlohmann::json& point) { return point.dump(); }

}  // namespace pipelined::tune
