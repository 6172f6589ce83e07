#include "dag/check.h"

#include <algorithm>
#include <map>
#include <set>

#include "dag/check_triggers.h"
#include "dag/condition.h"
#include "dag/graph.h"
#include "dag/nearest_name.h"
#include "dag/param_check.h"
#include "dag/query_source.h"
#include "dag/span_pattern.h"
#include "dag/spec_words.h"
#include "dag/step_ports.h"

namespace pipelined {
namespace {

constexpr std::size_t most_cycles_shown = 20;

// A type is `name/N`.
bool is_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !is_name(text.substr(0, slash))) return false;
  const std::string_view number = text.substr(slash + 1);
  return !number.empty() && number.size() <= 6 &&
         number.find_first_not_of("0123456789") == std::string_view::npos;
}

class Checker {
 public:
  Checker(const PipelineSpec& spec, const OperatorSet& operators, const BundleFiles& files,
          const std::string& file_name, ZoneSource* zones)
      : zones_(zones), spec_(spec), operators_(operators), files_(files), file_(file_name),
        places_(step_places(spec)), fans_(fan_sources(spec)), edges_(step_edges(spec)) {
    for (const StepSpec& step : spec.steps) step_names_.push_back(step.name);
    for (const SourceSpec& source : spec.sources) source_names_.push_back(source.name);
  }

  std::vector<Diagnostic> check() {
    check_top();
    for (const SourceSpec& source : spec_.sources) check_source(source);
    check_groups();
    for (Diagnostic& found : check_triggers(spec_, file_, zones_)) {
      problems_.push_back(std::move(found));
    }
    learn_outputs();
    for (std::size_t i = 0; i < spec_.steps.size(); ++i) check_step(i);
    check_cycles();
    check_gates();
    check_remedies();
    sort_by_place(problems_);
    return std::move(problems_);
  }

 private:
  void error(SourcePosition at, std::string message) {
    problems_.push_back({file_, at, std::move(message), false});
  }
  void warning(SourcePosition at, std::string message) {
    problems_.push_back({file_, at, std::move(message), true});
  }

  void check_name(SourcePosition at, const std::string& kind, const std::string& name) {
    if (is_name(name)) return;
    error(at, "the " + kind + " '" + name + "' is no name: a small letter, then small letters, "
              "digits, '_' and '-', at most 64");
  }

  using Positions = std::vector<std::pair<std::string, SourcePosition>>;
  static SourcePosition place_of(const Positions& positions, const std::string& key,
                                 SourcePosition otherwise) {
    for (const auto& [name, at] : positions) {
      if (name == key) return at;
    }
    return otherwise;
  }
  static SourcePosition place_of(const StepSpec& step, const std::string& key) {
    return place_of(step.key_positions, key, step.at);
  }
  SourcePosition place_at_top(const std::string& key) const {
    return place_of(spec_.key_positions, key, {1, 1});
  }

  // Comparing every wrong name with every right one is dear: after many errors nobody reads hints.
  std::string hint(const std::string& word, const std::vector<std::string>& known) const {
    return problems_.size() > 100 ? "" : did_you_mean(word, known);
  }

  const StepSpec* step_named(const std::string& name) const {
    const auto place = places_.find(name);
    return place == places_.end() ? nullptr : &spec_.steps[place->second];
  }
  const OperatorInfo* operator_of(const StepSpec& step) const {
    const auto found = operators_.find(step.operator_id);
    return found == operators_.end() ? nullptr : &found->second;
  }

  void check_top() {
    check_name(place_at_top("name"), "pipeline name", spec_.name);
    if (spec_.steps.empty()) error({1, 1}, "the pipeline has no steps");
    std::set<std::string> used;
    for (const StepSpec& step : spec_.steps) {
      for (std::string& name : references_in(Value(step.params))) used.insert(std::move(name));
    }
    for (const auto& [name, value] : spec_.params) {
      const SourcePosition at = place_at_top("params." + name);
      check_name(at, "parameter", name);
      if (used.count(name) == 0) {
        warning(at, "the parameter '" + name + "' is used nowhere; a step takes it with "
                        "params.x = \"${" + name + "}\"");
      }
    }
  }

