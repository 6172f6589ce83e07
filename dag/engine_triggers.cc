// Triggers by webhook, by another pipeline's artifact and by alerts, and what `overlap` lets any
// trigger do.
#include <algorithm>

#include "dag/check_triggers.h"
#include "dag/engine_state.h"
#include "dag/run_params.h"

namespace pipelined {
namespace {

constexpr std::size_t delivery_length_max = 200;

/// What a step made, as one word: its only output's digest, or one of all.
std::string digest_of(const std::vector<Binding>& outputs, const std::string& only_port) {
  std::vector<std::string> all;
  for (const Binding& output : outputs) {
    if (only_port.empty() || output.port == only_port) all.push_back(output.artifact.digest.hex());
  }
  if (all.size() == 1) return all.front();
  std::sort(all.begin(), all.end());
  std::string text;
  for (const std::string& one : all) text += one + "\n";
  return all.empty() ? "" : sha256(text).hex();
}

}  // namespace

RunNumber Engine::State::start_triggered(PipelineState& pipeline, const ValueTable& params,
                                         Reason reason, const std::string& who,
                                         std::string& skipped) {
  const std::string name = pipeline.row.name;
  const RunNumber active = active_run(name);
  if (pipeline.current->spec.run.overlap == "skip" && active != 0) {
    skipped = "run " + std::to_string(active) + " was still going on";
    decide("skip", name, reason.sentence, "overlap = skip", skipped, active);
    return 0;
  }
  RunOptions options;
  if (auto values = run_params(pipeline.current->spec, params)) options.params = *std::move(values);
  std::erase_if(options.params, [&](const auto& entry) {
    return pipeline.current->spec.params.find(entry.first)->second == entry.second;
  });
  make_room(pipeline);
  return create_run(pipeline, options, std::move(reason), who);
}

void Engine::State::on(const event::HookCalled& event) {
  const std::string where = "hook " + event.pipeline + "/" + event.hook;
  const auto found = pipelines.find(event.pipeline);
  const TriggerSpec* trigger = nullptr;
  if (found != pipelines.end()) {
    for (const TriggerSpec& one : found->second.current->spec.triggers) {
      if (!one.webhook.empty() && one.webhook == event.hook) trigger = &one;
    }
  }
  if (trigger == nullptr) {
    refuse(event.request, ErrorCode::not_found, where + ": there is no such webhook");
    return;
  }
  PipelineState& pipeline = found->second;
  if (event.delivery.empty() || event.delivery.size() > delivery_length_max) {
    refuse(event.request, ErrorCode::invalid, where + ": a delivery has an id of 1 to 200 characters");
    return;
  }
  const std::string id = trigger->id();
  if (const auto known = ledger.find_slot(event.pipeline, id, event.delivery)) {
    reply(event.request, known->run, "delivery " + event.delivery + " was taken before");
    return;
  }
  if (pipeline.row.paused) {
    refuse(event.request, ErrorCode::conflict,
           where + ": pipeline " + event.pipeline + " is paused; deliver again later");
    return;
  }
  ValueTable params = trigger->params;
  for (const auto& [name, value] : event.params) params[name] = value;
  if (const auto values = run_params(pipeline.current->spec, params); !values) {
    refuse(event.request, ErrorCode::invalid, where + ": " + values.error().message);
    return;
  }
  std::string skipped;
  const std::string sentence = "webhook " + event.hook + ", delivery " + event.delivery;
  const RunNumber run =
      start_triggered(pipeline, params, {"webhook", sentence, {}}, event.who, skipped);
  put_slot(pipeline, id, event.delivery, now.wall_ms, run == 0 ? "skipped" : "fired",
           run == 0 ? skipped : sentence, run);
  reply(event.request, run, run == 0 ? "no run: " + skipped : "run " + std::to_string(run) + " of " + event.pipeline);
}

// Kept until the open decisions are taken: a new run may end older ones.
void Engine::State::note_outputs(const Run& run) {
  if (dry || !run.row.options.full()) return;
  TriggerCause cause;
  cause.run_pipeline = run.row.pipeline;
  cause.alert.run = run.row.number;
  bool wanted = false;
  for (const auto& [name, pipeline] : pipelines) {
    for (const TriggerSpec& trigger : pipeline.current->spec.triggers) {
      wanted |= trigger.after.starts_with(run.row.pipeline + ".");
    }
  }
  if (!wanted) return;
  for (const Node& node : run.nodes) {
    if (!node.outputs) continue;
    const std::string& step = run.pipeline->steps[node.step].spec.name;
    if (cause.outputs.empty() || cause.outputs.back().first != step) {
      cause.outputs.emplace_back(step, std::vector<Binding>{});
    }
    auto& all = cause.outputs.back().second;
    all.insert(all.end(), node.outputs->begin(), node.outputs->end());
  }
  causes.push_back(std::move(cause));
}

void Engine::State::fire_causes() {
  const TriggerCause cause = std::move(causes.front());
  causes.pop_front();
  for (auto& [name, pipeline] : pipelines) {
    const std::shared_ptr<const Pipeline> current = pipeline.current;
    for (const TriggerSpec& trigger : current->spec.triggers) {
      if (!cause.run_pipeline.empty() && !trigger.after.empty()) {
        fire_after(pipeline, trigger, cause);
      } else if (cause.run_pipeline.empty() && !trigger.alert.empty()) {
        fire_alert(pipeline, trigger, cause.alert);
      }
    }
  }
}

void Engine::State::fire_after(PipelineState& pipeline, const TriggerSpec& trigger,
                               const TriggerCause& cause) {
  const StepReference reference = parse_step_reference(trigger.after);
  if (reference.pipeline != cause.run_pipeline) return;
  const auto made = std::find_if(cause.outputs.begin(), cause.outputs.end(), [&](const auto& one) {
    return one.first == reference.step;
  });
  if (made == cause.outputs.end()) return;
  const std::string digest = digest_of(made->second, reference.output);
  if (digest.empty() || ledger.find_slot(pipeline.row.name, trigger.id(), digest)) return;
  const std::string sentence = "run " + std::to_string(cause.alert.run) + " of " +
                               cause.run_pipeline + " made a new " + trigger.after + " (" +
                               digest.substr(0, 12) + ")";
  std::string skipped = "pipeline " + pipeline.row.name + " was paused";
  const RunNumber run = pipeline.row.paused
                            ? 0
                            : start_triggered(pipeline, trigger.params, {"after", sentence, {}},
                                              "after", skipped);
  put_slot(pipeline, trigger.id(), digest, now.wall_ms, run == 0 ? "skipped" : "fired",
           run == 0 ? skipped : sentence, run);
}

void Engine::State::fire_alert(PipelineState& pipeline, const TriggerSpec& trigger,
                               const AlertRow& alert) {
  const StepReference reference = parse_step_reference(trigger.alert);
  if (reference.pipeline != alert.pipeline) return;
  if (!reference.step.empty() && reference.step != alert.step) return;
  // What such a run itself complains of starts no other one: two pipelines would go on for ever.
  const auto cause = runs.find(alert.run);
  const auto row = cause != runs.end() ? std::optional(cause->second.row)
                                       : alert.run == 0 ? std::nullopt : ledger.find_run(alert.run);
  if (row && row->reason.code == "alert") return;
  const std::string sentence = "alert: " + alert.sentence;
  std::string skipped = "pipeline " + pipeline.row.name + " was paused";
  if (ledger.find_slot(pipeline.row.name, trigger.id(), alert.id)) return;
  const RunNumber run = pipeline.row.paused
                            ? 0
                            : start_triggered(pipeline, trigger.params, {"alert", sentence, {}},
                                              "alert", skipped);
  put_slot(pipeline, trigger.id(), alert.id, now.wall_ms, run == 0 ? "skipped" : "fired",
           run == 0 ? skipped : sentence, run);
}

}  // namespace pipelined
