// Which outputs are stale against the data that has arrived, and since when.
//
// Worked out from recorded facts alone when somebody asks: the newest version of every span against
// the spans that the newest finished result of a step had seen.  Records nothing.
#include <algorithm>
#include <limits>

#include "dag/engine_state.h"

namespace pipelined {
namespace {

using SourceSet = std::set<std::string>;

// The sources whose data reach each step.
std::vector<SourceSet> sources_of_steps(const Pipeline& pipeline) {
  std::vector<SourceSet> all(pipeline.steps.size());
  for (std::size_t s = 0; s < pipeline.steps.size(); ++s) {
    const PipelineStep& step = pipeline.steps[s];
    if (!step.fan_source.empty()) all[s].insert(step.fan_source);
    for (const PipelineInput& input : step.inputs) {
      if (!input.spec.source.empty()) all[s].insert(input.spec.source);
    }
    for (const StepIndex parent : step.parents) all[s].insert(all[parent].begin(), all[parent].end());
  }
  return all;
}

bool counts(const SpanRow& row) {
  return row.state != SpanState::dropped && row.state != SpanState::rejected;
}

// What the newest result of a step without elements has not seen.
std::vector<const SpanRow*> unseen(const PipelineState& pipeline, const SourceSet& sources,
                                   const RunRow* seen_by) {
  std::set<std::tuple<std::string, std::string, std::int64_t>> seen;
  if (seen_by != nullptr) {
    for (const RunSpan& span : seen_by->spans) {
      if (span.left_out.empty()) seen.emplace(span.source, span.span, span.version);
    }
  }
  std::vector<const SpanRow*> behind;
  for (const auto& [source, spans] : pipeline.spans) {
    if (!sources.contains(source)) continue;
    for (const auto& [span, versions] : spans) {
      const SpanRow& newest = versions.back();
      if (counts(newest) && !seen.contains({source, span, newest.version})) behind.push_back(&newest);
    }
  }
  return behind;
}

// The elements of a fanned-out step that no run has finished.
std::vector<const SpanRow*> unfinished(const PipelineState& pipeline, const std::string& source) {
  std::vector<const SpanRow*> behind;
  const auto spans = pipeline.spans.find(source);
  if (spans == pipeline.spans.end()) return behind;
  for (const auto& [span, versions] : spans->second) {
    const SpanRow& newest = versions.back();
    if (counts(newest) && newest.state != SpanState::accepted) behind.push_back(&newest);
  }
  return behind;
}

}  // namespace

Result<std::vector<StepFreshness>> Engine::freshness(const std::string& name) const {
  const auto found = state_->pipelines.find(name);
  if (found == state_->pipelines.end() || !found->second.current) {
    return Error{ErrorCode::not_found, "freshness: there is no pipeline " + name};
  }
  const PipelineState& pipeline = found->second;
  const auto sources = sources_of_steps(*pipeline.current);
  std::vector<StepFreshness> all;
  for (std::size_t s = 0; s < pipeline.current->steps.size(); ++s) {
    const PipelineStep& step = pipeline.current->steps[s];
    if (sources[s].empty() || step.spec.run_on != "success") continue;
    StepFreshness one;
    one.step = step.spec.name;
    std::vector<const SpanRow*> behind;
    if (step.fan_source.empty()) {
      const auto last = state_->ledger.finished_steps(
          name, one.step, "", true, std::numeric_limits<std::int64_t>::max(), 0, 1);
      const auto run = last.empty() ? std::nullopt : state_->ledger.find_run(last.front().run);
      if (run) one.run = run->number;
      if (!last.empty()) one.made_at = last.front().ended_at;
      behind = unseen(pipeline, sources[s], run ? &*run : nullptr);
    } else {
      behind = unfinished(pipeline, step.fan_source);
    }
    one.behind = static_cast<std::int64_t>(behind.size());
    const auto first = std::min_element(behind.begin(), behind.end(), [](const auto* a, const auto* b) {
      return a->arrival < b->arrival;
    });
    if (first != behind.end()) {
      one.first_behind = (*first)->source + "/" + (*first)->span;
      const auto arrival = state_->ledger.find_arrival((*first)->arrival);
      one.since = arrival ? arrival->at : (*first)->at;
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace pipelined