  void check_source(const SourceSpec& source) {
    check_name(source.at, "source", source.name);
    if (source.kind == "query") {
      for (std::string& wrong : query_problems(source, operators_, files_)) {
        error(source.at, "source '" + source.name + "' " + std::move(wrong));
      }
      return;
    }
    if (source.kind == "feedback") {
      if (source.path.empty()) return;
      return error(source.at, "source '" + source.name + "' is of kind feedback and has no path: " +
                                  "steps add its spans");
    }
    if (source.path.empty()) return error(source.at, "source '" + source.name + "' has no path");
    const auto pattern = SpanPattern::parse(source.path);
    if (!pattern) error(source.at, "source '" + source.name + "': " + pattern.error().message);
    if (source.marker.empty()) return;
    const auto marker = SpanPattern::parse(source.marker);
    const std::string key = source.manifest ? "manifest" : "complete";
    if (!marker) {
      error(source.at, "source '" + source.name + "': " + key + ": " + marker.error().message);
    } else if (source.path.starts_with('/') != source.marker.starts_with('/')) {
      error(source.at, "source '" + source.name + "': '" + key + "' and 'path' must both be absolute "
                       "or both relative");
    } else if (pattern && !pattern->same_words(*marker)) {
      error(source.at, "source '" + source.name + "': '" + key + "' and 'path' must have the same "
                       "words in braces, or a file of one cannot be told to be of a span of the other");
    }
  }

  // What `${name}` stands for in a step.
  const ValueTable& values_of(std::size_t index) {
    if (!is_generated_source(fans_[index])) return spec_.params;
    own_values_ = step_values(spec_.params, spec_.step(generator_of(fans_[index])));
    return own_values_;
  }

  // The outputs of every step whose operator is known, and its parameters with references replaced.
  void learn_outputs() {
    params_.resize(spec_.steps.size());
    outputs_.resize(spec_.steps.size());
    for (std::size_t i = 0; i < spec_.steps.size(); ++i) {
      const StepSpec& step = spec_.steps[i];
      const OperatorInfo* info = operator_of(step);
      if (info == nullptr) continue;
      for (const auto& [name, value] : step.params) {
        // One by one: a bad parameter must not hide the others.
        auto resolved = resolve_params({{name, value}}, values_of(i), files_);
        if (resolved) params_[i].merge(*resolved);
      }
      outputs_[i] = outputs_of(step, *info, params_[i]);
    }
  }

  void check_step(std::size_t index) {
    const StepSpec& step = spec_.steps[index];
    check_name(step.at, "step", step.name);
    check_foreach(step);
    check_generates(index);
    for (const std::string& name : step.after) {
      if (step_named(name) == nullptr) {
        error(place_of(step, "after"), "step '" + step.name + "' comes after the unknown step '" + name + "'" +
                           hint(name, step_names_));
      }
    }
    check_when(index);
    check_policies(step);
    const OperatorInfo* info = operator_of(step);
    if (info == nullptr && !step.operator_id.empty()) {
      std::vector<std::string> known;
      for (const auto& [id, ignored] : operators_) known.push_back(id);
      error(place_of(step, "operator"),
            "step '" + step.name + "' has the unknown operator '" + step.operator_id + "'" +
                hint(step.operator_id, known));
    }
    for (const InputSpec& input : step.inputs) check_input(index, input, info);
    if (info == nullptr) return;
    check_required_inputs(step, *info);
    check_outputs(step, *info);
    check_step_params(index, *info);
  }

