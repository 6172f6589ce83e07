#include "dag/retention.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "dag/run_state.h"

namespace pipelined {
namespace {

constexpr TimeMs hour_ms = 3'600'000;
constexpr TimeMs day_ms = 24 * hour_ms;

/// What was seen of a pipeline, newest run first.
struct Seen {
  std::int64_t runs = 0;
  bool succeeded = false;
};

RunVerdict judge_run(const RunFact& run, Seen& seen, const RetentionPolicy& policy, TimeMs now) {
  const std::int64_t place = seen.runs++;
  const bool good = run.state == RunState::succeeded && run.full;
  const bool newest_good = good && !std::exchange(seen.succeeded, seen.succeeded || good);
  if (is_open(run.state)) return {true, true, true, "open"};
  if (run.pinned) return {true, true, true, "pinned"};
  const bool old_log = is_past(run.ended_at, policy.logs_days, now);
  if (newest_good) return {true, true, !old_log, "the newest that succeeded"};
  if (run.needed) return {true, true, !old_log, "has the newest output of a step"};
  if (place < std::max<std::int64_t>(policy.runs_newest, 1)) {
    return {true, true, !old_log, "among the newest"};
  }
  if (policy.runs_most > 0 && place >= policy.runs_most) return {false, false, false, "too many"};
  if (is_past(run.ended_at, policy.runs_days, now)) return {false, false, false, "old"};
  const bool old_bytes = is_past(run.ended_at, policy.artifacts_days, now);
  return {true, !old_bytes, !old_log, old_bytes ? "young, its bytes are old" : "young"};
}

}  // namespace

bool is_past(TimeMs at, std::int64_t days, TimeMs now) {
  return days > 0 && at <= now && (now - at) / day_ms >= days;
}

std::vector<RunVerdict> judge_runs(const std::vector<RunFact>& runs, const RetentionPolicy& policy,
                                   TimeMs now) {
  std::vector<std::size_t> order(runs.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&runs](std::size_t a, std::size_t b) {
    return runs[a].number > runs[b].number;
  });
  std::vector<RunVerdict> verdicts(runs.size());
  std::map<std::string, Seen> pipelines;
  for (const std::size_t i : order) {
    verdicts[i] = judge_run(runs[i], pipelines[runs[i].pipeline], policy, now);
  }
  return verdicts;
}

std::vector<ResultVerdict> judge_results(const std::vector<ResultFact>& results,
                                         const RetentionPolicy& policy, TimeMs now) {
  std::vector<ResultVerdict> verdicts(results.size());
  std::unordered_multimap<std::int64_t, std::size_t> makers;
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const ResultFact& result = results[i];
    const bool fresh = result.reusable && !is_past(result.ended_at, policy.results_days, now);
    verdicts[i].bytes = result.bytes_shown || fresh;
    verdicts[i].rows = result.shown || verdicts[i].bytes;
    if (verdicts[i].rows) open.push_back(i);
    for (const std::int64_t artifact : result.outputs) makers.emplace(artifact, i);
  }
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    for (const std::int64_t artifact : results[i].inputs) {
      const auto [first, last] = makers.equal_range(artifact);
      for (auto maker = first; maker != last; ++maker) {
        if (std::exchange(verdicts[maker->second].rows, true)) continue;
        open.push_back(maker->second);
      }
    }
  }
  return verdicts;
}

Unused judge_unused(TimeMs noted_at, TimeMs touched_at, const RetentionPolicy& policy, TimeMs now) {
  const TimeMs age = std::max<std::int64_t>(policy.unused_hours, 1) * hour_ms;
  if (noted_at == 0 || noted_at > now) return Unused::note;
  return noted_at + age <= now && touched_at + age <= now ? Unused::remove : Unused::wait;
}

}  // namespace pipelined
