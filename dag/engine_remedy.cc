// What follows a halt by itself: the proposed remedy, used in a new run by policy.
//
// A step that halts may propose a remedy: it notes which one (`remedy`) and delivers it at a port of
// type remedy/1.  Where a step of the run reads that port, the halt needs no person: a new run carries
// an acceptance of exactly that key, for this pipeline alone, and the halted run ends superseded.  The
// row of its slot, put in the same turn, is why that happens once for a span's version and key.
#include <algorithm>

#include "dag/cache_key.h"
#include "dag/engine_state.h"

namespace pipelined {
namespace {

constexpr const char* remedy_type = "remedy/1";

// Which remedy the operator proposed ("weights"); empty: none.
std::string proposed_in(const ResultRow& result) {
  const ValueTable* notes = result.notes.as_table();
  if (!result.halt || notes == nullptr) return "";
  const auto note = notes->find("remedy");
  const std::string* method = note == notes->end() ? nullptr : note->second.as_text();
  const bool delivered = std::any_of(result.outputs.begin(), result.outputs.end(),
                                     [](const Binding& b) { return b.artifact.type == remedy_type; });
  return method == nullptr || *method == "none" || !delivered ? "" : *method;
}

// The newest element of the step that takes part: `newest` reads what that one gives.
bool is_newest(const Run& run, NodeIndex index) {
  const Node& node = run.nodes[index];
  for (NodeIndex n = index + 1; n < run.first_node[node.step + 1]; ++n) {
    const Node& later = run.nodes[n];
    if (later.state != StepState::skipped && !run.span_dropped[later.span]) return false;
  }
  return true;
}

// Whether a step of the run would read the remedy of this very element.
bool is_read(const Run& run, NodeIndex index) {
  const StepIndex proposer = run.nodes[index].step;
  const auto& outputs = run.pipeline->steps[proposer].outputs;
  for (StepIndex s = 0; s < run.pipeline->steps.size(); ++s) {
    if (!run.selects(s)) continue;
    for (const PipelineInput& input : run.pipeline->steps[s].inputs) {
      if (input.step != proposer) continue;
      const bool remedy = std::any_of(outputs.begin(), outputs.end(), [&](const OutputSpec& out) {
        return out.port == input.output && out.type == remedy_type;
      });
      if (!remedy) continue;
      if (input.spec.kind == InputSpec::Kind::step) return true;
      if (input.spec.kind == InputSpec::Kind::newest && is_newest(run, index)) return true;
    }
  }
  return false;
}

}  // namespace

bool withholds_remedy(const AcceptanceRow& answer) {
  const ValueTable* choice = answer.evidence.as_table();
  const auto remedy = choice == nullptr ? ValueTable::const_iterator{} : choice->find("remedy");
  if (choice == nullptr || remedy == choice->end()) return false;
  const std::string* word = remedy->second.as_text();
  return word != nullptr && *word == "none";
}

Reason accepted_reason(const AcceptanceRow& answer, const std::string& before) {
  const bool without = withholds_remedy(answer);
  return {without ? "accepted_without_remedy" : "accepted",
          before + "accepted by " + answer.who + (without ? " without its remedy: " : ": ") +
              answer.why, {}};
}

bool gives(const Reason& reason, const Binding& output) {
  return reason.code != "accepted_without_remedy" || output.artifact.type != remedy_type;
}

std::shared_ptr<const std::vector<Binding>> outputs_given(const ResultRow& result,
                                                          const Reason& reason) {
  std::vector<Binding> given;
  for (const Binding& output : result.outputs) {
    if (gives(reason, output)) given.push_back(output);
  }
  return std::make_shared<const std::vector<Binding>>(std::move(given));
}

std::optional<AcceptanceRow> Engine::State::answer_to(const Run& run, const Digest& key) {
  if (auto answer = ledger.find_acceptance(key)) return answer;
  return ledger.find_acceptance(policy_key(run.row.pipeline, key));
}

// A halted node whose halt was accepted: its outputs are there for everybody from now on.
void Engine::State::pass_halt(Run& run, NodeIndex index, const AcceptanceRow& answer) {
  Node& node = run.nodes[index];
  const Reason reason = accepted_reason(answer, "");
  if (const auto result = ledger.find_result_by_id(node.result)) {
    node.outputs = outputs_given(*result, reason);
  }
  set_state(run, index, StepState::succeeded, reason);
}

std::string Engine::State::remedy_of(const Run& run, NodeIndex index) {
  const Node& node = run.nodes[index];
  if (!node.key || !is_read(run, index)) return "";
  const auto result = ledger.find_result_by_id(node.result);
  return result ? proposed_in(*result) : "";
}

// Records the policy's answer for the halt; false: it was given before.
bool Engine::State::accept_by_policy(const Run& run, NodeIndex index, const std::string& method,
                                     RunNumber remedied) {
  const Node& node = run.nodes[index];
  const std::string step = run.step_of(index).spec.name, element = run.element_of(index);
  const std::int64_t version = node.span == no_span ? 0 : run.row.spans[node.span].version;
  const std::string slot = (element.empty() ? "-" : element) + "/" + std::to_string(version) + "/" +
                           node.key->hex();
  const std::string path = step_path(step, element);
  const std::string why = "remedy " + method + " for " + path + ", which halted in run " +
                          std::to_string(run.row.number);
  if (!put_slot(pipelines.at(run.row.pipeline), "remedy/" + step, slot, now.wall_ms, "fired", why,
                remedied)) {
    return false;
  }
  AcceptanceRow row;
  row.key = policy_key(run.row.pipeline, *node.key);
  row.who = "policy";
  row.why = why;
  row.run = remedied;
  row.step = step;
  row.element = element;
  row.evidence = ValueTable{{"remedy", method}};
  row.at = now.wall_ms;
  put(row);
  decide("remedy", run.row.pipeline, path, "policy", why, run.row.number);
  for (auto& [number, other] : runs) {
    if (number == run.row.number || other.row.pipeline != run.row.pipeline) continue;
    for (NodeIndex n = 0; n < other.nodes.size(); ++n) {
      if (other.nodes[n].state != StepState::halted || other.nodes[n].key != node.key) continue;
      go_on(other);
      pass_halt(other, n, row);
    }
  }
  return true;
}

// A run that has come to rest at halts alone.  True: it goes on or is over.
bool Engine::State::remedied(Run& run) {
  const auto pipeline = pipelines.find(run.row.pipeline);
  if (dry || run.cancelling || pipeline == pipelines.end() || pipeline->second.row.paused) {
    return false;
  }
  std::vector<std::pair<NodeIndex, std::string>> halts;
  std::vector<NodeIndex> answered;
  for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
    if (run.nodes[n].state != StepState::halted) continue;
    std::string method = remedy_of(run, n);
    if (method.empty()) return false;  // this one waits for a person, and with it the run
    if (ledger.find_acceptance(policy_key(run.row.pipeline, *run.nodes[n].key))) {
      answered.push_back(n);
    } else {
      halts.emplace_back(n, std::move(method));
    }
  }
  for (const NodeIndex n : answered) {  // another run's halt at the same key was the first
    const auto answer = answer_to(run, *run.nodes[n].key);
    go_on(run);
    pass_halt(run, n, *answer);
  }
  if (halts.empty() || !answered.empty()) return !answered.empty();
  if (options_error(*pipeline->second.current, run.row.options)) return false;
  const auto& [first, method] = halts.front();
  const std::string path = step_path(run.step_of(first).spec.name, run.element_of(first));
  const std::string cause = "remedy " + method + " for " + path + ", which halted in run " +
                            std::to_string(run.row.number);
  const RunNumber next = last_run + 1;
  for (const auto& [n, chosen] : halts) {
    if (!accept_by_policy(run, n, chosen, next)) return false;
  }
  create_run(pipeline->second, run.row.options, {"remedy", cause, {}}, "policy");
  const std::string number = std::to_string(next);
  alert({run.row.pipeline + "/" + path + "/remedy/run-" + number, run.row.pipeline, path, "info",
         "run " + number + " goes on with " + cause, next, "", "", {}, 0, 0});
  cancel_run(run, {"superseded", "superseded by run " + number + ", which goes on with the remedy " +
                                     method + " for " + path, {}});
  return true;
}

void Engine::State::remedy_at_rest(const std::string& pipeline) {
  std::vector<RunNumber> halted;
  for (const auto& [number, run] : runs) {
    if (run.row.pipeline == pipeline && run.row.state == RunState::halted) halted.push_back(number);
  }
  for (const RunNumber number : halted) {
    const auto run = runs.find(number);
    if (run != runs.end() && run->second.row.state == RunState::halted) remedied(run->second);
  }
}

}  // namespace pipelined