  void check_foreach(const StepSpec& step) {
    if (!step.foreach) return;
    const ForeachSpec& foreach = *step.foreach;
    const std::string start = "step '" + step.name + "': foreach names ";
    if (foreach.is_source) {
      if (spec_.source(foreach.of) == nullptr) {
        error(foreach.at, start + "the unknown source '" + foreach.of + "'" +
                              hint(foreach.of, source_names_));
      }
    } else if (const StepSpec* of = step_named(foreach.of); of == nullptr) {
      std::string tip = hint(foreach.of, step_names_);
      if (spec_.source(foreach.of) != nullptr) {
        tip = "; the source of that name is \"source." + foreach.of + "\"";
      }
      error(foreach.at, start + "the unknown step '" + foreach.of + "'" + tip);
    } else if (!of->foreach && !of->generates) {
      error(foreach.at, start + "step '" + foreach.of + "', which has no foreach itself");
    }
  }

  void check_generates(std::size_t index) {
    const StepSpec& step = spec_.steps[index];
    const OperatorInfo* info = operator_of(step);
    if (!step.generates) {
      if (info != nullptr && info->generates) {
        error(step.at, "step '" + step.name + "' lacks generates = { max = … }: '" + info->id +
                           "' names elements to be run");
      }
      return;
    }
    const SourcePosition at = step.generates->at;
    const std::string start = "step '" + step.name + "' generates elements, ";
    if (info != nullptr && !info->generates) {
      error(at, start + "but '" + info->id + "' never names one");
    }
    const bool can_stop = info == nullptr || info->param(generated_stopped_param) != nullptr;
    if (step.generates->time_ms > 0 && !can_stop) {
      error(at, start + "but '" + info->id + "' cannot be told that their time has passed: it has no "
                                             "parameter '" + generated_stopped_param + "'");
    }
    if (step.foreach) error(at, start + "so it has no foreach");
    if (step.run_on != "success") error(at, start + "so it has no run_on");
    if (step.review.required) error(at, start + "so it has no review: it would be one a round");
    for (const char* name : {generated_param, generated_max_param, generated_stopped_param}) {
      if (!step.params.contains(name)) continue;
      error(place_of(step, "params"), start + "so its parameter '" + name + "' is filled in");
    }
    bool asks = false;
    for (const InputSpec& input : step.inputs) {
      if (input.kind != InputSpec::Kind::results) continue;
      asks = true;
      check_round(index, input);
    }
    if (!asks) error(at, start + "so it needs an input of what comes of them: { results = STEP }");
  }

  // What comes of a round must not wait for elements of later rounds, nor for the end of them all.
  void check_round(std::size_t index, const InputSpec& results) {
    const auto from = places_.find(results.step);
    if (from == places_.end()) return;
    const auto generator = static_cast<std::uint32_t>(index);
    const auto below = reachable(spec_.steps.size(), edges_, {generator}, false);
    const auto above = reachable(spec_.steps.size(), edges_, {from->second}, true);
    const std::string& name = spec_.steps[index].name;
    for (std::size_t i = 0; i < spec_.steps.size(); ++i) {
      if (i == index || !below[i] || !above[i]) continue;
      const StepSpec& between = spec_.steps[i];
      const auto waits = [&](const InputSpec& input) {
        return input.kind == InputSpec::Kind::step && input.step == name;
      };
      const bool is_element = generator_of(fans_[i]) == name;
      const bool waits_for_end =
          std::any_of(between.inputs.begin(), between.inputs.end(), waits) ||
          std::count(between.after.begin(), between.after.end(), name) > 0;
      if (is_element && !waits_for_end) continue;
      error(results.at, "in." + results.port + ": '" + results.step + "' hangs on '" + between.name +
                            "', which waits for " +
                            (is_element ? "the outputs of '" + name + "'"
                                        : "all elements of '" + name + "'") +
                            ", so no round would ever end");
    }
  }

