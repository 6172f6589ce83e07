// The model registry: what a step registers gets its number here, and marks are put on versions.
//
// A version is put in the turn in which its step's result is recorded, so there is no moment at which
// the one is there without the other.  The same model and transform again are the same version.
#include <algorithm>
#include <cmath>

#include "dag/engine_state.h"
#include "dag/model_descent.h"
#include "dag/value_entries.h"

namespace pipelined {
namespace {

constexpr std::size_t metrics_max = 2000;
constexpr const char* first_version = "1.0.0";

std::vector<std::string> texts_in(const Value& arguments, std::string_view name) {
  std::vector<std::string> texts;
  const Value* value = entry_in(arguments, name);
  const ValueList* list = value == nullptr ? nullptr : value->as_list();
  if (list == nullptr) return texts;
  for (const Value& item : *list) texts.push_back(item.as_text() != nullptr ? *item.as_text() : "");
  return texts;
}

const ArtifactRef* at_port(const std::vector<Binding>& bindings, std::string_view port) {
  const auto found = std::find_if(bindings.begin(), bindings.end(),
                                  [&](const Binding& b) { return b.port == port; });
  return found == bindings.end() ? nullptr : &found->artifact;
}

// Of arguments that were found to be in order, and of what was recorded from such.
ModelFacts facts_in(const Value& value) {
  auto facts = model_facts_from(value);
  return facts ? *std::move(facts) : ModelFacts{};
}

Digest content_of(const std::vector<Binding>& inputs) {
  std::string text = "model " + at_port(inputs, "model")->digest.hex() + "\n";
  if (const ArtifactRef* transform = at_port(inputs, "transform")) {
    text += "transform " + transform->digest.hex() + "\n";
  }
  return sha256(text);
}

ValueList metrics_of(const ResultRow& evaluation) {
  ValueList list;
  for (const MetricFact& metric : evaluation.metrics) {
    if (list.size() == metrics_max) break;
    if (!std::isfinite(metric.value)) continue;
    ValueTable one{{"name", metric.name}, {"value", metric.value}};
    if (!metric.slice.empty()) one["slice"] = metric.slice;
    list.push_back(std::move(one));
  }
  return list;
}

}  // namespace

std::string aliased(const std::vector<ModelMarkRow>& marks) {
  return marks.empty() ? "" : marks.back().value;
}

std::string before_alias(const std::vector<ModelMarkRow>& marks) {
  std::vector<std::string> stack;
  for (const ModelMarkRow& mark : marks) {
    if (mark.rollback && !stack.empty()) stack.pop_back();
    else stack.push_back(mark.value);
  }
  return stack.size() < 2 ? "" : stack[stack.size() - 2];
}

// What is wrong with a `register_model`; empty: nothing.
std::string Engine::State::wrong_registration(const std::vector<PortInputs>& inputs,
                                              const Value& arguments) const {
  const std::string name = text_in(arguments, "model");
  if (!is_model_word(name)) {
    return "'" + name + "' is no name of a model: a letter, then at most 63 of a-z, 0-9, _, - and .";
  }
  const bool there = std::any_of(inputs.begin(), inputs.end(), [](const PortInputs& port) {
    return port.port == "model" && port.artifacts.size() == 1;
  });
  if (!there) return "it has no input 'model'";
  const std::string least = text_in(arguments, "at_least");
  if (!least.empty() && !parse_model_version(least)) {
    return "'" + least + "' is no version: three numbers such as 2.0.0";
  }
  for (const std::string& alias : texts_in(arguments, "aliases")) {
    if (!is_model_word(alias)) return "'" + alias + "' is no name of an alias";
  }
  const auto facts = model_facts_from(arguments);
  if (!facts) return facts.error().message;
  if (facts->outputs.empty()) return "its signature says nothing of what comes out";
  return "";
}

// With `review = "auto"` the evaluation decides in place of a person.
std::optional<Reason> Engine::State::not_blessed(
    const PipelineStep& step, const std::vector<event::StepRequest>& requests) const {
  if (!step.spec.review.automatic) return std::nullopt;
  for (const event::StepRequest& request : requests) {
    if (request.kind != register_model_request) continue;
    const Value* blessing = entry_in(request.arguments, "blessing");
    const Value* said = blessing == nullptr ? nullptr : entry_in(*blessing, "blessed");
    const bool* blessed = said == nullptr ? nullptr : said->as_bool();
    if (blessed != nullptr && *blessed) continue;
    const std::string why = blessing == nullptr ? "" : text_in(*blessing, "sentence");
    return Reason{"not_blessed",
                  blessed == nullptr
                      ? "the evaluation blesses nothing, and review = \"auto\" lets it decide; give "
                        "model.evaluate thresholds, or let a person review"
                      : "the evaluation does not bless the model" + (why.empty() ? "" : ": " + why),
                  {}};
  }
  return std::nullopt;
}

ModelVersionRow Engine::State::version_row(const Run& run, const LiveAttempt& attempt,
                                           const ResultRow& result, const Value& arguments) {
  ModelVersionRow row;
  row.model = text_in(arguments, "model");
  row.content = content_of(result.inputs);
  row.artifacts = result.inputs;
  row.artifacts.insert(row.artifacts.end(), result.outputs.begin(), result.outputs.end());
  row.pipeline = run.row.pipeline;
  row.step = result.step;
  row.run = run.row.number;
  row.result = result.id;
  row.at = now.wall_ms;
  ModelFacts facts = facts_in(arguments);
  ModelDescent descent(ledger, run, pipelines);
  descent.walk(result.step, at_port(result.inputs, "model")->digest, facts);
  const auto newest = ledger.newest_model(row.model);
  row.version = *parse_model_version(first_version);
  row.reason = {"first", "the first version of " + row.model, {}};
  if (newest) {
    const VersionRuling ruling = judge_version(newest->version, facts_in(newest->facts), facts);
    row.version = next_version(newest->version, ruling.change);
    row.reason = {ruling.differences.front().rule, ruling.sentence, {}};
    for (const VersionDifference& one : ruling.differences) {
      row.reason.details.push_back({one.rule, name_of(one.change), one.sentence});
    }
  }
  const auto least = parse_model_version(text_in(arguments, "at_least"));
  if (least && *least > row.version) {
    row.reason.sentence += "; raised from " + row.version.text() + " as asked for: at least " +
                           least->text();
    row.version = *least;
  }
  Value recorded = to_value(facts);
  ValueTable& table = *recorded.as_table();
  ValueList release;
  for (const std::string& one : descent.release()) release.push_back(one);
  table["release"] = std::move(release);
  for (const char* name : {"label", "blessing", "importance", "notes", "training"}) {
    if (const Value* said = entry_in(arguments, name)) table[name] = *said;
  }
  const ArtifactRef* evaluation = at_port(result.inputs, "evaluation");
  const auto evaluated =
      evaluation == nullptr ? std::nullopt : ledger.find_maker(evaluation->digest);
  if (evaluated) table["metrics"] = metrics_of(*evaluated);
  table["approvals"] = approvals_of(run, attempt);
  row.facts = std::move(recorded);
  return row;
}

void Engine::State::register_model(const Run& run, const LiveAttempt& attempt,
                                   const ResultRow& result, StepRequestRow& request) {
  const std::string name = text_in(request.arguments, "model");
  ModelMarkRow mark;
  mark.model = name;
  mark.who = run.row.who;
  mark.run = run.row.number;
  mark.at = now.wall_ms;
  if (const auto known = ledger.find_model_content(name, content_of(result.inputs))) {
    mark.kind = "again";
    mark.subject = mark.value = known->version.text();
    mark.why = "the same model and transform as in run " + std::to_string(known->run);
    put(mark);
    request.sentence = name + " " + known->version.text() + " is there already: " + mark.why;
    return;
  }
  ModelVersionRow row = version_row(run, attempt, result, request.arguments);
  mark.kind = "registered";
  mark.subject = mark.value = row.version.text();
  mark.why = row.reason.sentence;
  request.sentence = name + " " + row.version.text() + " was registered: " + row.reason.sentence;
  put(row);
  put(mark);
  for (const std::string& alias : texts_in(request.arguments, "aliases")) {
    ModelMarkRow moved = mark;
    moved.kind = "alias";
    moved.subject = alias;
    moved.before = aliased(ledger.model_marks(name, "alias", alias));
    moved.why = "registered by step " + result.step;
    put(moved);
  }
}

// What is asked of an alias, a tag or a note, or why it cannot be.
Result<ModelMarkRow> Engine::State::complete_mark(const event::ModelMarkRequested& event) {
  ModelMarkRow mark = event.wish;
  mark.at = now.wall_ms;
  if (!ledger.newest_model(mark.model)) {
    return Error{ErrorCode::not_found, "there is no model '" + mark.model + "'"};
  }
  const bool alias = mark.kind == "alias";
  if (!is_model_word(alias ? mark.subject : mark.kind == "tag" ? mark.name : "note")) {
    return Error{ErrorCode::invalid, "'" + (alias ? mark.subject : mark.name) +
                                         "' is no name: a letter, then at most 63 of a-z, 0-9, _, - "
                                         "and ."};
  }
  const auto marks = ledger.model_marks(mark.model, mark.kind, mark.subject);
  if (alias) mark.before = aliased(marks);
  for (const ModelMarkRow& other : marks) {
    if (!alias && other.name == mark.name) mark.before = other.value;
  }
  if (mark.rollback) {
    mark.value = before_alias(marks);
    if (mark.value.empty()) {
      return Error{ErrorCode::conflict, "alias " + mark.subject + " of " + mark.model +
                                            " pointed at nothing before that it could go back to"};
    }
  }
  const std::string named = alias ? mark.value : mark.subject;
  if (named.empty() && alias && mark.before.empty()) {
    return Error{ErrorCode::not_found,
                 "there is no alias '" + mark.subject + "' of " + mark.model + " to remove"};
  }
  if (named.empty()) return mark;
  const auto version = parse_model_version(named);
  if (!version || !ledger.find_model(mark.model, *version)) {
    return Error{ErrorCode::not_found, "there is no version '" + named + "' of " + mark.model};
  }
  return mark;
}

void Engine::State::on(const event::ModelMarkRequested& event) {
  const auto mark = complete_mark(event);
  if (!mark) {
    refuse(event.request, mark.error().code, mark.error().message);
    return;
  }
  const std::string subject = mark->model + " " + mark->subject;
  const bool alias = mark->kind == "alias";
  if (alias && mark->before == mark->value) {
    reply(event.request, 0, subject + " points at " + mark->value + " already");
    return;
  }
  put(*mark);
  const std::string before = mark->before.empty() ? "" : " (was " + mark->before + ")";
  std::string sentence = subject;
  if (alias) {
    sentence += mark->value.empty() ? " is gone" : " points at " + mark->value;
  } else if (mark->kind == "tag") {
    sentence += mark->value.empty() ? " has no tag " + mark->name + " any more"
                                    : " has tag " + mark->name + " = " + mark->value;
  } else {
    sentence += " has a note";
  }
  reply(event.request, 0, sentence + (mark->kind == "note" ? "" : before));
}

}  // namespace pipelined
