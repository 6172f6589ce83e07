#include <algorithm>
#include <ostream>

#include "cli/commands/commands.h"
#include "dag/run_state.h"

namespace pipelined::cli {
namespace {

/// One line a comparison that fired, from whatever the operator noted.
void tell_comparisons(Session& session, const Value& comparisons) {
  const ValueList* list = comparisons.as_list();
  if (list == nullptr) return;
  for (const Value& item : *list) {
    const ValueTable* comparison = item.as_table();
    if (comparison == nullptr) continue;
    const auto sentence = comparison->find("sentence");
    const auto fired = comparison->find("fired");
    const bool told = fired != comparison->end() && fired->second.as_bool() != nullptr &&
                      *fired->second.as_bool();
    if (told && sentence != comparison->end() && sentence->second.as_text() != nullptr) {
      session.terminal.out << "  " << session.safe(*sentence->second.as_text()) << "\n";
    }
  }
}

/// Every state so far; a single one was said in the sentence before.
void tell_history(Session& session, const std::vector<protocol::StateTold>& history) {
  if (history.size() < 2) return;
  Table table = session.table({{"SINCE"}, {"STATE"}, {"WHY"}});
  for (const protocol::StateTold& state : history) {
    table.add({exact_time(state.at), state.state, state.sentence});
  }
  session.print(table);
}

void tell_step(Session& session, const protocol::StepExplanation& step) {
  std::ostream& out = session.terminal.out;
  const std::string name = step_path(step.step, step.element);
  for (std::size_t i = 0; i < step.sentences.size(); ++i) {
    out << session.safe((i == 0 ? name + " " : "  ") + step.sentences[i]) << "\n";
  }
  for (const ReasonDetail& change : step.changes) {
    const std::string told = explain_change(change);
    // The sentences name the first few themselves.
    const bool said = std::any_of(step.sentences.begin(), step.sentences.end(), [&](const auto& s) {
      return s.find(change.name) != std::string::npos;
    });
    if (!said) out << "  " << session.safe(told) << "\n";
  }
  tell_comparisons(session, step.comparisons);
  if (!step.ways_on.empty()) out << session.safe(spoken_ways(step.ways_on)) << "\n";
  tell_history(session, step.history);
}

}  // namespace

int run_explain(Session& session) {
  const StepName name = parse_step_name(session.arguments.text("STEP"));
  const auto told = session.get<protocol::Explanation>(run_target(
      session, "/explanation" + query_of({{"step", name.step}, {"element", name.element}})));
  if (!told) return session.fail(told.error());
  return session.show([&] {
    if (name.step.empty()) {
      for (const std::string& sentence : told->sentences) {
        session.terminal.out << session.safe(sentence) << "\n";
      }
      if (told->steps.empty()) session.terminal.out << "Every step was reused or done as planned.\n";
    }
    for (const protocol::StepExplanation& step : told->steps) tell_step(session, step);
  });
}

}  // namespace pipelined::cli
