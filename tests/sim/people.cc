// What people ask of the simulated daemon, mostly at bad moments.
#include <iterator>

#include "dag/run_state.h"
#include "tests/sim/pipelines.h"
#include "tests/sim/world.h"

namespace pipelined::sim {

std::string World::any_step() {
  const auto steps = static_cast<std::int64_t>(current()->steps.size());
  return current()->steps[static_cast<std::size_t>(stream("people").below(steps))].spec.name;
}

// The version that a run has, as the shell of the daemon reads it again; nothing if there is no run.
std::shared_ptr<const Pipeline> World::version_of(RunNumber run) const {
  const auto row = ledger_.runs.find(run);
  return row == ledger_.runs.end() ? nullptr : find_version(row->second.version);
}

// Holds a pipeline, a run or a step, for a while or until somebody releases it, or releases one.
Event World::random_hold(RequestId id, RunNumber last) {
  Random& people = stream("people");
  event::HoldRequested asked;
  asked.request = id;
  asked.pipeline = current()->spec.name;
  asked.who = "sim";
  asked.why = "chance";
  asked.release = people.chance(70);
  for (const auto& [place, hold] : ledger_.holds) {
    if (!asked.release || !hold.active || hold.kind != "hold") continue;
    asked.run = hold.run;
    asked.step = hold.step;
    asked.element = hold.element;
    hit("released");
    return asked;
  }
  asked.release = false;
  if (people.chance(60)) asked.run = last;
  if (people.chance(60)) asked.step = any_step();
  if (people.chance(60)) asked.until = now_.wall_ms + 1'000 + people.below(600'000);
  hit("held");
  return asked;
}

// Works a few spans through again, or ends that.
Event World::random_backfill(RequestId id) {
  Random& people = stream("people");
  if (!ledger_.backfills.empty() && people.chance(80)) {
    hit("backfill cancelled");
    return event::BackfillCancelRequested{id, ledger_.backfills.rbegin()->first, "sim", "enough"};
  }
  constexpr const char* reprocess[] = {"none", "failed", "all"};
  const std::int64_t from = 10 + people.below(3);
  BackfillRow wish;
  wish.pipeline = current()->spec.name;
  wish.source = "s";
  wish.asked = std::to_string(from) + ".." + std::to_string(from + people.below(4));
  wish.reprocess = reprocess[people.below(std::ssize(reprocess))];
  wish.order = people.chance(50) ? "oldest" : "newest";
  wish.chunk = 1 + people.below(2);
  wish.max_active = 1 + people.below(2);
  if (people.chance(50)) wish.options.params["p"] = Value(people.below(4));
  wish.who = "sim";
  hit("backfill");
  return event::BackfillRequested{id, wish};
}

// What is asked for less often.
Event World::rare_request(RequestId id, RunNumber last) {
  switch (stream("people").below(5)) {
    case 0: return random_backfill(id);
    case 1:
      hit("resume");
      return event::ResumeRequested{id, last, "sim", "go on", version_of(last)};
    case 2:
      hit("migrate");
      return event::MigrateRequested{id, last, "sim", "newer", version_of(last)};
    default: return random_hold(id, last);
  }
}

// Somebody tidies up once the world is healed.
void World::release_all() {
  for (const auto& [place, hold] : ledger_.holds) {
    if (!hold.active || hold.kind != "hold") continue;
    supervisor_->post(event::HoldRequested{0, hold.pipeline, hold.run, hold.step, hold.element, "sim",
                                           "healed", 0, true});
  }
}

Event World::answer_for(const StepRow& held) {
  const RequestId id = ++last_request_;
  const std::int64_t kind = stream("people").below(held.state == StepState::in_review ? 3 : 4);
  if (kind == 0) return event::RejectRequested{id, held.run, held.step, held.element, "sim", "no"};
  if (held.state == StepState::in_review) {
    return event::ApproveRequested{id, held.run, held.step, held.element, "sim", "fine"};
  }
  if (kind == 1 && !held.element.empty()) {
    return event::SpanRequested{id, current()->spec.name, "", held.element, "sim", "drop", false};
  }
  return event::AcceptRequested{id, held.run, held.step, held.element, "sim", "fine"};
}

Event World::random_request() {
  const std::string& name = current()->spec.name;
  const RequestId id = ++last_request_;
  const auto last = ledger_.runs.empty() ? 0 : ledger_.runs.rbegin()->first;
  if (stream("people").chance(45)) {
    for (auto it = ledger_.steps.rbegin(); it != ledger_.steps.rend(); ++it) {
      if (is_held(it->second.state) && is_open(ledger_.runs.at(it->second.run).state)) {
        hit("a person answers");
        return answer_for(it->second);
      }
    }
  }
  if (stream("people").chance(8)) {
    hit("pipeline applied again");
    add_version(revised(text_, stream("people").below(9)));
    return event::PipelineApplied{current(), id, "/data"};
  }
  if (stream("people").chance(42)) return rare_request(id, last);
  switch (stream("people").below(9)) {
    case 0: hit("cancel"); return event::CancelRequested{id, last, "sim", "enough"};
    case 1: hit("retry"); return event::RetryRequested{id, last, "sim", "again", {}, {}, version_of(last)};
    case 2: {
      hit("pause");
      later(stream("people").below(20'000), true, [this, name] {
        if (supervisor_) supervisor_->post(event::PauseRequested{0, name, "sim", false});
      });
      return event::PauseRequested{id, name, "sim", true};
    }
    case 3: {
      hit("drop or restore");
      const std::string span = std::to_string(10 + stream("people").below(6));
      return event::SpanRequested{id, name, "", span, "sim", "chance", stream("people").chance(60)};
    }
    default: break;
  }
  RunOptions options;
  if (stream("people").chance(40)) options.params["p"] = Value(stream("people").below(4));
  if (stream("people").chance(15)) {
    hit("force");
    options.force = {any_step()};
  }
  if (stream("people").chance(15)) {
    hit("a selection of steps runs");
    constexpr const char* shapes[][2] = {{"", ""}, {"+", ""}, {"", "+"}, {"1+", "+1"}};
    const auto& [before, after] = shapes[stream("people").below(std::ssize(shapes))];
    options.select = before + any_step() + after;
  }
  options.refresh = stream("people").chance(5);
  options.revalidate = stream("people").chance(5);
  return event::RunRequested{id, name, options, "sim"};
}

}  // namespace pipelined::sim
