#include "dag/explain.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "dag/run_state.h"

namespace pipelined {
namespace {

/// Without the full stop and blanks at its end, so that it can go on with a comma.
std::string open_ended(std::string text) {
  while (!text.empty() && (text.back() == '.' || text.back() == ' ' || text.back() == '\n')) {
    text.pop_back();
  }
  return text;
}

std::string text_with_decimals(double number, int decimals) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, number);
  return text.data();
}

/// ", 27,020 rows" if the operator noted them and did not say so itself.
std::string rows_clause(const HeldStep& held) {
  const ValueTable* notes = held.notes.as_table();
  if (notes == nullptr) return {};
  const auto rows = notes->find("rows");
  if (rows == notes->end() || rows->second.as_int() == nullptr) return {};
  if (held.verdict.find(" rows") != std::string::npos) return {};
  return ", " + with_thousands(*rows->second.as_int()) + " rows";
}

std::string span_clause(const HeldStep& held) {
  if (held.element.empty() || held.verdict.find(held.element) != std::string::npos) return {};
  if (held.previous.empty()) return " in " + held.element;
  return " between " + held.previous + " and " + held.element;
}

bool is_settled_run(const StateChange& change) {
  return change.state == StepState::succeeded;
}

/// The attempt that was running when a state at `at` began, the newest of them.
const AttemptRow* attempt_before(const std::vector<AttemptRow>& attempts, TimeMs at) {
  const AttemptRow* found = nullptr;
  for (const AttemptRow& attempt : attempts) {
    if (attempt.started_at <= at) found = &attempt;
  }
  return found;
}

/// Its row does not keep "running" behind "succeeded" when nothing else was to be said.
std::vector<StateChange> with_runs(std::vector<StateChange> changes,
                                   const std::vector<AttemptRow>& attempts) {
  std::vector<StateChange> all;
  for (StateChange& change : changes) {
    const bool told = !all.empty() && all.back().state == StepState::running;
    const AttemptRow* attempt = attempt_before(attempts, change.at);
    if (is_settled_run(change) && !told && attempt != nullptr) {
      all.push_back({attempt->started_at, StepState::running, change.reason});
    }
    // Why it ran was said where it began.
    const bool said = !all.empty() && all.back().state == StepState::running &&
                      all.back().reason.sentence == change.reason.sentence;
    if (is_settled_run(change) && said) change.reason.sentence.clear();
    all.push_back(std::move(change));
  }
  return all;
}

}  // namespace

std::vector<StateChange> step_history(const StepRow& row, const std::vector<StateChange>& past,
                                      const std::vector<AttemptRow>& attempts,
                                      TimeMs run_started_at, const std::string& waited_for) {
  std::vector<StateChange> changes = past;
  changes.push_back({row.at, row.state, row.reason});
  std::vector<StateChange> all;
  for (StateChange& change : with_runs(std::move(changes), attempts)) {
    const AttemptRow* attempt = attempt_before(attempts, change.at);
    const bool starts = change.state == StepState::running && attempt != nullptr &&
                        attempt->started_at == change.at && attempt->queued_at > 0;
    const TimeMs settled_at = starts ? attempt->queued_at : change.at;
    if (all.empty() && run_started_at > 0 && settled_at > run_started_at) {
      const std::string what = waited_for.empty() ? "for what it reads" : "for " + waited_for;
      all.push_back({run_started_at, StepState::waiting,
                     {"waited", spoken_duration(settled_at - run_started_at) + " " + what, {}}});
    }
    if (starts && change.at > settled_at) {
      all.push_back({settled_at, StepState::ready,
                     {"waited_for_slot", spoken_duration(change.at - settled_at) + " for a slot",
                      {}}});
    }
    all.push_back(std::move(change));
  }
  return all;
}

std::string explain_attempt(const AttemptRow& row) {
  if (row.running || row.error.empty()) return {};
  const std::string why = open_ended(row.error) + ".";
  const std::string which = "attempt " + std::to_string(row.number);
  if (row.machine_fault) {
    return which + " was lost by a fault of the machine, which counts no try: " + why;
  }
  if (row.outcome == Outcome::cancelled) return which + " was cancelled: " + why;
  if (row.outcome == Outcome::failed || row.outcome == Outcome::retry) {
    std::string kind = row.failure_class;
    std::replace(kind.begin(), kind.end(), '_', ' ');
    return which + " failed by a fault of the step" + (kind.empty() ? "" : " (" + kind + ")") +
           ": " + why;
  }
  return which + " ended " + name_of(row.outcome) + ": " + why;
}

