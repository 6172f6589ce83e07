// What a step asks the system to do in its result: checked, recorded, done in the same turn.
//
// A worker sees one folder, so whoever must change the system says so in its result.  Only operators
// that are declared to have an effect may, and only what their step allows (`requests = [ … ]`); such
// steps are never cached.  A request that is not allowed fails the attempt before anything is done.
#include <algorithm>

#include "dag/engine_state.h"
#include "dag/value_entries.h"

namespace pipelined {
namespace {

const Binding* output_named(const std::vector<Binding>& outputs, const std::string& port) {
  const auto found = std::find_if(outputs.begin(), outputs.end(),
                                  [&](const Binding& b) { return b.port == port; });
  return found == outputs.end() ? nullptr : &*found;
}

bool is_span(const std::string& text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("0123456789-") == std::string::npos && text.front() != '-' &&
         text.back() != '-';
}

// What is wrong with an `add_span`; empty: nothing.
std::string wrong_span(const Pipeline& pipeline, const Value& arguments,
                       const std::vector<Binding>& outputs) {
  const std::string source = text_in(arguments, "source"), span = text_in(arguments, "span");
  const std::string output = text_in(arguments, "output");
  const SourceSpec* known = pipeline.spec.source(source);
  if (known == nullptr) return "pipeline " + pipeline.spec.name + " has no source '" + source + "'";
  if (known->kind != "feedback") {
    return "source " + source + " is of kind " + known->kind +
           "; steps add spans to sources of kind feedback";
  }
  if (!is_span(span)) return "'" + span + "' is no span: digits, joined by -";
  const Binding* binding = output_named(outputs, output);
  if (binding == nullptr) return "it has no output '" + output + "'";
  if (binding->artifact.type != "files/1") {
    return "output " + output + " is " + binding->artifact.type + ", a delivery is files/1";
  }
  return "";
}

std::string wrong_alert(const Value& arguments) {
  const std::string severity = text_in(arguments, "severity");
  if (text_in(arguments, "sentence").empty()) return "it has no sentence";
  if (severity != "error" && severity != "warning" && severity != "info") {
    return "its severity is error, warning or info, not '" + severity + "'";
  }
  return "";
}

}  // namespace

std::string Engine::State::refused_request(const Run& run, NodeIndex index,
                                           const event::AttemptEnded& event) const {
  const PipelineStep& step = run.step_of(index);
  for (const event::StepRequest& request : event.requests) {
    std::string wrong;
    const auto& allowed = step.spec.requests;
    if (!step.info->effect) {
      wrong = "operator " + step.info->id + " is not declared to have an effect";
    } else if (request.kind == register_model_request && step.info->id == register_model_operator) {
      wrong = wrong_registration(attempts.at(event.attempt).inputs, request.arguments);
    } else if (std::find(allowed.begin(), allowed.end(), request.kind) == allowed.end()) {
      wrong = "step " + step.spec.name + " does not allow it: requests = [\"" + request.kind + "\"]";
    } else if (request.kind == "add_span") {
      wrong = wrong_span(*run.pipeline, request.arguments, event.outputs);
    } else if (request.kind == "raise_alert") {
      wrong = wrong_alert(request.arguments);
    } else {
      wrong = "there is no such request";
    }
    if (!wrong.empty()) return "asked for " + request.kind + ": " + wrong;
  }
  return "";
}

void Engine::State::perform_requests(Run& run, const LiveAttempt& attempt, const ResultRow& result,
                                     const std::vector<event::StepRequest>& requests) {
  const std::string pipeline = run.row.pipeline, path = step_path(result.step, result.element);
  std::int64_t ordinal = 0;
  for (const event::StepRequest& request : requests) {
    StepRequestRow row{result.id, ordinal++, pipeline, result.step, result.element, result.run,
                       request.kind, request.arguments, "done", "", now.wall_ms, 0};
    if (request.kind == "add_span") {
      const Binding* output = output_named(result.outputs, text_in(request.arguments, "output"));
      const std::string source = text_in(request.arguments, "source");
      const std::string span = text_in(request.arguments, "span");
      const std::int64_t before = last_arrival;
      on(event::Arrived{pipeline, source, span, output->artifact,
                        "run " + std::to_string(result.run) + " " + path});
      row.sentence = "span " + source + "/" + span +
                     (last_arrival > before ? " was added" : " is there with the same content");
    } else if (request.kind == register_model_request) {
      register_model(run, attempt, result, row);
    } else {
      AlertRow alert_row;
      alert_row.id = pipeline + "/" + path + "/request/" + std::to_string(result.id) + "/" +
                     std::to_string(row.ordinal);
      alert_row.pipeline = pipeline;
      alert_row.subject = path;
      alert_row.severity = text_in(request.arguments, "severity");
      alert_row.sentence = text_in(request.arguments, "sentence");
      alert_row.run = result.run;
      alert_row.step = result.step;
      alert_row.element = result.element;
      alert_row.evidence = result.notes;
      row.sentence = "alert: " + alert_row.sentence;
      alert(std::move(alert_row));
    }
    put(std::move(row));
  }
}

}  // namespace pipelined
