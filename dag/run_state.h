// The states of a step in a run, and what may follow what.
//
//   waiting ──inputs settled──▶ ready ──slot──▶ running ──OK──▶ succeeded
//      │                          │ │              ├─HALT──▶ halted ──accept──▶ succeeded
//      │                          │ └─key known──▶ cached      │        reject──▶ rejected
//      │                          └─review──▶ in_review        drop ──▶ skipped
//      ├─input can never come──▶ skipped                       │
//      └─ancestor dead──▶ blocked ◀──────── failed ◀─no tries left
//   any open state ──cancel──▶ cancelled;   retry: failed, blocked, cancelled ──▶ waiting
//
// waiting and ready live in memory only: after a start they are decided again from the rows.
// Pure predicates; no I/O.
#pragma once

#include "dag/records.h"

namespace pipelined {

/// Its outputs can be read by anybody.
constexpr bool is_done(StepState s) { return s == StepState::succeeded || s == StepState::cached; }

/// Its outputs will not come unless somebody retries: dependents are blocked.
constexpr bool is_dead(StepState s) {
  return s == StepState::failed || s == StepState::rejected || s == StepState::cancelled ||
         s == StepState::blocked;
}

/// Nothing changes it any more by itself.  A halt or a review is not terminal: a person decides.
constexpr bool is_terminal(StepState s) {
  return is_done(s) || is_dead(s) || s == StepState::skipped;
}

/// A person's answer is awaited.
constexpr bool is_held(StepState s) { return s == StepState::halted || s == StepState::in_review; }

/// The run may still change by itself or by a person's answer.
constexpr bool is_open(RunState s) {
  return s == RunState::queued || s == RunState::running || s == RunState::halted ||
         s == RunState::in_review;
}

/// The machine does not act on it now.
constexpr bool is_at_rest(RunState s) { return s != RunState::queued && s != RunState::running; }

/// "validate/2013-12", or the step's name alone when it is not fanned out.
inline std::string step_path(const std::string& step, const std::string& element) {
  return element.empty() ? step : step + "/" + element;
}

}  // namespace pipelined
