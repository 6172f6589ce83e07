// Gates at which a person decides: before a step runs, and before an arrival counts.
#include <algorithm>
#include <set>

#include "dag/engine_state.h"
#include "dag/explain.h"

namespace pipelined {
namespace {

constexpr std::size_t evidence_told_max = 3;
constexpr std::int64_t rejected_at_gate = -1;

Digest review_scope(const Run& run, const PipelineStep& step,
                    const std::vector<PortInputs>& inputs) {
  std::string text = "review\n" + run.row.pipeline + "\n" + step.spec.name + "\n";
  for (const PortInputs& port : inputs) {
    text += port.port;
    for (const ArtifactRef& artifact : port.artifacts) text += " " + artifact.digest.hex();
    text += "\n";
  }
  return sha256(text);
}

// What a person looks at: the digests at each port.
Value evidence_of(const ResolvedInputs& inputs) {
  ValueTable table;
  for (const PortInputs& port : inputs.ports) {
    ValueList digests;
    for (const ArtifactRef& artifact : port.artifacts) digests.push_back(artifact.digest.hex());
    table[port.port] = std::move(digests);
  }
  return table;
}

std::string told_evidence(const ResolvedInputs& inputs) {
  std::vector<std::string> told;
  for (const PortInputs& port : inputs.ports) {
    if (told.size() == evidence_told_max) break;
    told.push_back(port.artifacts.size() == 1
                       ? port.port + " " + port.artifacts.front().digest.brief()
                       : std::to_string(port.artifacts.size()) + " artifacts at " + port.port);
  }
  return told.empty() ? "" : " on " + spoken_list(told);
}

template <typename T, typename As>
const T* entry(const ValueTable& table, std::string_view name, As as) {
  const auto found = table.find(name);
  return found == table.end() ? nullptr : as(found->second);
}

// What a step said of the model: its note `blessing`, with the first of the reasons against.
std::string told_blessing(const std::string& step, const ValueTable& blessing) {
  const bool* blessed =
      entry<bool>(blessing, "blessed", [](const Value& value) { return value.as_bool(); });
  if (blessed == nullptr) return "";
  const auto text = [](const Value& value) { return value.as_text(); };
  const std::string* sentence = entry<std::string>(blessing, "sentence", text);
  const ValueList* reasons = entry<ValueList>(
      blessing, "reasons", [](const Value& value) { return value.as_list(); });
  std::string told = step + (*blessed ? ": blessed" : ": not blessed");
  const std::string* first =
      reasons == nullptr || reasons->empty() ? nullptr : reasons->front().as_text();
  if (first == nullptr) return sentence == nullptr ? told : told + ", " + *sentence;
  told += ", " + *first;
  return reasons->size() == 1 ? told
                              : told + ", and " + std::to_string(reasons->size() - 1) + " more";
}

// The same of all steps whose outputs are the evidence, in brackets.
std::string told_blessings(Ledger& ledger, const Run& run, NodeIndex index) {
  std::set<std::string> steps;
  for (const InputSpec& input : run.step_of(index).spec.inputs) steps.insert(input.step);
  std::string told;
  for (const std::string& name : steps) {
    const StepIndex step = run.pipeline->find(name);
    const auto node = step == no_step ? std::nullopt : run.find(step, run.nodes[index].span);
    if (!node || run.nodes[*node].result == 0) continue;
    const auto result = ledger.find_result_by_id(run.nodes[*node].result);
    const ValueTable* notes = result ? result->notes.as_table() : nullptr;
    const ValueTable* blessing =
        notes == nullptr ? nullptr : entry<ValueTable>(*notes, "blessing", [](const Value& value) {
          return value.as_table();
        });
    const std::string one = blessing == nullptr ? "" : told_blessing(name, *blessing);
    if (!one.empty()) told += (told.empty() ? "" : "; ") + one;
  }
  return told.empty() ? "" : " (" + told + ")";
}

bool is_named(const ReviewSpec& review, const std::string& who,
              const std::vector<std::string>& groups) {
  if (review.who.empty()) return true;
  return std::any_of(review.who.begin(), review.who.end(), [&](const std::string& name) {
    if (name.starts_with("group:")) {
      return std::find(groups.begin(), groups.end(), name.substr(6)) != groups.end();
    }
    return name == who || (name.starts_with("token:") && who == "token " + name.substr(6));
  });
}

std::string spoken_names(const ReviewSpec& review) {
  std::vector<std::string> names;
  for (const std::string& name : review.who) {
    names.push_back(name.starts_with("group:") ? "group " + name.substr(6) : name);
  }
  return spoken_list(names);
}

}  // namespace

// Why this person may not answer; nothing: they may.
std::optional<std::string> Engine::State::may_not_answer(const ReviewSpec& review,
                                                         const std::string& starter,
                                                         const std::string& who,
                                                         const std::vector<std::string>& groups) const {
  if (!is_named(review, who, groups)) {
    return who + " may not answer this review; it asks for " + spoken_names(review);
  }
  if (review.not_starter && !starter.empty() && starter == who) {
    return who + " started this run, and the review asks for somebody else";
  }
  return std::nullopt;
}

// A review gates the step after its inputs exist and before it runs; its evidence is the inputs.
bool Engine::State::review_passed(Run& run, NodeIndex index, const ResolvedInputs& inputs) {
  const PipelineStep& step = run.step_of(index);
  if (!step.spec.review.required) return true;
  const Digest scope = review_scope(run, step, inputs.ports);
  Node& node = run.nodes[index];
  if (const auto answer = ledger.find_acceptance(scope)) {
    if (!answer->rejected) return true;
    set_state(run, index, StepState::rejected,
              {"review_rejected", "rejected by " + answer->who + ": " + answer->why, {}});
    return false;
  }
  if (run.cancelling) {  // it asks nobody any more
    set_state(run, index, StepState::cancelled, run.row.end_reason);
    return false;
  }
  node.key = scope;
  const std::string path = step_path(step.spec.name, run.element_of(index));
  const ReviewSpec& review = step.spec.review;
  const std::string blessings = told_blessings(ledger, run, index);
  set_state(run, index, StepState::in_review,
            {"in_review",
             "waits for " + (review.who.empty() ? "a person" : spoken_names(review)) +
                 told_evidence(inputs) + blessings + ": pipectl approve " + std::to_string(run.row.number) +
                 " " + path + " --why …, or reject",
             {}});
  alert({run.row.pipeline + "/" + path + "/review/" + scope.hex(), run.row.pipeline, path, "info",
         path + " of run " + std::to_string(run.row.number) + " waits for review" + blessings,
         run.row.number, step.spec.name, run.element_of(index), evidence_of(inputs), 0, 0});
  run.reviews[index] = {now.wall_ms, evidence_of(inputs)};
  node.next_try_at = review.expires_ms > 0 ? now.wall_ms + review.expires_ms : 0;
  arm_review(run, index);
  if (!dry) supersede_reviews(run, index);
  return false;
}

ValueList Engine::State::approvals_of(const Run& run, const LiveAttempt& attempt) {
  const PipelineStep& step = run.step_of(attempt.node);
  if (!step.spec.review.required) return {};
  const auto answer = ledger.find_acceptance(review_scope(run, step, attempt.inputs));
  if (!answer || answer->rejected) return {};
  return {ValueTable{{"who", answer->who}, {"why", answer->why}, {"at", answer->at},
                     {"run", answer->run}}};
}

void Engine::State::arm_review(const Run& run, NodeIndex index) {
  const Node& node = run.nodes[index];
  if (node.state != StepState::in_review) return;
  const ReviewSpec& review = run.step_of(index).spec.review;
  if (node.next_try_at != 0) {
    // The wall clock may have been set meanwhile: never longer than the whole time.
    const TimeMs left = std::clamp<TimeMs>(node.next_try_at - now.wall_ms, 0, review.expires_ms);
    timers.emplace(now.steady_ms + left,
                   Timer{Timer::Kind::review, "", 0, run.row.number, index, "", node.next_try_at});
  }
  const auto asked = run.reviews.find(index);
  if (review.remind_ms <= 0 || asked == run.reviews.end()) return;
  const TimeMs passed = std::max<TimeMs>(0, now.wall_ms - asked->second.at);
  const auto count = static_cast<std::size_t>(passed / review.remind_ms + 1);
  timers.emplace(now.steady_ms + review.remind_ms - passed % review.remind_ms,
                 Timer{Timer::Kind::remind, "", count, run.row.number, index, "", node.next_try_at});
}

// Nobody has answered yet: says so again, and comes back after the same time.
void Engine::State::remind(Run& run, const Timer& timer) {
  const Node& node = run.nodes[timer.node];
  const auto asked = run.reviews.find(timer.node);
  if (node.state != StepState::in_review || node.next_try_at != timer.review_ends || !node.key ||
      asked == run.reviews.end()) {
    return;
  }
  const StepSpec& step = run.step_of(timer.node).spec;
  const std::string path = step_path(step.name, run.element_of(timer.node));
  alert({run.row.pipeline + "/" + path + "/review/" + node.key->hex() + "/reminder-" +
             std::to_string(timer.trigger),
         run.row.pipeline, path, "warning",
         path + " of run " + std::to_string(run.row.number) + " still waits for review, for " +
             spoken_duration(now.wall_ms - asked->second.at),
         run.row.number, step.name, run.element_of(timer.node), asked->second.evidence, 0, 0});
  Timer next = timer;
  ++next.trigger;
  timers.emplace(now.steady_ms + step.review.remind_ms, next);
}

// A newer run at the same gate makes the older question pointless; a halt stands whatever is newer.
void Engine::State::supersede_reviews(Run& run, NodeIndex index) {
  const std::string step = run.step_of(index).spec.name, element = run.element_of(index);
  const auto reason_of = [&](RunNumber newer) {
    return Reason{"superseded", "superseded by run " + std::to_string(newer) +
                                    ", which is in review at " + step_path(step, element), {}};
  };
  std::vector<std::pair<RunNumber, NodeIndex>> older;
  for (const auto& [number, other] : runs) {
    const StepIndex s = other.pipeline->find(step);
    if (number == run.row.number || other.row.pipeline != run.row.pipeline || s == no_step ||
        other.nodes.empty()) {
      continue;
    }
    for (NodeIndex n = other.first_node[s]; n < other.first_node[s + 1]; ++n) {
      const Node& node = other.nodes[n];
      // The same evidence is the same question: one answer is for both (rule 31).
      const bool asks = node.state == StepState::in_review && node.key != run.nodes[index].key;
      if (!asks || other.element_of(n) != element) continue;
      if (number > run.row.number) return end_review(run, index, reason_of(number));
      older.emplace_back(number, n);
    }
  }
  for (const auto& [number, n] : older) end_review(runs.at(number), n, reason_of(run.row.number));
}

void Engine::State::end_review(Run& run, NodeIndex index, const Reason& reason) {
  const bool halted = std::any_of(run.nodes.begin(), run.nodes.end(), [](const Node& node) {
    return node.state == StepState::halted;
  });
  if (!halted) return cancel_run(run, reason);
  go_on(run);
  set_state(run, index, StepState::cancelled, reason);
}

std::vector<std::pair<Run*, NodeIndex>> Engine::State::answer_review(const Run& run,
                                                                     NodeIndex index, bool rejected,
                                                                     const std::string& who,
                                                                     const std::string& why) {
  AcceptanceRow row;
  row.key = *run.nodes[index].key;
  row.rejected = rejected;
  row.who = who;
  row.why = why;
  row.run = run.row.number;
  row.step = run.step_of(index).spec.name;
  row.element = run.element_of(index);
  if (const auto asked = run.reviews.find(index); asked != run.reviews.end()) {
    row.evidence = asked->second.evidence;
  }
  row.at = now.wall_ms;
  put(row);
  // A decision is remembered by its evidence, so it answers every review of the same (rule 31).
  std::vector<std::pair<Run*, NodeIndex>> waiting;
  for (auto& [number, other] : runs) {
    for (NodeIndex n = 0; n < other.nodes.size(); ++n) {
      const Node& node = other.nodes[n];
      if (node.state == StepState::in_review && node.key == row.key) waiting.emplace_back(&other, n);
    }
  }
  return waiting;
}

void Engine::State::on(const event::ApproveRequested& event) {
  const auto found = runs.find(event.run);
  if (found == runs.end()) {
    refuse(event.request, ErrorCode::not_found,
           "approve: run " + std::to_string(event.run) + " is not open");
    return;
  }
  Run& run = found->second;
  const auto index = named_node(run, event.step, event.element, event.request);
  if (!index) return;
  Node& node = run.nodes[*index];
  const std::string path = step_path(event.step, run.element_of(*index));
  if (node.state != StepState::in_review || !node.key) {
    refuse(event.request, ErrorCode::conflict,
           "approve: " + path + " is " + name_of(node.state) +
               (node.state == StepState::halted ? "; a halt is accepted: pipectl accept" : ""));
    return;
  }
  if (const auto why_not = may_not_answer(run.step_of(*index).spec.review, run.row.who, event.who,
                                          event.groups)) {
    refuse(event.request, ErrorCode::denied, "approve: " + *why_not);
    return;
  }
  decide("approve", run.row.pipeline, path, event.who, event.why, event.run);
  for (const auto& [other, n] : answer_review(run, *index, false, event.who, event.why)) {
    go_on(*other);
    other->nodes[n].state = StepState::waiting;
    other->reviews.erase(n);
    write_step(*other, n, {"approved", "approved by " + event.who + ": " + event.why, {}});
    work.emplace_back(other->row.number, n);
  }
  reply(event.request, event.run, path + " approved");
}

// ---- Arrivals --------------------------------------------------------------------------------------

// A new version waits for its review; an older one of the span that still waits is not asked about
// any more.
bool Engine::State::span_needs_review(PipelineState& pipeline, SpanRow& span) {
  const SourceSpec* source = pipeline.current->spec.source(span.source);
  if (source == nullptr || !source->review.required) return false;
  span.state = SpanState::in_review;
  for (SpanRow& older : pipeline.spans[span.source][span.span]) {
    if (older.state != SpanState::in_review) continue;
    older.state = SpanState::dropped;
    older.approved_seq = rejected_at_gate;
    older.why = "superseded by version " + std::to_string(span.version);
    older.who = "arrival";
    older.at = now.wall_ms;
    put(older);
  }
  const std::string path = span.source + "/" + span.span;
  alert({pipeline.row.name + "/" + path + "/review/" + std::to_string(span.version),
         pipeline.row.name, path, "info",
         "arrival " + path + " of " + pipeline.row.name + " waits for review: pipectl approve " +
             pipeline.row.name + " " + path + " --why …, or reject",
         0, "", span.span, ValueTable{{"arrival", span.artifact.digest.hex()}}, 0, 0});
  return true;
}

// Expiries and reminders of arrivals in review, and when to look again.
void Engine::State::look_at_span_reviews(PipelineState& pipeline) {
  TimeMs next = 0;
  const auto consider = [&](TimeMs after) { next = next == 0 ? after : std::min(next, after); };
  for (auto& [source, by_span] : pipeline.spans) {
    const SourceSpec* spec = pipeline.current->spec.source(source);
    for (auto& [name, versions] : by_span) {
      SpanRow& row = versions.back();
      if (row.state != SpanState::in_review || spec == nullptr) continue;
      const ReviewSpec& review = spec->review;
      const TimeMs passed = std::max<TimeMs>(0, now.wall_ms - row.at);
      if (review.expires_ms > 0 && passed >= review.expires_ms) {
        answer_span(pipeline, row, false, "time", "nobody answered the review in time");
        continue;
      }
      if (review.expires_ms > 0) consider(review.expires_ms - passed);
      if (review.remind_ms <= 0) continue;
      consider(review.remind_ms - passed % review.remind_ms);
      const std::string path = source + "/" + name;
      if (const TimeMs count = passed / review.remind_ms; count > 0) {
        alert({pipeline.row.name + "/" + path + "/review/" + std::to_string(row.version) +
                   "/reminder-" + std::to_string(count),
               pipeline.row.name, path, "warning",
               "arrival " + path + " of " + pipeline.row.name + " still waits for review, for " +
                   spoken_duration(passed),
               0, "", name, ValueTable{{"arrival", row.artifact.digest.hex()}}, 0, 0});
      }
    }
  }
  if (next == 0) return;
  timers.emplace(now.steady_ms + next,
                 Timer{Timer::Kind::span_review, pipeline.row.name, 0, 0, 0, "", 0});
}

void Engine::State::answer_span(PipelineState& pipeline, SpanRow& row, bool approved,
                                const std::string& who, const std::string& why) {
  row.state = approved ? SpanState::open : SpanState::rejected;
  row.who = who;
  row.why = why;
  row.at = now.wall_ms;
  row.approved_seq = approved ? last_seq + 1 : rejected_at_gate;
  put(row);
  if (!approved) return;
  ArrivalRow arrival;
  arrival.number = row.arrival;
  arrival.pipeline = row.pipeline;
  arrival.source = row.source;
  arrival.span = row.span;
  arrival.version = row.version;
  arrival.artifact = row.artifact;
  arrival.at = row.at;
  for (auto& [number, run] : runs) {
    if (run.row.pipeline != row.pipeline) continue;
    for (const NodeIndex index : std::exchange(run.source_waiters, {})) {
      work.emplace_back(number, index);
    }
  }
  arm(pipeline, arrival);
}

void Engine::State::on(const event::SpanReviewed& event) {
  const std::string verb = event.approved ? "approve: " : "reject: ";
  const auto found = pipelines.find(event.pipeline);
  SpanRow* row = nullptr;
  if (found != pipelines.end() && found->second.current) {
    const auto by_span = found->second.spans.find(event.source);
    if (by_span != found->second.spans.end()) {
      const auto versions = by_span->second.find(event.span);
      if (versions != by_span->second.end()) row = &versions->second.back();
    }
  }
  const std::string path = event.source + "/" + event.span;
  if (row == nullptr) {
    refuse(event.request, ErrorCode::not_found,
           verb + "pipeline " + event.pipeline + " has no arrival " + path);
    return;
  }
  if (row->state != SpanState::in_review) {
    refuse(event.request, ErrorCode::conflict,
           verb + path + " is " + name_of(row->state) + ", not in review");
    return;
  }
  PipelineState& pipeline = found->second;
  const SourceSpec* source = pipeline.current->spec.source(event.source);
  if (source != nullptr) {
    if (const auto why_not = may_not_answer(source->review, "", event.who, event.groups)) {
      refuse(event.request, ErrorCode::denied, verb + *why_not);
      return;
    }
  }
  decide(event.approved ? "approve" : "reject", event.pipeline,
         path + " version " + std::to_string(row->version) + " " + row->artifact.digest.brief(),
         event.who, event.why, 0);
  answer_span(pipeline, *row, event.approved, event.who, event.why);
  reply(event.request, 0, "arrival " + path + (event.approved ? " approved" : " rejected"));
}

}  // namespace pipelined
