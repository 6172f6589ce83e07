// From a step that is to run to its attempt: the queue for slots.
#include <algorithm>

#include "dag/cache_key.h"
#include "dag/engine_state.h"
#include "dag/explain.h"
#include "dag/retry.h"

namespace pipelined {
namespace {

constexpr std::size_t asked_steps_max = 1000;  ///< of larger pipelines only what was seen counts
constexpr std::size_t named_holders_max = 5;
constexpr std::size_t work_kept_max = 10'000;  ///< of longer queues the inputs are found again
constexpr std::int64_t backfill_behind = 60;   ///< priorities that a backfill stands behind fresh work

}  // namespace

bool uses_cache(const PipelineStep& step) {
  return step.spec.cache && step.info->cacheable && !step.info->effect &&
         step.spec.run_on == "success";
}

// How long the newest result of each step took; one that is not known counts like the mean of the
// others.
std::vector<std::int64_t> Engine::State::durations_of(PipelineState& pipeline, const Pipeline& of) {
  std::vector<std::int64_t> all(of.steps.size(), -1);
  std::int64_t sum = 0, count = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string& name = of.steps[i].spec.name;
    auto known = pipeline.durations.find(name);
    if (known == pipeline.durations.end() && all.size() <= asked_steps_max) {
      const auto found = ledger.find_duration(of.spec.name, name);
      known = pipeline.durations.emplace(name, found.value_or(-1)).first;
    }
    if (known == pipeline.durations.end() || known->second < 0) continue;
    all[i] = known->second;
    sum += all[i];
    ++count;
  }
  const std::int64_t mean = count > 0 ? sum / count : 0;
  for (std::int64_t& one : all) {
    if (one < 0) one = mean;
  }
  return all;
}

void Engine::State::measure_paths(Run& run) {
  const auto& steps = run.pipeline->steps;
  run.path_ms.assign(steps.size(), 0);
  const auto pipeline = pipelines.find(run.row.pipeline);
  if (dry || pipeline == pipelines.end()) return;
  const std::vector<std::int64_t> durations = durations_of(pipeline->second, *run.pipeline);
  for (std::size_t i = steps.size(); i-- > 0;) {
    std::int64_t longest = 0;
    for (const StepIndex consumer : steps[i].consumers) {
      longest = std::max(longest, run.path_ms[consumer]);
    }
    // Of ways that take the same time, or where nothing is known, the deeper one goes first.
    run.path_ms[i] = longest + 1 + durations[i];
  }
}

/// The lowest numbers that no live attempt has.
std::vector<std::int64_t> Engine::State::free_gpus(std::int64_t count) const {
  std::vector<std::int64_t> free;
  if (count == 0) return free;
  std::set<std::int64_t> taken;
  for (const auto& [id, live] : attempts) taken.insert(live.gpus.begin(), live.gpus.end());
  for (std::int64_t number = 0; std::ssize(free) < count; ++number) {
    if (!taken.contains(number)) free.push_back(number);
  }
  return free;
}

Demand Engine::State::demand_of(const Run& run, NodeIndex index) const {
  const PipelineStep& step = run.step_of(index);
  const ResourceSpec& wanted = step.spec.resources;
  Demand demand;
  demand.cpus = wanted.cpus > 0 ? wanted.cpus : step.info->cpus;
  demand.memory_bytes = memory_of_try(wanted, run.nodes[index].tries);
  demand.scratch_bytes = wanted.scratch_bytes;
  demand.gpus = wanted.gpus;
  const std::string in_run = " in run " + std::to_string(run.row.number);
  if (!step.spec.pool.empty()) demand.claims.push_back({step.spec.pool, step.spec.pool_slots, 0, true});
  if (step.spec.max_parallel > 0) {
    demand.claims.push_back({"max_parallel of step " + step.spec.name + in_run, 1,
                             step.spec.max_parallel, false});
  }
  const GroupSpec* group = run.pipeline->spec.group(step.spec.group);
  if (group != nullptr && group->max_parallel > 0) {
    demand.claims.push_back({"max_parallel of group " + group->name + in_run, 1,
                             group->max_parallel, false});
  }
  return demand;
}