  void check_policies(const StepSpec& step) {
    if (!step.pool.empty()) check_name(place_of(step, "pool"), "pool", step.pool);
    if (!step.group.empty() && spec_.group(step.group) == nullptr) {
      std::vector<std::string> known;
      for (const GroupSpec& group : spec_.groups) known.push_back(group.name);
      error(place_of(step, "group"), "step '" + step.name + "' is in the unknown group '" +
                                         step.group + "'" + hint(step.group, known) +
                                         "; a group is written [group." + step.group + "]");
    }
    if (step.timeout_progress_ms > 0 && runs_program(step.operator_id)) {
      error(place_of(step, "timeout"), "step '" + step.name + "': a program reports no progress, so "
            "timeout.progress would always end it; use timeout.execution");
    }
  }

  void check_groups() {
    for (const GroupSpec& group : spec_.groups) {
      check_name(group.at, "group", group.name);
      const bool used = std::any_of(spec_.steps.begin(), spec_.steps.end(),
                                    [&](const StepSpec& step) { return step.group == group.name; });
      if (!used) warning(group.at, "no step is in the group '" + group.name + "'");
    }
  }

  void check_when(std::size_t index) {
    const StepSpec& step = spec_.steps[index];
    if (step.when.empty()) return;
    const auto condition = Condition::parse(step.when);
    const SourcePosition at = place_of(step, "when");
    const std::string start = "step '" + step.name + "': when: ";
    if (!condition) return error(at, start + condition.error().message);
    const auto above = reachable(spec_.steps.size(), edges_,
                                 {static_cast<std::uint32_t>(index)}, true);
    for (const ConditionName& name : condition->names()) {
      const auto place = places_.find(name.step);
      if (place == places_.end()) {
        error(at, start + "unknown step '" + name.step + "'" +
                           hint(name.step, step_names_));
      } else if (!above[place->second] || place->second == index) {
        error(at, start + "it reads " + name.text() + ", but '" + step.name +
                           "' does not depend on '" + name.step + "'; add after = [\"" +
                           name.step + "\"]");
      }
    }
  }

  // ---- Inputs --------------------------------------------------------------------------------------

  void check_input(std::size_t index, const InputSpec& input, const OperatorInfo* info) {
    const StepSpec& step = spec_.steps[index];
    std::optional<PortInfo> port;
    if (info != nullptr) {
      check_name(input.at, "input", input.port);
      port = input_of(step, *info, input.port);
      if (!port) {
        std::vector<std::string> known;
        for (const PortInfo& one : info->inputs) known.push_back(one.name);
        error(input.at, "'" + info->id + "' has no input '" + input.port + "'" +
                            hint(input.port, known));
      }
    }
    switch (input.kind) {
      case InputSpec::Kind::each: return check_each(index, input, port);
      case InputSpec::Kind::source: return check_source_input(input, port);
      case InputSpec::Kind::file: return check_file(input);
      case InputSpec::Kind::model:
        return check_type(input, port, "model/1", "a model of the registry");
      default: return check_step_input(index, input, port);
    }
  }

  void check_type(const InputSpec& input, const std::optional<PortInfo>& port,
                  const std::string& given, const std::string& origin) {
    if (!port || types_fit(given, port->type)) return;
    error(input.at, "input '" + input.port + "' takes " + port->type + ", but " + origin +
                        " gives " + given);
  }

  const char* type_of_source(const std::string& name) const {
    const SourceSpec* source = spec_.source(name);
    return source != nullptr && source->kind == "query" ? query_span_type : "files/1";
  }

  void check_each(std::size_t index, const InputSpec& input, const std::optional<PortInfo>& port) {
    if (fans_[index].empty()) {
      return error(input.at, "in." + input.port + " = \"each\" needs foreach = \"source.NAME\" in "
                             "step '" + spec_.steps[index].name + "'");
    }
    if (is_generated_source(fans_[index])) {
      return error(input.at, "what step '" + generator_of(fans_[index]) + "' generates are values, "
                             "not files: params.x = \"${each.x}\"");
    }
    check_type(input, port, type_of_source(fans_[index]), "source '" + fans_[index] + "'");
  }

  void check_source_input(const InputSpec& input, const std::optional<PortInfo>& port) {
    if (spec_.source(input.source) == nullptr) {
      return error(input.at, "unknown source '" + input.source + "'" +
                                 hint(input.source, source_names_));
    }
    check_type(input, port, type_of_source(input.source), "source '" + input.source + "'");
  }

