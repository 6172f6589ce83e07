// What a simulated life is made of, as a file that people can read and a shrinker can make small.
//
// A seed makes many things happen.  A scenario names the seed and, if it was shrunk, the only things
// that still happen and the steps that are taken out of the pipeline.  It knows no world.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dag/engine.h"

namespace pipelined::sim {

/// A broken invariant: what, with the names of the rows.
struct Violation {
  std::string sentence;
};

/// Without the steps that a scenario takes out the pipeline is none.
struct Unfit {};

/// Something that a seed made happen: a name that stays when others are taken away, and what it is.
struct Happening {
  std::string name, what;
};

/// A life to be lived.
struct Scenario {
  std::uint64_t seed = 1;
  PlantedBug planted = PlantedBug::none;
  std::optional<std::set<std::string>> keep;  ///< names of happenings; none: all
  std::set<std::string> without;              ///< steps that the pipeline does not have
};

/// The name of a planted bug, and the bug of a name (none: there is no such).
const char* name_of(PlantedBug planted);
std::optional<PlantedBug> planted_bug(const std::string& name);
/// Every bug that can be planted.
std::vector<PlantedBug> planted_bugs();

/// The scenario as text; `comments` says for each kept name what it was.
std::string text_of(const Scenario& scenario, const std::vector<Happening>& comments,
                    const std::string& sentence);
/// The scenario of a text, or why it is none.
Result<Scenario> parse_scenario(const std::string& text);

/// What came of a life: the sentence of its violation (empty: none) and what happened in it.
struct Lived {
  std::string sentence;
  std::vector<Happening> happened;
  std::vector<std::string> steps;  ///< of its pipeline
};

/// Takes away happenings and steps while the life still ends in a violation.  `live` is asked at
/// most `lives_max` times.  REQUIRES: the scenario ends in one.
Scenario shrink(const Scenario& scenario, const std::function<Lived(const Scenario&)>& live,
                int lives_max);

}  // namespace pipelined::sim