Turn Engine::State::turn_of(const Run& run, NodeIndex index) const {
  const PipelineStep& step = run.step_of(index);
  const GroupSpec* group = run.pipeline->spec.group(step.spec.group);
  const std::int64_t priority = run.pipeline->spec.run.priority + step.spec.priority +
                                (group != nullptr ? group->priority : 0) -
                                (run.row.options.backfill != 0 ? backfill_behind : 0);
  Turn turn;
  turn.since_ms = now.steady_ms;
  // A wait does not begin anew because the daemon does.
  if (recovering) turn.since_ms -= std::max<TimeMs>(0, now.wall_ms - run.row.started_at);
  turn.rank = rank_of(priority, turn.since_ms);
  turn.run = run.row.number;
  turn.path_ms = run.path_ms.empty() ? step.depth_to_end : run.path_ms[run.nodes[index].step];
  turn.node = index;
  return turn;
}

void Engine::State::queue_ready(Run& run, NodeIndex index, ReadyWork item) {
  if (dry) dry_reasons[{run.row.number, index}] = item.reason;
  // The key is held from now on, so that the same work elsewhere waits rather than runs twice.
  if (run.nodes[index].key && uses_cache(run.step_of(index))) {
    key_holders.emplace(*run.nodes[index].key, "");
  }
  run.nodes[index].state = StepState::ready;
  ++run.ready;
  item.since = now.wall_ms;
  QueuedWork queued{std::move(item), demand_of(run, index), turn_of(run, index), now.steady_ms};
  if (ready.size() >= work_kept_max && !dry) queued.set_aside();
  queue.add(queued.demand, queued.turn);
  const StepSpec& step = run.step_of(index).spec;
  if (step.timeout_queue_ms > 0 && !dry) {
    timers.emplace(now.steady_ms + step.timeout_queue_ms,
                   Timer{Timer::Kind::queue, "", 0, run.row.number, index, "", 0});
  }
  if (const auto never = dry ? std::nullopt : never_fits(queued.demand, capacity)) {
    const std::string path = step_path(step.name, run.element_of(index));
    alert({run.row.pipeline + "/" + step.name + "/never_fits/run-" + std::to_string(run.row.number),
           run.row.pipeline, path, "warning",
           path + " of run " + std::to_string(run.row.number) + " cannot start: it " + *never,
           run.row.number, step.name, run.element_of(index), {}, 0, 0});
  }
  ready.emplace(std::pair(run.row.number, index), std::move(queued));
}

void Engine::State::drop_ready(Run& run, NodeIndex index) {
  Node& node = run.nodes[index];
  if (node.state != StepState::ready) return;
  --run.ready;
  node.state = StepState::waiting;
  if (const auto found = ready.find({run.row.number, index}); found != ready.end()) {
    queue.remove(found->second.demand, found->second.turn);
    ready.erase(found);
    LiveAttempt nobody;
    nobody.key = uses_cache(run.step_of(index)) ? node.key : std::nullopt;
    release_key(nobody);
    return;
  }
  if (!node.key) return;
  if (const auto waiting = key_waiters.find(*node.key); waiting != key_waiters.end()) {
    std::erase(waiting->second, std::pair(run.row.number, index));
  }
}

void Engine::State::queue_time_over(Run& run, NodeIndex index) {
  const auto found = ready.find({run.row.number, index});
  const std::int64_t limit = run.step_of(index).spec.timeout_queue_ms;
  if (found == ready.end() || now.steady_ms - found->second.queued_ms < limit) return;
  const std::string why = why_no_slot(run, index);
  fail_node(run, index, "queue_timeout",
            "waited " + spoken_duration(limit) + " for a slot (timeout.queue); " + why);
}

Load Engine::State::load_now() const {
  Load load;
  for (const auto& [id, attempt] : attempts) load.add(attempt.demand);
  return load;
}

// Why a step in the queue has not started.
std::string Engine::State::why_no_slot(const Run& run, NodeIndex index) const {
  const auto found = ready.find({run.row.number, index});
  if (found == ready.end()) return "the same work is running already";
  const Demand& demand = found->second.demand;
  if (const auto never = never_fits(demand, capacity)) return "it " + *never;
  const Load load = load_now();
  const auto obstacle = load.obstacle(demand, capacity);
  if (!obstacle) return "others that waited longer or have a higher priority go first";
  const Claim* claim = load.crowded(demand, capacity);
  if (claim == nullptr || !claim->pool) return *obstacle;
  std::vector<std::string> holders;
  for (const auto& [id, attempt] : attempts) {
    const auto& claims = attempt.demand.claims;
    const bool has_it = std::any_of(claims.begin(), claims.end(), [&](const Claim& one) {
      return one.pool && one.on == claim->on;
    });
    if (!has_it || holders.size() >= named_holders_max) continue;
    holders.push_back("run " + std::to_string(attempt.run) + " " +
                      step_path(attempt.row.step, attempt.row.element));
  }
  return *obstacle + " by " + spoken_list(holders);
}

