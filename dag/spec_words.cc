#include "dag/spec_words.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>

#include "dag/span_pattern.h"

namespace pipelined {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// A number without sign, blanks or exponent, then one of the units.
std::optional<std::int64_t> parse_with_unit(std::string_view text, const std::vector<Unit>& units) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view digits = text.substr(0, end), word = text.substr(end);
  if (digits.empty() || digits.front() == '.' || digits.back() == '.') return std::nullopt;
  double number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return std::nullopt;
  for (const Unit& unit : units) {
    if (word != unit.name) continue;
    const double value = std::round(number * unit.factor);
    if (value > 9e15) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }
  return std::nullopt;
}

bool is_span_id(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.back() != '-' &&
         text.find_first_not_of("0123456789-") == std::string_view::npos;
}

}  // namespace

std::optional<std::int64_t> parse_duration(std::string_view text) {
  if (text == "0") return 0;
  return parse_with_unit(
      text, {{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}});
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  constexpr double ki = 1024, k = 1000;
  return parse_with_unit(text, {{"", 1},
                                {"B", 1},
                                {"KiB", ki},
                                {"MiB", ki * ki},
                                {"GiB", ki * ki * ki},
                                {"TiB", ki * ki * ki * ki},
                                {"kB", k},
                                {"KB", k},
                                {"MB", k * k},
                                {"GB", k * k * k},
                                {"TB", k * k * k * k}});
}

std::optional<SpanSelection> parse_spans(std::string_view text) {
  SpanSelection spans;
  if (text == "all") return spans;
  if (text == "new") {
    spans.kind = SpanSelection::Kind::only_new;
    return spans;
  }
  if (text.starts_with("last ")) {
    const std::string_view digits = text.substr(5);
    const char* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, spans.count);
    if (read.ec != std::errc{} || read.ptr != end || spans.count < 1) return std::nullopt;
    spans.kind = SpanSelection::Kind::last;
    return spans;
  }
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  spans.kind = SpanSelection::Kind::range;
  spans.first = text.substr(0, dots);
  spans.last = text.substr(dots + 2);
  if (!is_span_id(spans.first) || !is_span_id(spans.last)) return std::nullopt;
  if (span_before(spans.last, spans.first) &&
      !span_in_range(spans.first, spans.last, spans.last)) {
    return std::nullopt;
  }
  return spans;
}

std::string text_of(const Diagnostic& problem) {
  std::string text = problem.file;
  if (problem.at.line > 0) {
    text += ':' + std::to_string(problem.at.line) + ':' + std::to_string(problem.at.column);
  }
  return text + (problem.warning ? ": warning: " : ": error: ") + problem.message;
}

bool has_errors(const std::vector<Diagnostic>& problems) {
  return std::any_of(problems.begin(), problems.end(),
                     [](const Diagnostic& problem) { return !problem.warning; });
}

void sort_by_place(std::vector<Diagnostic>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Diagnostic& a, const Diagnostic& b) {
    return std::tie(a.at.line, a.at.column, a.warning) <
           std::tie(b.at.line, b.at.column, b.warning);
  });
}

void tell_the_first(std::vector<Diagnostic>& problems, std::size_t most) {
  if (problems.size() <= most) return;
  const std::size_t all = problems.size();
  std::stable_partition(problems.begin(), problems.end(),
                        [](const Diagnostic& problem) { return !problem.warning; });
  problems.resize(most);
  sort_by_place(problems);
  problems.push_back({problems.back().file, problems.back().at,
                      "and " + std::to_string(all - most) + " more problems in the file", true});
}

}  // namespace pipelined
