// What a run is asked to be, and what stands in for the steps that are not part of it.
//
// A step that is not selected makes nothing: for whoever reads it stands the newest output of a run
// with the same parameters, else of one with the file's own, of the same version of the span, that
// was not declared bad.  A span that is halted has none.  Such steps decide nothing about spans.
#include <algorithm>

#include "dag/engine_state.h"
#include "dag/run_params.h"
#include "dag/selection.h"
#include "dag/step_ports.h"

namespace pipelined {
namespace {

constexpr int page = 8, candidates_max = 64;

/// Finds recorded outputs for steps of one run that are not selected.
class Stock {
 public:
  Stock(Ledger& ledger, const RunRow& row) : ledger_(ledger), row_(row) {}

  /// The newest row whose outputs may stand in; `span` is given for an element.
  std::optional<StepRow> newest(const std::string& step, const RunSpan* span) {
    const std::string element = span == nullptr ? "" : span->span;
    std::optional<StepRow> with_none;  // of a run without other parameters
    for (int offset = 0; offset < candidates_max; offset += page) {
      const auto rows = ledger_.finished_steps(row_.pipeline, step, element, false,
                                               row_.created_seq, offset, page);
      for (const StepRow& row : rows) {
        if (row.result == 0) continue;
        const RunRow* run = run_with(row.run, span);
        if (run == nullptr) continue;
        if (run->options.params == row_.options.params) return row;
        if (run->options.params.empty() && !with_none) with_none = row;
      }
      if (rows.size() < page) break;
    }
    return with_none;
  }

 private:
  // The run, if it saw that version of the span.
  const RunRow* run_with(RunNumber number, const RunSpan* span) {
    const auto [known, is_new] = runs_.try_emplace(number);
    if (is_new) known->second = ledger_.find_run(number);
    if (!known->second) return nullptr;
    const RunRow& run = *known->second;
    const bool saw = span == nullptr ||
                     std::any_of(run.spans.begin(), run.spans.end(), [&](const RunSpan& seen) {
                       return seen.source == span->source && seen.span == span->span &&
                              seen.version == span->version;
                     });
    return saw ? &run : nullptr;
  }

