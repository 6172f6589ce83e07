#include "daemon/api/comparing.h"

#include <cmath>

#include "daemon/api/definitions.h"
#include "daemon/api/translate.h"
#include "dag/explain.h"
#include "dag/step_ports.h"

namespace pipelined::api {
namespace {

/// A run with the version of its pipeline.
struct Side : Definition {
  const RunView& run;
};

Side side_of(Backend& backend, const RunView& run) {
  return {definition_of(backend, run.row.version, run.row.options.params), run};
}

std::string duration_of(const RunRow& row) {
  return row.ended_at == 0 || row.started_at == 0 ? ""
                                                  : spoken_duration(row.ended_at - row.started_at);
}

void compare_inputs(DiffLines& lines, const Side& first, const Side& second) {
  const auto spans = [](const Side& side) {
    std::map<std::string, std::string> table;
    for (const RunSpan& span : side.run.row.spans) {
      if (is_generated_source(span.source)) continue;
      table[span.source + "/" + span.span] =
          span.left_out.empty() ? "version " + std::to_string(span.version) : span.left_out;
    }
    return table;
  };
  const auto before = spans(first), after = spans(second);
  for (const std::string& name : names_of(before, after)) {
    lines.add({"input", "", "", name, text_at(before, name), text_at(after, name)});
  }
}

/// What a step read from outside its own run: sources, files, earlier runs.
void compare_outer_inputs(Backend& backend, DiffLines& lines, const Side& first, const Side& second) {
  if (!first.pipeline || !second.pipeline) return;
  const auto digests = [&](const Side& side, const PipelineStep& step) {
    std::map<std::string, std::string> table;
    const auto view = find_step(backend.store(), side.run.row.number, {step.spec.name, ""});
    for (const Binding& binding : view && view->result ? view->result->inputs
                                                       : std::vector<Binding>()) {
      for (const PipelineInput& input : step.inputs) {
        if (input.spec.port != binding.port || input.spec.kind == InputSpec::Kind::step ||
            input.spec.kind == InputSpec::Kind::results ||
            input.spec.kind == InputSpec::Kind::each) {
          continue;
        }
        std::string& text = table["in." + binding.port];
        text += (text.empty() ? "" : " ") + binding.artifact.digest.brief();
      }
    }
    return table;
  };
  for (const PipelineStep& step : second.pipeline->steps) {
    const StepIndex other = first.pipeline->find(step.spec.name);
    if (other == no_step || !step.fan_source.empty()) continue;
    const auto before = digests(first, first.pipeline->steps[other]);
    const auto after = digests(second, step);
    for (const std::string& name : names_of(before, after)) {
      lines.add({"input", step.spec.name, "", name, text_at(before, name), text_at(after, name)});
    }
  }
}

void compare_metrics(Backend& backend, DiffLines& lines, const Side& first, const Side& second) {
  struct Pair {
    std::string before, after;
  };
  std::map<std::tuple<std::string, std::string, std::string>, Pair> all;
  const auto read = [&](const Side& side, std::string Pair::*where) {
    for (const MetricView& view : list_metrics(backend.store(), {side.run.row.number})) {
      const std::string name =
          view.fact.name + (view.fact.slice.empty() ? "" : " (" + view.fact.slice + ")");
      all[{view.step, view.element, name}].*where = canonical(Value(view.fact.value));
    }
  };
  read(first, &Pair::before);
  read(second, &Pair::after);
  for (auto& [place, pair] : all) {
    const auto& [step, element, name] = place;
    lines.add({"metric", step, element, name, pair.before, pair.after});
  }
}

/// Two durations differ when a person would call them different: by a tenth of a second and a tenth.
bool alike(std::int64_t first, std::int64_t second) {
  const std::int64_t apart = std::abs(first - second);
  return apart < 100 || apart * 10 < std::max(first, second);
}

void compare_durations(Backend& backend, DiffLines& lines, const Side& first, const Side& second) {
  lines.add({"duration", "", "", "run", duration_of(first.run.row), duration_of(second.run.row)});
  std::map<std::pair<std::string, std::string>, std::int64_t> before;
  for (const DurationView& view : list_durations(backend.store(), first.run.row.number)) {
    before[{view.step, view.element}] = view.took_ms;
  }
  for (const DurationView& view : list_durations(backend.store(), second.run.row.number)) {
    const auto other = before.find({view.step, view.element});
    if (other == before.end() || (!lines.all && alike(other->second, view.took_ms))) continue;
    lines.add({"duration", view.step, view.element, "took", spoken_duration(other->second),
               spoken_duration(view.took_ms)});
  }
}

}  // namespace

protocol::RunDiff compare_runs(Backend& backend, const RunView& first, const RunView& second,
                               bool all) {
  const Side before = side_of(backend, first), after = side_of(backend, second);
  DiffLines lines;
  lines.all = all;
  lines.add({"run", "", "", "pipeline", first.row.pipeline, second.row.pipeline});
  lines.add({"run", "", "", "state", name_of(first.row.state), name_of(second.row.state)});
  compare_definitions(lines, before, after);
  compare_parameters(lines, before, after);
  compare_inputs(lines, before, after);
  compare_outer_inputs(backend, lines, before, after);
  compare_metrics(backend, lines, before, after);
  compare_durations(backend, lines, before, after);
  return {summary_of(first), summary_of(second), std::move(lines.lines)};
}

}  // namespace pipelined::api
