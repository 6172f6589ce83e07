// A search: what it was asked for, and which elements it names next.
//
// Each round is a function of the settings and of all trials before it, in the order in which they
// were named; the time that they took decides nothing.  With a larger `max` the same trials come
// first, so they are found again.  Knows nothing of files and of the engine.  Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dag/result.h"
#include "plugins/tune/space.h"
#include "plugins/tune/tpe.h"
#include "plugins/tune/trial.h"

namespace pipelined::tune {

enum class Strategy { grid, random, tpe, halving, asha };

/// What trials are given more of, rung by rung.
struct Resource {
  std::string name;                     ///< of the value that an element has beside those searched
  std::vector<nlohmann::json> rungs;    ///< rising: min, min * factor, …, max
  std::size_t factor = 3;               ///< one of so many goes on to the next rung
};

/// What a search was asked for.
struct Search {
  Space space;
  Strategy strategy = Strategy::tpe;
  Goal goal = Goal::maximise;
  std::string metric, slice;
  std::size_t max = 0;       ///< so many trials, of all rungs together
  std::size_t parallel = 1;  ///< trials a round
  std::size_t patience = 0;  ///< trials without a better one after which it ends; 0: never
  TpeSettings tpe;
  std::optional<Resource> resource;
  std::int64_t seed = 0;

  /// Reads a step's parameters (`max` is the step's `generated_max`); an error names the one that
  /// is wrong.
  static Result<Search> read(const nlohmann::json& params, std::int64_t seed);
  /// An element as it came back, with what it names beside the point: the trial without a metric.
  Trial trial_of(const nlohmann::json& element) const;
};

/// Why no further round follows.
enum class End { goes_on, trials, patience, grid, space, rungs };

/// The elements of the next round; none if it has ended.
struct Round {
  std::vector<nlohmann::json> elements;
  End end = End::goes_on;
};

/// What is tried next.  An error where settings and space do not fit.
Result<Round> next_round(const Search& search, const std::vector<Trial>& history);

/// All trials, the best first: by rung, then metric, then the earlier; those without a metric last.
std::vector<std::size_t> ranked(const Search& search, const std::vector<Trial>& history);

/// How many points begin on the lowest rung if all rungs of a halving take at most `max` trials.
std::size_t points_of_halving(std::size_t max, std::size_t rungs, std::size_t factor);

const char* name_of(Strategy strategy);
const char* name_of(Goal goal);

}  // namespace pipelined::tune
