#include "tests/support/memory_ledger.h"

#include <algorithm>

namespace pipelined {

MemoryLedger::MemoryLedger() = default;
MemoryLedger::~MemoryLedger() = default;

template <class Map, class Key>
void MemoryLedger::save(Map& map, const Key& key) {
  const auto found = map.find(key);
  if (found == map.end()) {
    undo_.push_back([&map, key] { map.erase(key); });
  } else {
    undo_.push_back([&map, key, old = found->second] { map[key] = old; });
  }
}

template <class Map, class Key, class Row>
void MemoryLedger::set(Map& map, const Key& key, const Row& row) {
  save(map, key);
  map[key] = row;
}

template <class Wanted>
std::vector<ResultRow> MemoryLedger::good_results(std::int64_t after, int limit, Wanted wanted) const {
  std::vector<ResultRow> found;
  for (auto it = results.upper_bound(after);
       it != results.end() && static_cast<int>(found.size()) < limit; ++it) {
    if (!invalidations.contains(it->first) && wanted(it->second)) found.push_back(it->second);
  }
  return found;
}

void MemoryLedger::put(const PipelineRow& row) {
  if (row.current) {
    for (auto& [key, other] : pipelines) {
      if (key.first == row.name && other.current) {
        save(pipelines, key);
        other.current = false;
      }
    }
  }
  set(pipelines, std::pair(row.name, row.version), row);
  note(row.seq);
}

void MemoryLedger::put(const ArrivalRow& row) { set(arrivals, row.number, row), note(row.seq); }

void MemoryLedger::put(const SpanRow& row) {
  set(spans, std::tuple(row.pipeline, row.source, row.span, row.version), row);
  note(row.seq);
}

void MemoryLedger::put(const RunRow& row) { set(runs, row.number, row), note(row.created_seq); }

void MemoryLedger::put(const StepRow& row) {
  set(steps, std::tuple(row.run, row.step, row.element), row);
  note(row.seq);
}

void MemoryLedger::put(const AttemptRow& row) { set(attempts, row.id, row); }

void MemoryLedger::put(const ResultRow& row) {
  set(results, row.id, row);
  note(row.seq);
  if (!row.key) return;
  results_by_key.emplace(*row.key, row.id);
  auto& of_step = results_by_step[{row.pipeline, row.step, row.element}];
  of_step.push_back(row.id);
  undo_.push_back([this, key = *row.key, id = row.id, &of_step] {
    of_step.pop_back();
    auto [begin, end] = results_by_key.equal_range(key);
    for (auto it = begin; it != end; ++it) {
      if (it->second == id) {
        results_by_key.erase(it);
        return;
      }
    }
  });
}

void MemoryLedger::put(const AcceptanceRow& row) {
  note(row.seq);
  set(acceptances, row.key, row);
}

void MemoryLedger::put(const ResolutionRow& row) {
  set(resolutions, std::pair(row.scope, row.run), row);
  note(row.seq);
}

void MemoryLedger::put(const AlertRow& row) {
  note(row.seq);
  if (!alerts.contains(row.id)) set(alerts, row.id, row);
}

void MemoryLedger::put(const DecisionRow& row) {
  note(row.seq);
  decisions.push_back(row);
  undo_.push_back([this] { decisions.pop_back(); });
}

void MemoryLedger::put(const HoldRow& row) {
  note(row.seq);
  set(holds, std::tuple(row.kind, row.pipeline, row.run, row.step, row.element), row);
}

void MemoryLedger::put(const SlotRow& row) {
  note(row.seq);
  const std::tuple key(row.pipeline, row.trigger, row.slot);
  if (!slots.contains(key)) set(slots, key, row);
}

void MemoryLedger::put(const PollRow& row) {
  note(row.seq);
  set(polls, std::pair(row.pipeline, row.source), row);
}

void MemoryLedger::put(const InvalidationRow& row) {
  note(row.seq);
  if (!invalidations.contains(row.result)) set(invalidations, row.result, row);
}

void MemoryLedger::put(const BackfillRow& row) { set(backfills, row.id, row), note(row.seq); }

void MemoryLedger::put(const StepRequestRow& row) {
  set(requests, std::pair(row.result, row.ordinal), row);
  note(row.seq);
}

void MemoryLedger::put(const ModelVersionRow& row) {
  note(row.seq);
  const std::pair key(row.model, row.version);
  CHECK(!models.contains(key));
  set(models, key, row);
}

void MemoryLedger::put(const ModelMarkRow& row) {
  note(row.seq);
  marks.push_back(row);
  undo_.push_back([this] { marks.pop_back(); });
}

void MemoryLedger::mark_fired(const std::vector<std::int64_t>& numbers, RunNumber run) {
  for (const std::int64_t number : numbers) {
    save(arrivals, number);
    arrivals.at(number).run = run;
  }
}

std::optional<ResultRow> MemoryLedger::find_result(const Digest& key, std::int64_t before_seq) {
  std::optional<ResultRow> newest;
  auto [begin, end] = results_by_key.equal_range(key);
  for (auto it = begin; it != end; ++it) {
    const ResultRow& row = results.at(it->second);
    if (invalidations.contains(row.id)) continue;
    if (row.seq < before_seq && (!newest || row.seq > newest->seq)) newest = row;
  }
  return newest;
}

std::optional<ResultRow> MemoryLedger::find_result_by_id(std::int64_t id) {
  const auto found = results.find(id);
  return found == results.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Digest> MemoryLedger::first_lost(const ResultRow& result) {
  for (const Binding& binding : result.outputs) {
    if (lost.contains(binding.artifact.digest)) return binding.artifact.digest;
  }
  return std::nullopt;
}

std::optional<ResultRow> MemoryLedger::nearest_result(const std::string& pipeline, const std::string& step,
                                        const std::string& element) {
  const auto found = results_by_step.find({pipeline, step, element});
  if (found != results_by_step.end() && !found->second.empty()) {
    return results.at(found->second.back());
  }
  return std::nullopt;
}

std::optional<std::int64_t> MemoryLedger::find_duration(const std::string& pipeline,
                                          const std::string& step) {
  for (auto it = results.rbegin(); it != results.rend(); ++it) {
    const ResultRow& row = it->second;
    if (row.key && row.pipeline == pipeline && row.step == step) {
      return row.ended_at - row.started_at;
    }
  }
  return std::nullopt;
}

std::optional<AcceptanceRow> MemoryLedger::find_acceptance(const Digest& key) {
  const auto found = acceptances.find(key);
  return found == acceptances.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ResolutionRow> MemoryLedger::find_resolution(const Digest& scope,
                                             std::int64_t before_seq) {
  std::optional<ResolutionRow> best;
  for (auto it = resolutions.lower_bound({scope, 0});
       it != resolutions.end() && it->first.first == scope; ++it) {
    if (it->second.seq < before_seq) best = it->second;
  }
  return best;
}

std::vector<StepRow> MemoryLedger::finished_steps(const std::string& pipeline, const std::string& step,
                                    const std::string& element, bool full_only,
                                    std::int64_t before_seq, int offset, int limit) {
  std::vector<StepRow> found;
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    if (run->second.pipeline != pipeline || (full_only && !run->second.options.full())) continue;
    const auto row = steps.find({run->first, step, element});
    if (row == steps.end() || row->second.seq >= before_seq) continue;
    if (row->second.state != StepState::succeeded && row->second.state != StepState::cached) {
      continue;
    }
    if (invalidations.contains(row->second.result)) continue;
    if (offset-- > 0) continue;
    found.push_back(row->second);
    if (--limit == 0) break;
  }
  return found;
}

std::vector<Digest> MemoryLedger::ancestors(const Digest& artifact, int limit) {
  std::vector<Digest> order = {artifact};
  std::map<Digest, std::int64_t> before = {{artifact, INT64_MAX}};  // the youngest reader's result
  // From young to old: whoever reads an artifact was looked at before those that made it.
  for (auto row = results.rbegin(); row != results.rend(); ++row) {
    const bool made = std::any_of(
        row->second.outputs.begin(), row->second.outputs.end(), [&](const Binding& b) {
          const auto reader = before.find(b.artifact.digest);
          return reader != before.end() && row->first < reader->second;
        });
    if (!made) continue;
    for (const Binding& input : row->second.inputs) {
      if (before.emplace(input.artifact.digest, row->first).second) {
        order.push_back(input.artifact.digest);
      }
    }
  }
  order.erase(order.begin());
  if (static_cast<int>(order.size()) > limit) order.resize(static_cast<std::size_t>(limit));
  return order;
}

std::vector<StepRow> MemoryLedger::steps_of(RunNumber run) {
  std::vector<StepRow> found;
  for (auto it = steps.lower_bound({run, "", ""}); it != steps.end() && it->second.run == run; ++it) {
    found.push_back(it->second);
  }
  return found;
}

std::optional<RunRow> MemoryLedger::find_run(RunNumber run) {
  const auto found = runs.find(run);
  return found == runs.end() ? std::nullopt : std::optional(found->second);
}

std::optional<PollRow> MemoryLedger::find_poll(const std::string& pipeline,
                                               const std::string& source) {
  const auto found = polls.find({pipeline, source});
  return found == polls.end() ? std::nullopt : std::optional(found->second);
}

std::optional<SlotRow> MemoryLedger::find_slot(const std::string& pipeline, const std::string& trigger,
                                 const std::string& slot) {
  const auto found = slots.find({pipeline, trigger, slot});
  return found == slots.end() ? std::nullopt : std::optional(found->second);
}

std::optional<SlotRow> MemoryLedger::last_slot(const std::string& pipeline, const std::string& trigger,
                                 TimeMs not_after) {
  std::optional<SlotRow> last;
  for (auto it = slots.lower_bound({pipeline, trigger, ""}); it != slots.end(); ++it) {
    const SlotRow& row = it->second;
    if (row.pipeline != pipeline || row.trigger != trigger) break;
    if (row.due_at <= not_after && (!last || row.due_at > last->due_at)) last = row;
  }
  return last;
}

std::vector<RunRow> MemoryLedger::ended_runs(const std::string& pipeline, int limit) {
  std::vector<RunRow> found;
  for (auto it = runs.rbegin(); it != runs.rend() && limit > 0; ++it) {
    const RunState s = it->second.state;
    const bool over = s == RunState::failed || s == RunState::rejected ||
                      s == RunState::cancelled || s == RunState::succeeded;
    if (!over || it->second.pipeline != pipeline) continue;
    found.push_back(it->second);
    --limit;
  }
  return found;
}

std::optional<DecisionRow> MemoryLedger::last_decision(const std::string& pipeline,
                                         const std::string& kind) {
  for (auto it = decisions.rbegin(); it != decisions.rend(); ++it) {
    if (it->pipeline == pipeline && it->subject == pipeline && it->kind == kind) return *it;
  }
  return std::nullopt;
}

std::optional<ArrivalRow> MemoryLedger::find_arrival(std::int64_t number) {
  const auto found = arrivals.find(number);
  return found == arrivals.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ArrivalRow> MemoryLedger::newest_span(const std::string& pipeline,
                                      const std::string& source) {
  for (auto it = arrivals.rbegin(); it != arrivals.rend(); ++it) {
    const ArrivalRow& row = it->second;
    if (row.pipeline == pipeline && row.source == source && row.version == 1) return row;
  }
  return std::nullopt;
}

std::optional<InvalidationRow> MemoryLedger::find_invalidation(const Digest& key) {
  std::optional<InvalidationRow> newest;
  for (const auto& [id, row] : invalidations) {
    if (row.key == key && (!newest || row.seq > newest->seq)) newest = row;
  }
  return newest;
}

bool MemoryLedger::is_bad(const Digest& artifact) {
  bool any = false;
  for (const auto& [id, row] : results) {
    const bool made = std::any_of(row.outputs.begin(), row.outputs.end(), [&](const Binding& b) {
      return b.artifact.digest == artifact;
    });
    if (made && !invalidations.contains(id)) return false;
    any = any || made;
  }
  return any;
}

std::vector<ResultRow> MemoryLedger::results_with_key(const Digest& key, std::int64_t after,
                                        int limit) {
  return good_results(after, limit, [&](const ResultRow& row) { return row.key == key; });
}

std::vector<ResultRow> MemoryLedger::results_of_step(const std::string& pipeline, const std::string& step,
                                       const std::string& element, std::int64_t after,
                                       int limit) {
  return good_results(after, limit, [&](const ResultRow& row) {
    return row.pipeline == pipeline && row.step == step &&
           (element.empty() || row.element == element);
  });
}

std::vector<ResultRow> MemoryLedger::results_from(const Digest& artifact, std::int64_t after,
                                    int limit) {
  return good_results(after, limit, [&](const ResultRow& row) {
    return std::any_of(row.inputs.begin(), row.inputs.end(), [&](const Binding& b) {
      return b.artifact.digest == artifact;
    });
  });
}

std::optional<ResultRow> MemoryLedger::find_maker(const Digest& artifact) {
  const auto names = [&](const Binding& b) { return b.artifact.digest == artifact; };
  for (auto it = results.rbegin(); it != results.rend(); ++it) {
    const ResultRow& row = it->second;
    if (!invalidations.contains(row.id) && std::any_of(row.outputs.begin(), row.outputs.end(), names) &&
        std::none_of(row.inputs.begin(), row.inputs.end(), names)) {
      return row;
    }
  }
  return std::nullopt;
}

std::optional<ModelVersionRow> MemoryLedger::newest_model(const std::string& model) {
  std::optional<ModelVersionRow> newest;
  for (const auto& [key, row] : models) {
    if (key.first == model) newest = row;
  }
  return newest;
}

std::optional<ModelVersionRow> MemoryLedger::find_model(const std::string& model,
                                          const ModelVersion& version) {
  const auto found = models.find({model, version});
  return found == models.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ModelVersionRow> MemoryLedger::find_model_content(const std::string& model,
                                                  const Digest& content) {
  for (const auto& [key, row] : models) {
    if (key.first == model && row.content == content) return row;
  }
  return std::nullopt;
}

std::vector<ModelMarkRow> MemoryLedger::model_marks(const std::string& model, const std::string& kind,
                                      const std::string& subject) {
  std::vector<ModelMarkRow> found;
  for (const ModelMarkRow& row : marks) {
    if (row.model == model && row.kind == kind && row.subject == subject) found.push_back(row);
  }
  return found;
}

Result<void> MemoryLedger::begin() {
  CHECK(!open_);
  open_ = true;
  undo_.clear();
  seq_before_ = last_seq;
  return {};
}

Result<void> MemoryLedger::commit() {
  CHECK(open_);
  if (std::exchange(fail_next_commit, false) || disk_full) {
    const ErrorCode code = disk_full ? ErrorCode::exhausted : commit_error;
    rollback();
    return Error{code, "commit: the fake store refuses"};
  }
  if (at_commit) at_commit(false);
  open_ = false;
  undo_.clear();
  seq_before_ = last_seq;  // a rollback with nothing open takes nothing back
  ++commits;
  if (at_commit) at_commit(true);
  return {};
}

void MemoryLedger::rollback() {
  for (auto undo = undo_.rbegin(); undo != undo_.rend(); ++undo) (*undo)();
  undo_.clear();
  last_seq = seq_before_;
  open_ = false;
}

Result<void> MemoryLedger::probe() {
  if (disk_full) return Error{ErrorCode::exhausted, "the fake disk is full"};
  return {};
}

Result<Recovered> MemoryLedger::recover() {
  Recovered found;
  for (const auto& [key, row] : pipelines) {
    if (row.current) found.pipelines.push_back(row);
  }
  for (const auto& [key, row] : spans) found.spans.push_back(row);
  for (const auto& [number, row] : arrivals) {
    if (row.run == 0) found.unfired.push_back(row);
    found.last_arrival = std::max(found.last_arrival, number);
  }
  for (const auto& [key, row] : holds) {
    if (row.active) found.holds.push_back(row);
  }
  std::sort(found.holds.begin(), found.holds.end(),
            [](const HoldRow& a, const HoldRow& b) { return a.seq < b.seq; });
  for (const auto& [number, row] : runs) {
    found.last_run = std::max(found.last_run, number);
    const RunState s = row.state;
    if (s == RunState::queued || s == RunState::running || s == RunState::halted ||
        s == RunState::in_review) {
      found.runs.push_back(row);
      for (StepRow& step : steps_of(number)) found.steps.push_back(std::move(step));
    }
  }
  for (const auto& [id, row] : attempts) {
    if (row.running) found.attempts.push_back(row);
  }
  for (const auto& [id, row] : backfills) {
    found.last_backfill = id;
    if (row.state == "running") found.backfills.push_back(row);
  }
  if (!results.empty()) found.last_result = results.rbegin()->first;
  found.last_seq = last_seq;
  return found;
}

void MemoryLedger::note(std::int64_t seq) { last_seq = std::max(last_seq, seq); }

}  // namespace pipelined
