// What came of a search, as tuning/1 and as a page.
//
// docs/formats.md describes tuning.json.  Nothing in it hangs on when or how long something ran.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "plugins/tune/search.h"

namespace pipelined::tune {

/// One trial with what a reader wants to know besides.
struct Tried {
  Trial trial;
  nlohmann::json values;   ///< all that the element named, defaults included
  bool done = false;       ///< it gave an evaluation
  std::string evaluation;  ///< its digest
};

/// A search that has ended.
struct Tuning {
  Search search;
  nlohmann::json space;        ///< as the step says it
  std::vector<Tried> trials;   ///< in the order in which they were named
  End end = End::trials;
  bool stopped = false;        ///< by time, before it was through
  std::vector<std::size_t> ranking() const;
  /// Values of the trial that a training takes: of the active parameters, and the resource.
  nlohmann::json chosen_values(std::size_t trial) const;
  /// Why it ended, in a sentence.
  std::string sentence() const;
};

/// tuning.json.  REQUIRES: a trial with a metric, as for the page.
std::string tuning_json(const Tuning& tuning);
/// The best trials so far, for `pipectl show`: metric, goal, how many trials there are, and of each
/// its number, value, rung and parameters.
nlohmann::json ranking_note(const Tuning& tuning);
/// The page: ranks, the metric by trial, and by each parameter.
std::string tuning_page(const Tuning& tuning, const std::string& title);

}  // namespace pipelined::tune