// What runs is added up once here, not once for each step that waits: this is called for every
// event, and thousands may wait.
void Engine::State::admit() {
  if (dry || stopping || capacity.closed || queue.empty()) return;
  for (const auto& [turn, demand] : queue.take_fitting(load_now(), capacity, now.steady_ms)) {
    const auto found = ready.find({turn.run, turn.node});
    CHECK(found != ready.end());
    QueuedWork item = std::move(found->second);
    ready.erase(found);
    if (item.is_set_aside && !find_again(runs.at(turn.run), turn.node, item.work)) continue;
    start_attempt(runs.at(turn.run), turn.node, std::move(item));
  }
}

// Finds the inputs of set-aside work.  False: they are not what they were when it was queued (a span
// was dropped meanwhile), so the step is decided anew.
bool Engine::State::find_again(Run& run, NodeIndex index, ReadyWork& work_item) {
  Node& node = run.nodes[index];
  Evaluation found = evaluate(run, index);
  if (found.kind == Evaluation::Kind::ready) {
    work_item.inputs = std::move(found.inputs.ports);
    if (!node.key) return true;
    ValueTable own;
    const ValueTable& params = params_of_node(run, index, own);
    work_item.key_text = key_text(run.step_of(index), params, work_item.inputs);
    if (sha256(work_item.key_text) == *node.key) return true;
  }
  --run.ready;
  node.state = StepState::waiting;
  LiveAttempt nobody;
  nobody.key = uses_cache(run.step_of(index)) ? node.key : std::nullopt;
  release_key(nobody);
  work.emplace_back(run.row.number, index);
  return false;
}

void Engine::State::start_attempt(Run& run, NodeIndex index, QueuedWork item) {
  const PipelineStep& step = run.step_of(index);
  Node& node = run.nodes[index];
  --run.ready;
  ++run.live;
  node.state = StepState::running;
  LiveAttempt live;
  live.row.id = new_attempt_id();
  live.row.run = run.row.number;
  live.row.step = step.spec.name;
  live.row.element = run.element_of(index);
  live.row.number = ++node.attempts;
  live.row.fence = new_fence();
  live.row.queued_at = item.work.since;
  live.row.started_at = now.wall_ms;
  live.run = run.row.number;
  live.node = index;
  live.demand = std::move(item.demand);
  live.gpus = free_gpus(live.demand.gpus);
  if (uses_cache(step)) {
    live.key = node.key;
    key_holders[*node.key] = live.row.id;
  }
  live.key_text = std::move(item.work.key_text);
  live.reason = std::move(item.work.reason);
  node.started_at = now.wall_ms;
  if (step.spec.generates && node.first_call_at == 0) node.first_call_at = now.wall_ms;
  if (node.first_try_at == 0) node.first_try_at = now.wall_ms;
  live.inputs = item.work.inputs;
  ledger.put(live.row);
  write_step(run, index, live.reason);
  ValueTable own;
  effect::StartAttempt start{live.row.id, live.row.fence, run.row.number, run.row.pipeline,
                             live.row.step, live.row.element, live.row.number,
                             step.info->id, step.info->plugin,
                             params_of_node(run, index, own),
                             std::move(item.work.inputs), {}, step.spec.seed, live.demand.cpus,
                             live.demand.memory_bytes, step.spec.timeout_ms, step.info->network,
                             live.demand.scratch_bytes, "", live.gpus,
                             step.spec.timeout_progress_ms, step.spec.secrets};
  if (step.info->resumable && live.key) start.checkpoint = live.key->hex();
  for (const OutputSpec& output : step.outputs) {
    if (!step.passed.contains(output.port)) start.outputs.push_back(output);
  }
  const auto arm = [&](Timer::Kind kind, std::int64_t after_ms) {
    if (after_ms <= 0) return;
    timers.emplace(now.steady_ms + after_ms, Timer{kind, "", 0, run.row.number, index, live.row.id, 0});
  };
  arm(Timer::Kind::timeout, step.spec.timeout_ms);
  arm(Timer::Kind::progress, step.spec.timeout_progress_ms);
  live.progress_due_ms = now.steady_ms + step.spec.timeout_progress_ms;
  attempts.emplace(live.row.id, std::move(live));
  emit(std::move(start));
}

}  // namespace pipelined
