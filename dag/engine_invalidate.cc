// Results that are known to be bad, and what hangs on them.
//
// A result that was declared bad is never reused, resolved to or taken for a step that is not
// selected; one that is made after that under the same key is as good as any.  What was made from a
// bad result is listed, and declared bad with it when that is asked for.
#include <algorithm>

#include "dag/engine_state.h"

namespace pipelined {
namespace {

constexpr int page = 200;
constexpr std::size_t dependents_max = 100'000;

/// Follows results from made to made-from.
class Descent {
 public:
  Descent(Ledger& ledger, const std::map<std::string, PipelineState>& pipelines)
      : ledger_(ledger), pipelines_(pipelines) {}

  void add(const ResultRow& row, std::int64_t cause) {
    if (found_.size() >= dependents_max || !seen_.insert(row.id).second) return;
    Dependent one{row.id, cause, row.pipeline, row.step, row.element, row.run, "", ""};
    if (!row.outputs.empty()) {
      one.artifact = row.outputs.front().artifact.digest.hex();
      one.type = row.outputs.front().artifact.type;
    }
    found_.push_back(std::move(one));
    open_.push_back(row);
  }

  std::vector<Dependent> all() {
    for (std::size_t at = 0; at < open_.size(); ++at) {
      const ResultRow row = open_[at];
      for (const Binding& output : row.outputs) {
        const bool passed = std::any_of(row.inputs.begin(), row.inputs.end(), [&](const Binding& in) {
          return in.artifact.digest == output.artifact.digest;
        });
        for (std::int64_t after = 0;;) {
          const auto users = ledger_.results_from(output.artifact.digest, after, page);
          for (const ResultRow& user : users) {
            after = user.id;
            if (!passed || reads(user, row.step)) add(user, row.id);
          }
          if (users.size() < page) break;
        }
      }
    }
    return std::move(found_);
  }

 private:
  // What a gate passes on is also the output of the step before it: only those who take it from the
  // gate hang on the gate.
  bool reads(const ResultRow& user, const std::string& step) const {
    const auto pipeline = pipelines_.find(user.pipeline);
    if (pipeline == pipelines_.end() || !pipeline->second.current) return false;
    const Pipeline& known = *pipeline->second.current;
    const StepIndex child = known.find(user.step), parent = known.find(step);
    if (child == no_step || parent == no_step) return false;
    const auto& parents = known.steps[child].parents;
    return std::find(parents.begin(), parents.end(), parent) != parents.end();
  }

  Ledger& ledger_;
  const std::map<std::string, PipelineState>& pipelines_;
  std::set<std::int64_t> seen_;
  std::vector<Dependent> found_;
  std::vector<ResultRow> open_;
};

}  // namespace

Result<std::vector<Dependent>> Engine::State::dependents(const event::InvalidateRequested& wish) {
  Descent descent(ledger, pipelines);
  bool any = false;
  for (std::int64_t after = 0;;) {
    const auto rows = wish.key ? ledger.results_with_key(*wish.key, after, page)
                               : ledger.results_of_step(wish.pipeline, wish.step, wish.element,
                                                        after, page);
    for (const ResultRow& row : rows) {
      after = row.id;
      any = true;
      descent.add(row, 0);
    }
    if (rows.size() < page) break;
  }
  if (any) return descent.all();
  const std::string what =
      wish.key ? "key " + wish.key->brief()
               : "step " + step_path(wish.step, wish.element) + " of pipeline " + wish.pipeline;
  return Error{ErrorCode::not_found,
               "invalidate: there is no result of " + what + " that is not declared bad already"};
}

Result<std::vector<Dependent>> Engine::dependents(const event::InvalidateRequested& wish) const {
  return state_->dependents(wish);
}

void Engine::State::on(const event::InvalidateRequested& event) {
  const auto found = dependents(event);
  if (!found) {
    refuse(event.request, found.error().code, found.error().message);
    return;
  }
  std::size_t named = 0, models = 0;
  for (const Dependent& one : *found) {
    if (one.cause == 0) ++named;
    else if (one.type.starts_with("model/")) ++models;
    if (one.cause != 0 && !event.below) continue;
    InvalidationRow row;
    row.result = one.result;
    if (const auto result = ledger.find_result_by_id(one.result)) row.key = result->key;
    row.cause = one.cause;
    row.who = event.who;
    row.why = event.why;
    row.at = now.wall_ms;
    put(std::move(row));
  }
  const std::string subject = event.key ? event.key->hex() : step_path(event.step, event.element);
  const Dependent& first = found->front();
  decide("invalidate", first.pipeline, subject, event.who, event.why, first.run);
  const std::size_t hang = found->size() - named;
  std::string sentence = std::to_string(named) + (named == 1 ? " result is" : " results are") +
                         " declared bad and will not be reused";
  if (hang > 0) {
    sentence += "; " + std::to_string(hang) + (hang == 1 ? " result hangs" : " results hang") +
                " on " + (named == 1 ? "it" : "them");
    if (models > 0) sentence += ", " + std::to_string(models) + " of them a model";
    sentence += event.below ? ", declared bad too" : "";
  }
  reply(event.request, 0, sentence);
}

}  // namespace pipelined
