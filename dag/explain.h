// Sentences for people: why a step or run is as it is, and what can be done about it.
//
// Functions from recorded facts to words that read well aloud.  They look nothing up: whoever calls
// has put the facts together.  An operator knows no span, so a halt's spans come in beside its
// verdict.  Pure, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dag/records.h"

namespace pipelined {

/// A state that a step was in, since when and why.
struct StateChange {
  TimeMs at = 0;
  StepState state = StepState::waiting;
  Reason reason;
  bool operator==(const StateChange&) const = default;
};

/// A halted or reviewed step with what surrounds it.
struct HeldStep {
  RunNumber run = 0;
  std::string pipeline, source;  ///< the source whose span it worked on; empty: none
  std::string step, element;
  StepState state = StepState::halted;
  std::string verdict;           ///< the operator's sentence, or the engine's reason
  std::string previous;          ///< the span that it was compared with; empty: none
  Value notes;                   ///< the operator's; `rows` is told if the verdict does not
  std::vector<std::string> waiting;  ///< steps that wait for it
};

/// "halted: label late moved from 9.8 % to 21.1 % true (l_infinity 0.114 > 0.1) between 2013-11 and
/// 2013-12, 27,020 rows; steps split and backtest wait."
std::string explain_held(const HeldStep& held);

/// What a person can do about it: commands to type, or words where there is no command.
std::vector<std::string> ways_on(const HeldStep& held);

/// "To go on: A; B; C or D."; empty without ways.
std::string spoken_ways(const std::vector<std::string>& ways);

/// One thing that changed: "parameter max_depth changed from 6 to 8".
std::string explain_change(const ReasonDetail& change);

/// All states of a step in order: what its row said before and says now, when it ran, which its
/// attempts tell, and the waits between.  `waited_for` names the step whose end let it begin.
std::vector<StateChange> step_history(const StepRow& row, const std::vector<StateChange>& past,
                                      const std::vector<AttemptRow>& attempts,
                                      TimeMs run_started_at, const std::string& waited_for);

/// How an attempt ended and whose fault that was: "attempt 2 failed by a fault of the step: …";
/// empty for one that runs or was good.
std::string explain_attempt(const AttemptRow& row);

/// A step that is not held: its state and why, "cached: same inputs as run 1".
std::string explain_step(const StepRow& row);

/// How a run stands: "run 4 of flights halted: arrival flights 2013-12".
std::string explain_run(const RunRow& row);

/// "a", "a and b", "a, b and c".
std::string spoken_list(const std::vector<std::string>& names);
/// 27020 → "27,020".
std::string with_thousands(std::int64_t number);
/// "0.4 s", "12 s", "3 min 5 s", "2 h 10 min".
std::string spoken_duration(std::int64_t ms);
/// "812 B", "2.7 MiB".
std::string spoken_size(std::int64_t bytes);

/// A step as people name it, "validate/2013-12", taken apart at its first slash.
struct StepName {
  std::string step, element;
};
StepName parse_step_name(std::string_view text);

}  // namespace pipelined
