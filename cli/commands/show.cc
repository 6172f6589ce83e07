#include <algorithm>
#include <ostream>
#include <sstream>
#include <vector>

#include "cli/commands/commands.h"
#include "cli/waiting.h"
#include "dag/run_state.h"

namespace pipelined::cli {
namespace {

void tell_head(Session& session, const protocol::RunDetail& detail) {
  std::ostream& out = session.terminal.out;
  const protocol::RunSummary& run = detail.run;
  out << "run " << run.number << " of " << session.safe(run.pipeline) << " " << run.state << "\n";
  out << "  version " << run.version.substr(0, 12) << ", started by " << session.safe(run.who)
      << " at " << short_time(run.created_at) << " UTC";
  if (!run.reason.sentence.empty()) out << " (" << session.safe(run.reason.sentence) << ")";
  out << "\n";
  if (!run.params.empty()) {
    out << "  parameters";
    for (const auto& [name, value] : run.params) {
      out << " " << session.safe(name + "=" + canonical(value));
    }
    out << "\n";
  }
  if (!run.end_reason.sentence.empty()) {
    out << "  " << session.safe(run.end_reason.sentence) << "\n";
  }
  for (const protocol::RunSpanInfo& span : detail.spans) {
    if (span.left_out.empty()) continue;
    out << "  without " << session.safe(span.source + "/" + span.span + ": " + span.left_out) << "\n";
  }
}

std::string metrics_text(const protocol::Step& step) {
  std::string text;
  for (const protocol::Metric& metric : step.metrics) {
    if (!metric.slice.empty()) continue;
    text += (text.empty() ? "" : " ") + metric.name + "=" + canonical(Value(metric.value));
  }
  return text;
}

/// What elements have in common of which a person wants to know no more than how many they are.
std::string common_word(const protocol::Step& step) {
  if (step.element.empty()) return "";
  if (step.state == "cached") return "with the same inputs";
  if (step.reason.code == "not_generated") return "were not named";
  return step.state == "waiting" && step.reason.sentence.empty() ? "wait" : "";
}

/// How many elements of one step in a row, from `first` on, have that in common.
std::size_t alike_in_a_row(const std::vector<protocol::Step>& steps, std::size_t first) {
  const std::string word = common_word(steps[first]);
  std::size_t count = 0;
  while (!word.empty() && first + count < steps.size() &&
         steps[first + count].step == steps[first].step && common_word(steps[first + count]) == word) {
    ++count;
  }
  return count;
}

/// What the largest attempt of the step took; "-" where none ran.
struct Taken {
  std::string memory = "-", time = "-", written = "-";
};

Taken taken_by(const protocol::Step& step) {
  std::int64_t memory = 0, cpu_ms = 0, scratch = 0;
  for (const protocol::Attempt& attempt : step.attempts) {
    memory = std::max(memory, attempt.memory_peak_bytes);
    cpu_ms = std::max(cpu_ms, attempt.cpu_ms);
    scratch = std::max(scratch, attempt.scratch_bytes);
  }
  if (memory == 0) return {};
  return {spoken_size(memory), spoken_duration(cpu_ms), spoken_size(scratch)};
}

void add_step(Table& table, const protocol::Step& step) {
  const bool ended = step.ended_at.ms != 0 && step.started_at.ms != 0;
  const Taken taken = taken_by(step);
  table.add({step_path(step.step, step.element), step.state,
             ended ? spoken_duration(step.ended_at.ms - step.started_at.ms) : "-",
             std::to_string(step.tries), taken.memory, taken.time, taken.written,
             step.key.substr(0, 12), metrics_text(step), step.reason.sentence});
}

/// Every step and element; of many elements alike a person is shown the first and last.
void add_steps(Table& table, const std::vector<protocol::Step>& steps, bool all) {
  static constexpr std::size_t shown_max = 4;
  for (std::size_t i = 0; i < steps.size();) {
    const std::size_t alike = all ? 0 : alike_in_a_row(steps, i);
    if (alike <= shown_max) {
      add_step(table, steps[i++]);
      continue;
    }
    table.add({steps[i].step + "/" + steps[i].element + " … " + steps[i + alike - 1].element,
               steps[i].state, "-", "-", "-", "-", "-", "", "",
               std::to_string(alike) + " elements " + common_word(steps[i])});
    i += alike;
  }
}

const Value* entry(const ValueTable* table, const char* name) {
  if (table == nullptr) return nullptr;
  const auto found = table->find(name);
  return found == table->end() ? nullptr : &found->second;
}

std::string values_text(const Value* values) {
  std::string text;
  if (values == nullptr || values->as_table() == nullptr) return text;
  for (const auto& [name, value] : *values->as_table()) {
    text += (text.empty() ? "" : " ") + name + "=" + canonical(value);
  }
  return text;
}

/// Six digits tell trials apart; what is exact is in the report.
std::string short_number(const Value& value) {
  std::ostringstream text;
  if (const double* number = value.as_double()) text << *number;
  else text << canonical(value);
  return text.str();
}

/// What a search noted of its trials so far, the best first; nothing for other steps.
void tell_ranks(Session& session, const protocol::Step& step) {
  static constexpr std::size_t shown_max = 10;
  const Value* ranking = entry(step.notes.as_table(), "ranking");
  const ValueTable* facts = ranking == nullptr ? nullptr : ranking->as_table();
  const Value* listed = entry(facts, "ranks");
  const Value* metric = entry(facts, "metric");
  if (listed == nullptr || listed->as_list() == nullptr || metric == nullptr) return;
  const std::string* name = metric->as_text();
  Table table = session.table({{"RANK", false, true}, {"TRIAL", false, true},
                               {session.safe(name == nullptr ? "METRIC" : *name), false, true},
                               {"PARAMETERS"}});
  const ValueList& ranks = *listed->as_list();
  const std::size_t shown = session.format == Format::wide ? ranks.size()
                                                           : std::min(ranks.size(), shown_max);
  for (std::size_t i = 0; i < shown; ++i) {
    const ValueTable* rank = ranks[i].as_table();
    const Value* trial = entry(rank, "trial");
    const Value* value = entry(rank, "value");
    const bool measured = value != nullptr && !value->is_null();
    table.add({std::to_string(i + 1), trial == nullptr ? "" : canonical(*trial),
               measured ? short_number(*value) : "-", values_text(entry(rank, "parameters"))});
  }
  session.terminal.out << "trials of " << session.safe(step_path(step.step, step.element))
                       << ", the best first:\n";
  session.print(table);
  if (shown < ranks.size()) {
    session.say(std::to_string(ranks.size() - shown) + " more trials; -o wide lists them");
  }
}

/// The run with its first page of steps, or with all of them, page by page.
Result<protocol::RunDetail> read_run(Session& session) {
  static constexpr std::int64_t page = 500;
  const std::string stuck = session.arguments.has("stuck") ? "true" : "";
  TRY(detail, session.get<protocol::RunDetail>(run_target(session, query_of({{"stuck", stuck}}))));
  if (!session.arguments.has("all") || !stuck.empty()) return detail;
  const std::string run = "/api/v1/runs/" + std::to_string(detail.run.number);
  for (std::int64_t at = page; at < detail.steps_total; at += page) {
    TRY(more, session.get<protocol::RunDetail>(
                  run + query_of({{"limit", std::to_string(page)}, {"offset", std::to_string(at)}})));
    for (protocol::Step& step : more.steps) detail.steps.push_back(std::move(step));
  }
  session.replace_reply(detail);
  return detail;
}

}  // namespace

int run_show(Session& session) {
  int code = exit_done;
  if (session.arguments.has("wait")) {
    code = wait_for_run(session, protocol::percent_encode(session.arguments.text("RUN", "last")));
    if (code == exit_usage || code == exit_unreachable || code == exit_denied) return code;
  }
  const auto detail = read_run(session);
  if (!detail) return session.fail(detail.error());
  session.show([&] {
    tell_head(session, *detail);
    Table table = session.table({{"STEP"}, {"STATE"}, {"TOOK", false, true}, {"TRIES", true, true},
                                 {"MEMORY", true, true}, {"CPU", true, true},
                                 {"WRITTEN", true, true}, {"KEY", true}, {"METRICS", true}, {"WHY"}});
    add_steps(table, detail->steps, session.format == Format::wide);
    session.print(table);
    for (const protocol::Step& step : detail->steps) tell_ranks(session, step);
    const auto listed = static_cast<std::int64_t>(detail->steps.size());
    if (listed < detail->steps_total && !session.arguments.has("stuck")) {
      session.say(with_thousands(detail->steps_total - listed) +
                  " more steps; --all lists them, --stuck those that stand in the way");
    }
    for (const std::string& sentence : detail->explanation) {
      session.terminal.out << session.safe(sentence) << "\n";
    }
    if (!detail->ways_on.empty()) {
      session.terminal.out << session.safe(spoken_ways(detail->ways_on)) << "\n";
    }
  });
  return code;
}

}  // namespace pipelined::cli