  void check_file(const InputSpec& input) {
    if (files_.find(input.file) != files_.end()) return;
    std::vector<std::string> known;
    for (const auto& [name, ignored] : files_) known.push_back(name);
    error(input.at, "there is no file '" + input.file + "' beside the pipeline" +
                        hint(input.file, known));
  }

  void check_step_input(std::size_t index, const InputSpec& input,
                        const std::optional<PortInfo>& port) {
    const auto place = places_.find(input.step);
    if (place == places_.end()) {
      std::string tip = hint(input.step, step_names_);
      if (tip.empty() && spec_.source(input.step) != nullptr) {
        tip = "; the source of that name is { source = \"" + input.step + "\" }";
      }
      return error(input.at, "unknown step '" + input.step + "'" + tip);
    }
    check_fan(index, place->second, input, port);
    const StepSpec& from = spec_.steps[place->second];
    if (operator_of(from) == nullptr) return;
    const auto output = pick_output(from.name, outputs_[place->second], input.output);
    if (!output) return error(input.at, output.error().message);
    check_type(input, port, output->type, "'" + from.name + "." + output->name + "'");
  }

  void check_fan(std::size_t index, std::size_t from, const InputSpec& input,
                 const std::optional<PortInfo>& port) {
    using Kind = InputSpec::Kind;
    const std::string& own = fans_[index];
    const std::string& theirs = fans_[from];
    const bool aligned = own == theirs;
    const bool selects = input.spans.kind != SpanSelection::Kind::all;
    const std::string what = "in." + input.port + ": step '" + input.step + "'";
    if (input.kind == Kind::results) {
      if (generator_of(theirs) != spec_.steps[index].name) {
        error(input.at, what + " does not run the elements of step '" + spec_.steps[index].name +
                            "': results are of a step with foreach = \"" +
                            spec_.steps[index].name + "\"");
      } else if (port && (!port->many || !port->optional)) {
        error(input.at, "in." + input.port + ": before the first round there are no results, and "
                            "later several; the port must be optional and take many");
      }
      return;
    }
    if (is_generated_source(theirs) && (input.kind != Kind::step || selects)) {
      error(input.at, what + " runs generated elements, which are no spans to choose from");
      return;
    }
    if (theirs.empty()) {
      if (input.kind == Kind::span || input.kind == Kind::newest || selects) {
        error(input.at, what + " has no foreach, so it has no spans to choose from");
      }
    } else if (input.kind == Kind::span && !aligned) {
      error(input.at, what + ": span = " + std::to_string(input.offset) +
                          " needs foreach over the same source '" + theirs + "' in step '" +
                          spec_.steps[index].name + "'");
    } else if (input.kind == Kind::latest && !aligned) {
      error(input.at, what + " has an output for every span of '" + theirs +
                          "'; { newest = … } takes the last of them");
    } else if (input.kind == Kind::step && aligned && selects) {
      error(input.at, what + " goes span by span with this one, so 'spans' has no meaning here");
    } else if (input.kind == Kind::step && !aligned && port && !port->many) {
      error(input.at, what + " has an output for every span of '" + theirs + "', but '" +
                          input.port + "' takes one; add foreach = \"" + input.step +
                          "\" or take { newest = \"" + input.step +
                          (input.output.empty() ? "" : "." + input.output) + "\" }");
    }
  }

  void check_required_inputs(const StepSpec& step, const OperatorInfo& info) {
    for (const PortInfo& port : info.inputs) {
      if (port.optional || port.name == "*") continue;
      const bool given = std::any_of(step.inputs.begin(), step.inputs.end(),
                                     [&](const InputSpec& i) { return i.port == port.name; });
      if (!given) {
        error(step.at, "step '" + step.name + "' lacks the input '" + port.name + "' (" +
                           port.type + ") that '" + info.id + "' requires");
      }
    }
  }

