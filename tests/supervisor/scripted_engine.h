// An engine that does what a test says.
//
// The test's executable defines the members of `Engine` itself (at the top of
// supervisor_test.cc), so that the supervisor is tried without any decision of the real one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dag/engine.h"

namespace pipelined::testing {

/// What the engines of one test do, and what was done to them.
struct Script {
  std::function<void(const Event&, std::vector<Effect>&)> on_apply;
  std::function<void(const Recovered&, std::vector<Effect>&)> on_recover;
  std::optional<std::int64_t> timer;
  std::vector<Event> applied;          ///< over all engines, in order
  std::vector<std::size_t> pipelines;  ///< how many each recover got
  int engines_made = 0, engines_alive = 0;

  /// How many events of that kind were applied.
  template <class Kind>
  std::vector<Kind> of() const {
    std::vector<Kind> found;
    for (const Event& event : applied) {
      if (const auto* one = std::get_if<Kind>(&event)) found.push_back(*one);
    }
    return found;
  }
};

/// The script that engines follow; the fixture sets it.
extern Script* script;

}  // namespace pipelined::testing
