// What holds for all runs of a pipeline: how many at once, how long, how many failures in a row.
#include <algorithm>

#include "dag/engine_state.h"

namespace pipelined {
namespace {

constexpr int runs_for_usual = 20;         // the usual duration is the median of so many
constexpr std::size_t runs_needed = 3;     // of fewer nothing is usual

std::string duration_text(std::int64_t ms) {
  const std::int64_t s = ms / 1000;
  if (s < 120) return std::to_string(s) + " s";
  if (s < 7200) return std::to_string(s / 60) + " min";
  return std::to_string(s / 3600) + " h " + std::to_string(s / 60 % 60) + " min";
}

}  // namespace

// ---- How many at once ------------------------------------------------------------------------------

bool Engine::State::has_room(const Run& run) const {
  if (run.row.options.backfill != 0) return true;  // it has a bound of its own
  const auto allowed = static_cast<std::size_t>(run.pipeline->spec.run.max_active);
  return active_runs(run.row.pipeline) < allowed;
}

// A run at rest goes on, or waits for its turn where others of its pipeline are running.
void Engine::State::reopen(Run& run) {
  run.row.state = run.cancelling || has_room(run) ? RunState::running : RunState::queued;
  run.row.end_reason = {};
  run.row.ended_at = 0;
  ledger.put(run.row);
  emit(effect::RunChanged{run.row.pipeline, run.row.number, run.row.state});
  if (run.row.state == RunState::running) take_up_waiting(run);
}

// After a start, or its time in the queue, nobody has looked yet at what waits in it.
void Engine::State::take_up_waiting(Run& run) {
  for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
    if (run.nodes[n].state == StepState::waiting) work.emplace_back(run.row.number, n);
  }
  touched.insert(run.row.number);
  arm_deadline(run);
}

// ---- How long --------------------------------------------------------------------------------------

std::int64_t Engine::State::deadline_of(const Run& run) const {
  const RunPolicySpec& policy = run.pipeline->spec.run;
  if (policy.deadline_usual <= 0) return policy.deadline_ms;
  std::vector<std::int64_t> durations;
  for (const RunRow& row : ledger.ended_runs(run.row.pipeline, 10 * runs_for_usual)) {
    if (row.state != RunState::succeeded || !row.options.full() || row.started_at == 0) continue;
    durations.push_back(row.ended_at - row.started_at);
    if (durations.size() == runs_for_usual) break;
  }
  if (durations.size() < runs_needed) return 0;
  const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
  std::nth_element(durations.begin(), middle, durations.end());
  return std::max<std::int64_t>(1000, static_cast<std::int64_t>(
                                          static_cast<double>(*middle) * policy.deadline_usual));
}

void Engine::State::arm_deadline(const Run& run) {
  if (dry || run.row.started_at == 0) return;
  const std::int64_t deadline = deadline_of(run);
  if (deadline <= 0) return;
  const std::int64_t left = std::max<std::int64_t>(0, run.row.started_at + deadline - now.wall_ms);
  // `trigger` carries what was promised, for the sentence.
  timers.emplace(now.steady_ms + std::min(left, deadline),
                 Timer{Timer::Kind::deadline, "", static_cast<std::size_t>(deadline),
                       run.row.number, 0, ""});
}

// Late is a fact for people; the run goes on.
void Engine::State::pass_deadline(const Run& run, std::int64_t deadline_ms) {
  const std::string name = "run " + std::to_string(run.row.number);
  std::string sentence = name + " of " + run.row.pipeline + " is " + name_of(run.row.state) +
                         " and has passed its deadline of " + duration_text(deadline_ms);
  if (run.pipeline->spec.run.deadline_usual > 0) sentence += ", measured by its usual duration";
  alert({run.row.pipeline + "/" + name + "/deadline", run.row.pipeline, name, "warning", sentence,
         run.row.number, "", "", Value(ValueTable{{"deadline_ms", deadline_ms}}), 0, 0});
}

// ---- How many failures -----------------------------------------------------------------------------

void Engine::State::count_failures(const std::string& name) {
  const auto found = pipelines.find(name);
  if (dry || found == pipelines.end() || found->second.row.paused) return;
  PipelineState& pipeline = found->second;
  const std::int64_t allowed = pipeline.current->spec.run.pause_after_failures;
  if (allowed == 0) return;
  // Whoever lets it go on again lets it fail as often again.
  const auto freed = ledger.last_decision(name, "unpause");
  std::int64_t failures = 0;
  RunNumber last = 0;
  for (const RunRow& row : ledger.ended_runs(name, static_cast<int>(std::min<std::int64_t>(allowed * 4, 1000)))) {
    if (row.state == RunState::cancelled) continue;
    if (row.state != RunState::failed || (freed && row.created_seq < freed->seq)) break;
    if (last == 0) last = row.number;
    ++failures;
  }
  if (failures < allowed) return;
  const std::string why = std::to_string(failures) + " runs in a row failed, the last is run " +
                          std::to_string(last);
  pipeline.row.paused = true;
  put(pipeline.row);
  decide("pause", name, name, "pause_after_failures", why, last);
  find_next_slot();
  alert({name + "/paused/" + std::to_string(last), name, name, "error",
         "pipeline " + name + " was paused: " + why + "; mend it, then: pipectl unpause " + name,
         last, "", "", {}, 0, 0});
}

}  // namespace pipelined