  Ledger& ledger_;
  const RunRow& row_;
  std::map<RunNumber, std::optional<RunRow>> runs_;
};

// Steps whose outputs somebody who takes part looks at, and the searches that named their elements.
std::vector<bool> read_by_selected(const Run& run) {
  std::vector<bool> read(run.pipeline->steps.size());
  for (StepIndex s = 0; s < read.size(); ++s) {
    if (!run.selects(s)) continue;
    for (const StepIndex parent : run.pipeline->steps[s].parents) {
      read[parent] = true;
      const std::string& fan = run.pipeline->steps[parent].fan_source;
      if (is_generated_source(fan)) read[run.pipeline->find(generator_of(fan))] = true;
    }
  }
  return read;
}

// A search that runs names elements of its own: what those of an earlier search left cannot stand in
// for them, so whoever selects it selects the work of its elements as well.
std::optional<Error> torn_search(const Run& run) {
  const std::vector<PipelineStep>& steps = run.pipeline->steps;
  std::vector<bool> needed(steps.size());
  for (StepIndex s = 0; s < steps.size(); ++s) {
    for (const PipelineInput& input : steps[s].inputs) {
      const bool asks = input.spec.kind == InputSpec::Kind::results && run.selects(s);
      if (asks) needed[input.step] = true;
    }
  }
  for (auto s = static_cast<StepIndex>(steps.size()); s-- > 0;) {
    if (!run.selects(s) && !needed[s]) continue;
    for (const StepIndex parent : steps[s].parents) {
      needed[parent] = needed[parent] || is_generated_source(steps[parent].fan_source);
    }
  }
  for (StepIndex s = 0; s < steps.size(); ++s) {
    if (!needed[s] || run.selects(s)) continue;
    const std::string search = generator_of(steps[s].fan_source);
    if (!run.selects(run.pipeline->find(search))) continue;
    return Error{ErrorCode::conflict,
                 "run --select: step " + search + " is selected and names elements anew, but " +
                     steps[s].spec.name + ", which works on them, is not; select it too, for example " +
                     search + "+"};
  }
  return std::nullopt;
}

// Whether the search that stands in named fewer elements than this one's place; none stands in:
// what an unfinished one left is no answer.
bool is_unnamed(const Run& run, NodeIndex index) {
  const StepIndex step = run.nodes[index].step;
  const auto generator = generator_node(run, step);
  if (!generator) return false;
  if (!run.nodes[*generator].generated) return !run.selects(run.nodes[*generator].step);
  return index - run.first_node[step] >= run.nodes[*generator].generated->size();
}

}  // namespace

std::optional<Error> Engine::State::options_error(const Pipeline& pipeline,
                                                  const RunOptions& options) const {
  const std::string& name = pipeline.spec.name;
  if (const auto values = run_params(pipeline.spec, options.params); !values) {
    return values.error().within("run");
  }
  for (const std::string& step : options.force) {
    if (pipeline.find(step) != no_step) continue;
    return Error{ErrorCode::invalid, "run --force: pipeline " + name + " has no step " + step};
  }
  const auto selected = select_steps(pipeline, options.select);
  if (!selected) return selected.error();
  if (selected->empty()) {
    return Error{ErrorCode::invalid, "the selection '" + options.select + "' leaves no step of " +
                                         "pipeline " + name + " to run"};
  }
  for (const std::string& step : options.force) {
    if (std::find(selected->begin(), selected->end(), step) != selected->end()) continue;
    return Error{ErrorCode::invalid, "run --force: step " + step + " is not part of the selection '" +
                                         options.select + "'"};
  }
  return std::nullopt;
}

// A required input for which nothing stands in would skip its step: that is no answer to somebody
// who named the step.
std::optional<Error> Engine::State::missing_error(const PipelineState& pipeline,
                                                  const RunOptions& options) const {
  if (options.select.empty()) return std::nullopt;
  Run run;
  run.pipeline = pipeline.current;
  run.row.pipeline = pipeline.row.name;
  run.row.options = options;
  run.row.horizon = last_arrival;
  run.row.created_seq = last_seq + 1;
  prepare_run(run);
  run.row.spans = spans_for_run(pipeline, run);
  if (auto torn = torn_search(run)) return torn;
  Stock stock(ledger, run.row);
  for (StepIndex s = 0; s < run.pipeline->steps.size(); ++s) {
    const PipelineStep& step = run.pipeline->steps[s];
    if (!run.selects(s) || step.spec.run_on != "success") continue;
    for (const PipelineInput& input : step.inputs) {
      const bool reads = input.spec.kind == InputSpec::Kind::step ||
                         input.spec.kind == InputSpec::Kind::newest;
      if (!reads || input.port.optional || run.selects(input.step)) continue;
      const std::string& parent = input.spec.step;
      const std::string& fan = run.pipeline->steps[input.step].fan_source;
      if (is_generated_source(fan) && !stock.newest(generator_of(fan), nullptr)) {
        return Error{ErrorCode::conflict,
                     "run --select: step " + step.spec.name + " needs what " + parent + " made of the "
                         "elements of " + generator_of(fan) + ", which no earlier run has brought to "
                         "its end; select it too, for example +" + step.spec.name};
      }
      bool found = fan.empty() && stock.newest(parent, nullptr);
      for (auto span = run.row.spans.rbegin(); span != run.row.spans.rend() && !found; ++span) {
        found = span->source == fan && span->left_out.empty() && stock.newest(parent, &*span);
      }
      if (found) continue;
      return Error{ErrorCode::conflict,
                   "run --select: step " + step.spec.name + " needs " + parent +
                       ", which is not selected and which no earlier run has made; select it too, "
                       "for example +" + step.spec.name};
    }
  }
  return std::nullopt;
}

void Engine::State::settle_unselected(Run& run) {
  if (run.selected.empty()) return;
  const std::vector<bool> read = read_by_selected(run);
  Stock stock(ledger, run.row);
  for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
    Node& node = run.nodes[n];
    const PipelineStep& step = run.step_of(n);
    if (run.selects(node.step) || node.state != StepState::waiting) continue;
    if (!read[node.step]) {
      set_state(run, n, StepState::skipped, {"not_selected", "not selected", {}});
      continue;
    }
    if (is_unnamed(run, n)) {
      set_state(run, n, StepState::skipped,
                {"not_selected", "not selected, and the search that stands in did not name it", {}});
      continue;
    }
    const RunSpan* span = node.span == no_span ? nullptr : &run.row.spans[node.span];
    if (span != nullptr) {
      const SpanRow* row = span_row(run.row.pipeline, span->source, span->span, span->version);
      if (row != nullptr && row->state == SpanState::halted) {
        set_state(run, n, StepState::skipped,
                  {"not_selected", "not selected, and span " + span->span + " is halted at " +
                                       row->why + ", so that nothing stands in for it", {}});
        continue;
      }
    }
    const auto found = stock.newest(step.spec.name, span);
    const auto result = found ? ledger.find_result_by_id(found->result) : std::nullopt;
    if (!result || ledger.first_lost(*result)) {
      set_state(run, n, StepState::skipped,
                {"not_selected", result ? "not selected, and its recorded output was lost"
                                        : "not selected, and no earlier run has made it", {}});
      continue;
    }
    node.key = result->key;
    node.result = result->id;
    if (step.spec.generates) take_elements(node, *result);
    node.outputs = outputs_given(*result, found->reason);
    const bool without = found->reason.code == "accepted_without_remedy";
    set_state(run, n, StepState::cached,
              {without ? found->reason.code : "not_selected",
               "not selected: its output of run " + std::to_string(found->run) + " stands in", {}});
  }
}

}  // namespace pipelined