std::string explain_held(const HeldStep& held) {
  std::string sentence = name_of(held.state);
  const std::string verdict = open_ended(held.verdict);
  const bool halted = held.state == StepState::halted;
  if (!verdict.empty()) sentence += ": " + verdict;
  if (halted) sentence += span_clause(held) + rows_clause(held);
  if (held.waiting.size() == 1) {
    sentence += "; step " + held.waiting.front() + " waits";
  } else if (!held.waiting.empty()) {
    sentence += "; steps " + spoken_list(held.waiting) + " wait";
  }
  return sentence + ".";
}

std::vector<std::string> ways_on(const HeldStep& held) {
  const std::string at = std::to_string(held.run) + " " + step_path(held.step, held.element);
  if (held.state == StepState::in_review) {
    return {"pipectl approve " + at + " --why …", "pipectl reject " + at + " --why …"};
  }
  if (held.state != StepState::halted) return {};
  std::vector<std::string> ways = {"pipectl accept " + at + " --why …"};
  const ValueTable* notes = held.notes.as_table();
  const auto remedy = notes == nullptr ? ValueTable::const_iterator{} : notes->find("remedy");
  if (notes != nullptr && remedy != notes->end() && remedy->second != Value("none")) {
    ways.push_back("pipectl accept " + at + " --without-remedy --why …");
  }
  if (!held.source.empty() && !held.element.empty()) {
    ways.push_back("pipectl span drop " + held.pipeline + " " + held.source + "/" + held.element +
                   " --why …");
    ways.push_back("replace the file of " + held.element);
  }
  ways.push_back("pipectl reject " + at + " --why …");
  return ways;
}

std::string spoken_ways(const std::vector<std::string>& ways) {
  if (ways.empty()) return {};
  std::string sentence = "To go on: ";
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (i > 0) sentence += i + 1 == ways.size() ? "; or " : "; ";
    sentence += ways[i];
  }
  return sentence;
}

std::string explain_change(const ReasonDetail& change) {
  if (change.before.empty()) return change.name + " is new: " + change.after;
  if (change.after.empty()) return change.name + " is gone: it was " + change.before;
  return change.name + " changed from " + change.before + " to " + change.after;
}

std::string explain_step(const StepRow& row) {
  std::string sentence = name_of(row.state);
  const std::string why = open_ended(row.reason.sentence);
  if (!why.empty()) sentence += ": " + why;
  if (row.state == StepState::failed && row.tries > 1) {
    sentence += ", after " + std::to_string(row.tries) + " tries";
  }
  return sentence + ".";
}

std::string explain_run(const RunRow& row) {
  std::string sentence = "Run " + std::to_string(row.number) + " of " + row.pipeline;
  switch (row.state) {
    case RunState::queued: sentence += " waits for its turn"; break;
    case RunState::running: sentence += " is running"; break;
    case RunState::failed: sentence += " failed"; break;
    case RunState::rejected: sentence += " was rejected"; break;
    case RunState::halted: sentence += " is halted"; break;
    case RunState::in_review: sentence += " waits for a review"; break;
    case RunState::cancelled: sentence += " was cancelled"; break;
    case RunState::succeeded: sentence += " succeeded"; break;
  }
  const std::string end = open_ended(row.end_reason.sentence);
  if (!end.empty()) sentence += ": " + end;
  const std::string start = open_ended(row.reason.sentence);
  if (!start.empty()) sentence += ". It was started by " + row.who + " (" + start + ")";
  return sentence + ".";
}

std::string spoken_list(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

std::string with_thousands(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first = digits.front() == '-' ? 1 : 0;
  for (std::size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string spoken_duration(std::int64_t ms) {
  if (ms < 0) ms = 0;
  if (ms < 10'000) return text_with_decimals(static_cast<double>(ms) / 1000.0, 1) + " s";
  const std::int64_t seconds = ms / 1000;
  if (seconds < 60) return std::to_string(seconds) + " s";
  const std::int64_t minutes = seconds / 60;
  if (minutes < 60) return std::to_string(minutes) + " min " + std::to_string(seconds % 60) + " s";
  return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
}

std::string spoken_size(std::int64_t bytes) {
  static constexpr std::array<const char*, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (size >= 1024 && unit + 1 < units.size()) size /= 1024, ++unit;
  return text_with_decimals(size, 1) + " " + units[unit];
}

StepName parse_step_name(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return {std::string(text), ""};
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

}  // namespace pipelined