  // ---- Outputs and parameters ----------------------------------------------------------------------

  void check_outputs(const StepSpec& step, const OperatorInfo& info) {
    if (!step.outputs.empty() && !info.open_outputs) {
      return error(step.outputs.front().at,
                   "'" + info.id + "' has its own outputs; a step declares none");
    }
    std::set<std::string> seen;
    for (const PortInfo& port : expand_outputs(info, params_[places_.at(step.name)])) {
      if (!seen.insert(port.name).second) {
        error(step.at, "step '" + step.name + "' has the output '" + port.name + "' twice");
      }
    }
    for (const OutputSpec& output : step.outputs) {
      check_name(output.at, "output", output.port);
      if (!seen.insert(output.port).second) {
        error(output.at, "step '" + step.name + "' has the output '" + output.port + "' twice");
      }
      if (!is_type(output.type)) {
        error(output.at, "out." + output.port + ": '" + output.type +
                             "' is no type; a type is a name and a number, such as \"files/1\"");
      }
    }
  }

  void check_step_params(std::size_t index, const OperatorInfo& info) {
    const StepSpec& step = spec_.steps[index];
    std::map<std::string_view, SourcePosition> positions;
    for (const auto& [name, at] : step.param_positions) positions.emplace(name, at);
    const auto report = [&](const ParamProblem& problem) {
      // The nearest place known: a problem deep in a list stands at the list.
      std::string name = problem.name;
      auto found = positions.find(name);
      while (found == positions.end() && name.find('.') != std::string::npos) {
        name.erase(name.rfind('.'));
        found = positions.find(name);
      }
      error(found == positions.end() ? step.at : found->second, problem.message);
    };
    const auto problems = check_params(step, info, values_of(index), files_);
    std::for_each(problems.begin(), problems.end(), report);
    if (!runs_program(info.id)) return;
    const auto in_command = info.id == command_operator
                                ? check_command_params(step, info, params_[index])
                                : check_python_params(step, params_[index]);
    std::for_each(in_command.begin(), in_command.end(), report);
  }

  // ---- The whole -----------------------------------------------------------------------------------

  void check_cycles() {
    const auto cycles = find_cycles(spec_.steps.size(), edges_);
    for (std::size_t i = 0; i < std::min(cycles.size(), most_cycles_shown); ++i) {
      std::string text;
      for (const std::uint32_t step : cycles[i]) text += spec_.steps[step].name + " → ";
      const StepSpec& first = spec_.steps[cycles[i].front()];
      error(first.at, "the steps form a cycle: " + text + first.name);
    }
    if (cycles.size() > most_cycles_shown) {
      error({1, 1}, "and " + std::to_string(cycles.size() - most_cycles_shown) + " more cycles");
    }
  }

  bool is_training(std::size_t index) const {
    return std::any_of(outputs_[index].begin(), outputs_[index].end(), [](const PortInfo& port) {
      return port.pass.empty() && port.type.starts_with("model/");
    });
  }

  // Whether this input hands on what stands before its step's judgement: an output that passes an
  // input through belongs to a step that can halt first.
  bool is_gated(const InputSpec& input) const {
    const auto place = places_.find(input.step);
    if (place == places_.end()) return true;
    const auto output = pick_output(input.step, outputs_[place->second], input.output);
    // A remedy says how to weigh rows; it holds none.
    return !output || !output->pass.empty() || output->type == "remedy/1";
  }

