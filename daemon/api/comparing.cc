#include "daemon/api/comparing.h"

#include <cmath>
#include <set>

#include "daemon/api/translate.h"
#include "dag/cache_key.h"
#include "dag/explain.h"

namespace pipelined::api {
namespace {

using protocol::DiffLine;

/// A run with the version of its pipeline; that may be lost.
struct Side {
  const RunView& run;
  std::shared_ptr<const Pipeline> pipeline;
  ValueTable values;   ///< parameters of the pipeline with those of the run
};

Side side_of(Backend& backend, const RunView& run) {
  Side side{run, backend.pipeline_version(run.row.version), {}};
  if (side.pipeline) side.values = side.pipeline->spec.params;
  for (const auto& [name, value] : run.row.options.params) side.values[name] = value;
  return side;
}

/// Collects lines, and leaves out what is alike unless all is wanted.
struct Lines {
  bool all = false;
  std::vector<DiffLine> lines;

  void add(DiffLine line) {
    if (all || line.before != line.after) lines.push_back(std::move(line));
  }
};

std::string duration_of(const RunRow& row) {
  return row.ended_at == 0 || row.started_at == 0 ? ""
                                                  : spoken_duration(row.ended_at - row.started_at);
}

std::string files_text(const Pipeline& pipeline, const std::string& name) {
  const auto found = pipeline.files.find(name);
  return found == pipeline.files.end() ? "" : sha256(found->second).brief();
}

/// The wiring of a step as one text a port: "examples ← validate.examples".
std::map<std::string, std::string> wiring_of(const PipelineStep& step) {
  std::map<std::string, std::string> wires;
  for (const PipelineInput& input : step.inputs) {
    const InputSpec& spec = input.spec;
    std::string from;
    switch (spec.kind) {
      case InputSpec::Kind::each: from = "each element"; break;
      case InputSpec::Kind::source: from = "source " + spec.source; break;
      case InputSpec::Kind::file: from = "file " + spec.file; break;
      case InputSpec::Kind::newest: from = "newest of "; break;
      case InputSpec::Kind::latest: from = "latest of "; break;
      case InputSpec::Kind::span: from = "span " + std::to_string(spec.offset) + " of "; break;
      case InputSpec::Kind::step: break;
    }
    if (!spec.step.empty()) from += spec.step + (input.output.empty() ? "" : "." + input.output);
    wires["in." + spec.port] = from;
  }
  return wires;
}

template <class Map>
std::set<std::string> names_of(const Map& first, const Map& second) {
  std::set<std::string> names;
  for (const auto& [name, value] : first) names.insert(name);
  for (const auto& [name, value] : second) names.insert(name);
  return names;
}

std::string text_at(const std::map<std::string, std::string>& table, const std::string& name) {
  const auto found = table.find(name);
  return found == table.end() ? std::string() : found->second;
}

void compare_step(Lines& lines, const Side& first, const PipelineStep& before, const Side& second,
                  const PipelineStep& after) {
  const auto params = [](const Side& side, const PipelineStep& step) {
    const auto resolved = resolve_params(step.spec.params, side.values, side.pipeline->files);
    return resolved ? *resolved : ValueTable{};
  };
  std::vector<ReasonDetail> details = key_difference(key_text(before, params(first, before), {}),
                                                     key_text(after, params(second, after), {}));
  name_defaults(details, after.info);
  for (const ReasonDetail& detail : details) {
    lines.add({"definition", after.spec.name, "", detail.name, detail.before, detail.after});
  }
  const auto old_wires = wiring_of(before), wires = wiring_of(after);
  for (const std::string& name : names_of(old_wires, wires)) {
    lines.add({"definition", after.spec.name, "", name, text_at(old_wires, name),
               text_at(wires, name)});
  }
}

void compare_definitions(Lines& lines, const Side& first, const Side& second) {
  lines.add({"definition", "", "", "version", first.run.row.version.brief(),
             second.run.row.version.brief()});
  if (!first.pipeline || !second.pipeline) return;
  for (const std::string& name : names_of(first.pipeline->files, second.pipeline->files)) {
    lines.add({"definition", "", "", "file " + name, files_text(*first.pipeline, name),
               files_text(*second.pipeline, name)});
  }
  for (const PipelineStep& after : second.pipeline->steps) {
    const StepIndex before = first.pipeline->find(after.spec.name);
    if (before == no_step) {
      lines.add({"definition", after.spec.name, "", "step", "", after.spec.operator_id});
    } else {
      compare_step(lines, first, first.pipeline->steps[before], second, after);
    }
  }
  for (const PipelineStep& before : first.pipeline->steps) {
    if (second.pipeline->find(before.spec.name) != no_step) continue;
    lines.add({"definition", before.spec.name, "", "step", before.spec.operator_id, ""});
  }
}

void compare_parameters(Lines& lines, const Side& first, const Side& second) {
  const auto text = [](const Side& side, const std::string& name) {
    const auto found = side.values.find(name);
    return found == side.values.end() ? std::string() : canonical(found->second);
  };
  for (const std::string& name : names_of(first.values, second.values)) {
    lines.add({"parameter", "", "", name, text(first, name), text(second, name)});
  }
}

void compare_inputs(Lines& lines, const Side& first, const Side& second) {
  const auto spans = [](const Side& side) {
    std::map<std::string, std::string> table;
    for (const RunSpan& span : side.run.row.spans) {
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
void compare_outer_inputs(Backend& backend, Lines& lines, const Side& first, const Side& second) {
  if (!first.pipeline || !second.pipeline) return;
  const auto digests = [&](const Side& side, const PipelineStep& step) {
    std::map<std::string, std::string> table;
    const auto view = find_step(backend.store(), side.run.row.number, {step.spec.name, ""});
    for (const Binding& binding : view && view->result ? view->result->inputs
                                                       : std::vector<Binding>()) {
      for (const PipelineInput& input : step.inputs) {
        if (input.spec.port != binding.port || input.spec.kind == InputSpec::Kind::step ||
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

void compare_metrics(Backend& backend, Lines& lines, const Side& first, const Side& second) {
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

void compare_durations(Backend& backend, Lines& lines, const Side& first, const Side& second) {
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
  Lines lines;
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
