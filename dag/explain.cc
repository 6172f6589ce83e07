#include "dag/explain.h"

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

}  // namespace

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
