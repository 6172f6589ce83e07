// Steps that name elements while they run, and are called again with what came of them.
//
// A generator answers MORE with elements: tables of values.  Each is an element of the steps with
// `foreach` over it, `${each.x}` in their parameters.  When all of a round are over the generator is
// called again with the results so far in the order of the elements, until it answers OK.  A call is
// known by its inputs like any other, so a search that is run again is replayed from what is
// recorded: a round is a function of the results before it, never of their timing.
#include <algorithm>

#include "dag/engine_state.h"
#include "dag/param_check.h"
#include "dag/step_ports.h"

namespace pipelined {
namespace {

// Notes that the engine keeps with a result; an operator's own notes of these names are dropped.
constexpr const char* elements_note = ":elements";
constexpr const char* more_note = ":more";
constexpr const char* stopped_note = ":stopped";

/// The node of the results' step for an element, by its place in the order of the elements.
NodeIndex result_node(const Run& run, const PipelineInput& input, std::size_t ordinal) {
  return run.first_node[input.step] + static_cast<NodeIndex>(ordinal);
}

bool is_results(const PipelineInput& input) {
  return input.spec.kind == InputSpec::Kind::results;
}

/// What the operator is told of its elements so far; done: they have an artifact at the results.
ValueList past_of(const Run& run, NodeIndex index) {
  ValueList past;
  const auto& known = run.nodes[index].generated;
  for (std::size_t i = 0; known && i < known->size(); ++i) {
    past.push_back(ValueTable{{"values", (*known)[i]}, {"done", element_done(run, index, i)}});
  }
  return past;
}

/// Whether work of an element failed there or before; what a person rejected did not fail.
bool failed_below(const Run& run, StepIndex step, std::size_t ordinal) {
  const StepState state = run.nodes[run.first_node[step] + ordinal].state;
  if (state != StepState::blocked) return state == StepState::failed;
  const PipelineStep& known = run.pipeline->steps[step];
  return std::any_of(known.parents.begin(), known.parents.end(), [&](StepIndex parent) {
    const bool aligned = run.pipeline->steps[parent].fan_source == known.fan_source;
    return aligned && failed_below(run, parent, ordinal);
  });
}

const Value* note_of(const ResultRow& result, const char* name) {
  const ValueTable* notes = result.notes.as_table();
  if (notes == nullptr) return nullptr;
  const auto found = notes->find(name);
  return found == notes->end() ? nullptr : &found->second;
}

/// An element with all values, an integer taken where a number is declared; or what is wrong.
Result<Value> complete_element(const GeneratesSpec& generates, const Value& arguments) {
  const auto wrong = [](std::string what) {
    return Error{ErrorCode::invalid, "named an element " + std::move(what)};
  };
  const ValueTable* given = arguments.as_table();
  if (given == nullptr) return wrong("that is no table of values");
  ValueTable values = generates.values;
  for (const auto& [name, value] : *given) {
    const auto declared = values.find(name);
    if (declared == values.end()) return wrong("with '" + name + "', which is none of generates.values");
    const std::int64_t* whole = value.as_int();
    if (whole != nullptr && declared->second.as_double() != nullptr) {
      declared->second = static_cast<double>(*whole);
    } else if (std::string_view(kind_name(declared->second)) == kind_name(value)) {
      declared->second = value;
    } else {
      return wrong("whose '" + name + "' is " + kind_name(value) + ", not " +
                   kind_name(declared->second));
    }
  }
  return Value(std::move(values));
}

/// The parameters of a fanned-out step for one element.
ValueTable values_for(const Run& run, const PipelineStep& step, const Value& element) {
  ValueTable values = run.pipeline->step_values(step.fan_source);
  for (const auto& [name, value] : run.row.options.params) values[name] = value;
  if (const ValueTable* own = element.as_table()) {
    for (const auto& [name, value] : *own) values["each." + name] = value;
  }
  return values;
}

}  // namespace

std::shared_ptr<const ValueList> elements_in(const ResultRow& result) {
  const Value* note = note_of(result, elements_note);
  const ValueList* list = note == nullptr ? nullptr : note->as_list();
  return list == nullptr ? nullptr : std::make_shared<const ValueList>(*list);
}

void take_elements(Node& node, const ResultRow& result) {
  node.generated = elements_in(result);
  node.time_is_up = note_of(result, stopped_note) != nullptr;
}

bool asks_for_more(const ResultRow& result) { return note_of(result, more_note) != nullptr; }

bool element_done(const Run& run, NodeIndex generator, std::size_t ordinal) {
  const auto& inputs = run.step_of(generator).inputs;
  return std::all_of(inputs.begin(), inputs.end(), [&](const PipelineInput& input) {
    return !is_results(input) || is_done(run.nodes[result_node(run, input, ordinal)].state);
  });
}

bool element_failed(const Run& run, NodeIndex generator, std::size_t ordinal) {
  const auto& inputs = run.step_of(generator).inputs;
  return std::any_of(inputs.begin(), inputs.end(), [&](const PipelineInput& input) {
    return is_results(input) && failed_below(run, input.step, ordinal);
  });
}

std::optional<NodeIndex> generator_node(const Run& run, StepIndex step) {
  const std::string& fan = run.pipeline->steps[step].fan_source;
  if (!is_generated_source(fan)) return std::nullopt;
  return run.first_node[run.pipeline->find(generator_of(fan))];
}

bool is_passed_by(const Run& run, NodeIndex index) {
  const StepIndex step = run.nodes[index].step;
  const auto generator = generator_node(run, step);
  if (!generator || !is_done(run.nodes[*generator].state)) return false;
  const std::int64_t allowed = run.step_of(*generator).spec.generates->failures;
  const auto& known = run.nodes[*generator].generated;
  const std::size_t ordinal = index - run.first_node[step];
  if (allowed == 0 || !known || ordinal >= known->size()) return false;
  if (!element_failed(run, *generator, ordinal)) return false;
  std::int64_t failed = 0;
  for (std::size_t i = 0; i < known->size(); ++i) failed += element_failed(run, *generator, i);
  return failed <= allowed;
}

const ValueTable& Engine::State::params_of_node(const Run& run, NodeIndex index,
                                                ValueTable& own) const {
  const Node& node = run.nodes[index];
  const PipelineStep& step = run.step_of(index);
  if (step.spec.generates) {
    own = run.params[node.step];
    if (step.info->param(generated_param) != nullptr) own[generated_param] = past_of(run, index);
    if (step.info->param(generated_max_param) != nullptr) {
      own[generated_max_param] = step.spec.generates->max;
    }
    if (step.info->param(generated_stopped_param) != nullptr) {
      own[generated_stopped_param] = node.time_is_up;
    }
    return own;
  }
  const auto generator = generator_node(run, node.step);
  if (!generator) return run.params[node.step];
  const auto& generated = run.nodes[*generator].generated;
  const std::size_t ordinal = index - run.first_node[node.step];
  CHECK(generated && ordinal < generated->size());
  const ValueTable values = values_for(run, step, (*generated)[ordinal]);
  auto params = resolve_params(step.spec.params, values, run.pipeline->files);
  if (!params) return run.params[node.step];
  own = *std::move(params);
  return own;
}

// What a value does to the steps that get it is looked at here, where whoever named it can be told.
std::string Engine::State::wrong_for_steps(const Run& run, NodeIndex index,
                                           const Value& element) const {
  const std::string source = generated_source(run.step_of(index).spec.name);
  for (const PipelineStep& step : run.pipeline->steps) {
    if (step.fan_source != source) continue;
    const auto problems = check_params(step.spec, *step.info, values_for(run, step, element),
                                       run.pipeline->files);
    if (problems.empty()) continue;
    return "named an element " + canonical(element) + " that step " + step.spec.name +
           " cannot take: " + problems.front().message;
  }
  return "";
}

std::string Engine::State::refused_elements(const Run& run, NodeIndex index,
                                            const event::AttemptEnded& event) const {
  const auto& generates = run.step_of(index).spec.generates;
  if (!generates) {
    return "asked for more elements, but its step generates none: generates = { max = 10 }";
  }
  if (run.nodes[index].time_is_up) {
    return "named further elements though it was told that their time has passed";
  }
  if (event.requests.empty()) return "asked for more without naming an element";
  for (const event::StepRequest& request : event.requests) {
    if (request.kind != element_request) {
      return "asked for " + request.kind + " beside elements; other requests go with its last answer";
    }
    const auto element = complete_element(*generates, request.arguments);
    if (!element) return element.error().message;
    if (std::string wrong = wrong_for_steps(run, index, *element); !wrong.empty()) return wrong;
  }
  const auto& known = run.nodes[index].generated;
  const auto all = static_cast<std::int64_t>((known ? known->size() : 0) + event.requests.size());
  if (all <= generates->max) return "";
  return "named " + std::to_string(all) + " elements; generates.max is " +
         std::to_string(generates->max);
}

void Engine::State::note_elements(const Run& run, NodeIndex index,
                                  const event::AttemptEnded& event, ResultRow& result) const {
  if (ValueTable* notes = result.notes.as_table()) {
    notes->erase(elements_note);
    notes->erase(more_note);
    notes->erase(stopped_note);
  }
  if (!run.step_of(index).spec.generates) return;
  const GeneratesSpec& generates = *run.step_of(index).spec.generates;
  const auto& known = run.nodes[index].generated;
  ValueList elements = known ? *known : ValueList{};
  if (event.outcome == Outcome::more) {
    for (const event::StepRequest& request : event.requests) {
      if (auto element = complete_element(generates, request.arguments)) {
        elements.push_back(*std::move(element));
      }
    }
  }
  if (result.notes.as_table() == nullptr) result.notes = ValueTable{};
  ValueTable& notes = *result.notes.as_table();
  notes[elements_note] = std::move(elements);
  if (event.outcome == Outcome::more) notes[more_note] = true;
  if (run.nodes[index].time_is_up) notes[stopped_note] = true;
}

// By the clock on the wall, as retry.max_time: it holds across restarts.
bool Engine::State::has_no_time_left(const Run& run, NodeIndex index) const {
  const Node& node = run.nodes[index];
  const auto& generates = run.step_of(index).spec.generates;
  if (!generates || generates->time_ms == 0 || node.first_call_at == 0) return false;
  const bool has_named = node.generated && !node.generated->empty();
  return has_named && now.wall_ms - node.first_call_at >= generates->time_ms;
}

Reason Engine::State::no_time_left(const Run& run, NodeIndex index) const {
  const PipelineStep& step = run.step_of(index);
  const Node& node = run.nodes[index];
  return {"time_is_up", step.spec.name + " ended when its time was over, with " +
                            std::to_string(node.generated ? node.generated->size() : 0) +
                            " elements", {}};
}

void Engine::State::take_round(Run& run, NodeIndex index, const ResultRow& result) {
  Node& node = run.nodes[index];
  const std::size_t before = node.generated ? node.generated->size() : 0;
  auto elements = elements_in(result);
  node.state = StepState::waiting;
  node.result = result.id;
  if (!elements || elements->size() <= before) {  // nothing came of the round: its call is the same
    fail_node(run, index, "no_results", "no element of its last round gave a result, so it would be "
                                        "called again with what it was called with before");
    return;
  }
  node.generated = std::move(elements);
  node.tries = node.faults = 0;
  node.first_try_at = 0;
  write_step(run, index,
             {"more", "goes on when its elements are done: " + std::to_string(node.generated->size()) +
                          " so far, " + std::to_string(node.generated->size() - before) +
                          " in this round", {}});
  touched.insert(run.row.number);
  work.emplace_back(run.row.number, index);
  wake(run, index);
}

}  // namespace pipelined