  // Data flows from sources along inputs, but not through gates; a training step that it reaches
  // learns from what nobody has judged.
  void check_gates() {
    const std::size_t count = spec_.steps.size();
    std::vector<std::vector<std::uint32_t>> readers(count);
    std::vector<const std::string*> ungated(count, nullptr);
    std::vector<std::uint32_t> stack;
    for (std::uint32_t i = 0; i < count; ++i) {
      for (const InputSpec& input : spec_.steps[i].inputs) {
        if (input.kind == InputSpec::Kind::each && !fans_[i].empty()) {
          ungated[i] = &fans_[i];
        } else if (input.kind == InputSpec::Kind::source) {
          ungated[i] = &input.source;
        } else if (!input.step.empty() && !is_gated(input)) {
          readers[places_.at(input.step)].push_back(i);
        }
      }
      if (ungated[i] != nullptr) stack.push_back(i);
    }
    while (!stack.empty()) {
      const std::uint32_t top = stack.back();
      stack.pop_back();
      for (const std::uint32_t reader : readers[top]) {
        if (ungated[reader] != nullptr) continue;
        ungated[reader] = ungated[top];
        if (!is_training(reader)) stack.push_back(reader);
      }
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (ungated[i] == nullptr || !is_training(i)) continue;
      const StepSpec& step = spec_.steps[i];
      warning(step.at, "step '" + step.name + "' learns from source '" + *ungated[i] +
                           "' with no gate between; put data.validate into the path of the data");
    }
  }

  // A remedy that nobody reads changes nothing: after a halt a person is asked as without it.
  void check_remedies() {
    for (std::size_t i = 0; i < spec_.steps.size(); ++i) {
      const auto method = params_[i].find("remedy");
      const std::string* word = method == params_[i].end() ? nullptr : method->second.as_text();
      const auto port = std::find_if(outputs_[i].begin(), outputs_[i].end(), [](const PortInfo& p) {
        return p.type == "remedy/1";
      });
      if (word == nullptr || *word == "none" || port == outputs_[i].end()) continue;
      const std::string& name = spec_.steps[i].name;
      const bool read = std::any_of(spec_.steps.begin(), spec_.steps.end(), [&](const StepSpec& s) {
        return std::any_of(s.inputs.begin(), s.inputs.end(), [&](const InputSpec& input) {
          return input.step == name && input.output == port->name;
        });
      });
      if (read) continue;
      warning(spec_.steps[i].at, "step '" + name + "' proposes a remedy that no step reads, so its "
                                 "halts wait for a person; a trainer takes it with in.remedy = "
                                 "{ newest = \"" + name + "." + port->name + "\" }");
    }
  }

  ZoneSource* zones_;
  const PipelineSpec& spec_;
  const OperatorSet& operators_;
  const BundleFiles& files_;
  std::string file_;
  std::unordered_map<std::string_view, std::uint32_t> places_;
  std::vector<std::string> fans_;
  std::vector<Edge> edges_;
  std::vector<std::string> step_names_, source_names_;
  ValueTable own_values_;
  std::vector<ValueTable> params_;
  std::vector<std::vector<PortInfo>> outputs_;
  std::vector<Diagnostic> problems_;
};

void collect_files(const Value& value, std::set<std::string>& names) {
  if (const ValueList* list = value.as_list()) {
    for (const Value& item : *list) collect_files(item, names);
  } else if (const ValueTable* table = value.as_table()) {
    if (const std::string* name = file_reference(*table)) {
      names.insert(*name);
    } else {
      for (const auto& [key, item] : *table) collect_files(item, names);
    }
  }
}

}  // namespace

std::vector<Diagnostic> check(const PipelineSpec& spec, const OperatorSet& operators,
                              const BundleFiles& files, const std::string& file_name,
                              ZoneSource* zones) {
  return Checker(spec, operators, files, file_name, zones).check();
}

std::vector<std::string> referenced_files(const PipelineSpec& spec) {
  std::set<std::string> names;
  collect_files(Value(spec.params), names);
  for (const SourceSpec& source : spec.sources) collect_files(Value(source.query.params), names);
  for (const StepSpec& step : spec.steps) {
    for (const InputSpec& input : step.inputs) {
      if (input.kind == InputSpec::Kind::file) names.insert(input.file);
    }
    collect_files(Value(step.params), names);
  }
  return {names.begin(), names.end()};
}

bool is_name(std::string_view text) {
  const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
  if (text.empty() || text.size() > 64 || !is_small(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_small(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace pipelined
