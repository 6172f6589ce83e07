// Versions of pipelines that the engine needs: read again at a start, supplied with requests, and
// looked for again when they could not be read.
#include <algorithm>
#include <map>
#include <utility>

#include "daemon/exec/supervisor.h"

namespace pipelined {

// A run stays with its version: one that is taken up again may need an older one than is in force.
void Supervisor::supply_version(Event& event) {
  std::visit(
      [this](auto& wish) {
        if constexpr (requires { wish.version; wish.run; }) {
          const auto row = ledger_.find_run(wish.run);
          if (!row || wish.version) return;
          auto pipeline = callbacks_.load_pipeline(row->pipeline, row->version);
          if (pipeline) wish.version = std::move(*pipeline);
          else note("pipeline_lost", pipeline.error().message);
        }
      },
      event);
}

std::vector<std::shared_ptr<const Pipeline>> Supervisor::load_pipelines(
    const Recovered& found, std::vector<Event>& troubles) {
  std::map<std::pair<std::string, Digest>, bool> wanted;  // whether it is in force
  for (const PipelineRow& row : found.pipelines) wanted[{row.name, row.version}] = true;
  for (const RunRow& run : found.runs) wanted.emplace(std::pair{run.pipeline, run.version}, false);
  std::vector<std::shared_ptr<const Pipeline>> pipelines;
  const auto lost_before = std::exchange(lost_, {});
  for (const auto& [name_and_version, in_force] : wanted) {
    const auto& [name, version] = name_and_version;
    auto pipeline = callbacks_.load_pipeline(name, version);
    if (pipeline) {
      pipelines.push_back(std::move(*pipeline));
      continue;
    }
    // One unreadable version must not keep the others from going on.
    lost_.emplace(name_and_version, in_force);
    note("pipeline_lost", pipeline.error().message);
    troubles.emplace_back(event::TroubleFound{
        "pipeline/" + name + "/" + version.hex(), name, "pipeline " + name, "error",
        "version " + version.brief() + " of pipeline " + name + " cannot be read again (" +
            pipeline.error().message + "); its deliveries and open runs wait until it can, or " +
            "until the pipeline is applied anew",
        {}});
  }
  if (lost_ != lost_before && callbacks_.sources_changed) callbacks_.sources_changed();
  return pipelines;
}

bool Supervisor::knows(const std::string& pipeline) const {
  return std::none_of(lost_.begin(), lost_.end(), [&](const auto& entry) {
    return entry.second && entry.first.first == pipeline;
  });
}

bool Supervisor::brings_back(const Event& event) const {
  const auto* applied = std::get_if<event::PipelineApplied>(&event);
  return applied != nullptr && applied->pipeline && !knows(applied->pipeline->spec.name);
}

// An engine cannot learn a pipeline's past later, so it is built anew, which kills what runs: that is
// done at once only when nothing runs.
void Supervisor::look_at_lost(Instant now) {
  if (!engine_ || lost_.empty() || stopping_) return;
  if (lost_since_ms_ == 0) {
    lost_since_ms_ = std::max<std::int64_t>(now.steady_ms, 1);
    lost_look_at_ms_ = now.steady_ms + lost_interval_ms;
    return;
  }
  if (now.steady_ms < lost_look_at_ms_) return;
  const std::int64_t waited_ms = now.steady_ms - lost_since_ms_;
  lost_look_at_ms_ = now.steady_ms + std::clamp(waited_ms, lost_interval_ms, lost_interval_max_ms);
  const bool busy = !live_.empty() || !doomed_.empty();
  if (busy && waited_ms < lost_patience_ms) return;
  const bool back = std::any_of(lost_.begin(), lost_.end(), [this](const auto& entry) {
    return callbacks_.load_pipeline(entry.first.first, entry.first.second).has_value();
  });
  if (back) build_anew("a pipeline that could not be read can be read again");
}

void Supervisor::build_anew(const char* why) {
  note("built_anew", why);
  engine_.reset();
  doom_all(why);
  lost_since_ms_ = 0;
  if (auto built = rebuild(); !built) enter_read_only(built.error());
}

}  // namespace pipelined
