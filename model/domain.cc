#include "model/domain.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "model/calendar.h"

namespace pipelined::model {
namespace {

// The number that a range is compared with; nothing for cells that have no place in one.
std::optional<double> place_of(const Cell& cell, ColumnKind kind) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&cell)) {
    return std::isnan(*real) ? std::nullopt : std::optional(*real);
  }
  const auto* text = std::get_if<std::string_view>(&cell);
  if (text == nullptr || (kind != ColumnKind::date && kind != ColumnKind::time)) return std::nullopt;
  const auto moment = parse_moment(*text);
  if (!moment) return std::nullopt;
  const std::int64_t unit = kind == ColumnKind::date ? microseconds_a_day : 1;
  return std::floor(static_cast<double>(*moment) / static_cast<double>(unit));
}

}  // namespace

std::string domain_text(ColumnKind kind, double number) {
  if (kind == ColumnKind::date || kind == ColumnKind::time) {
    const auto whole = static_cast<std::int64_t>(number);
    const Moment at = moment_of(kind == ColumnKind::date ? whole * microseconds_a_day : whole);
    std::array<char, 64> text{};
    const int size = kind == ColumnKind::date
        ? std::snprintf(text.data(), text.size(), "%04d-%02d-%02d", static_cast<int>(at.year),
                        static_cast<int>(at.month), static_cast<int>(at.day))
        : std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d",
                        static_cast<int>(at.year), static_cast<int>(at.month),
                        static_cast<int>(at.day), static_cast<int>(at.hour),
                        static_cast<int>(at.minute), static_cast<int>(at.second));
    return {text.data(), static_cast<std::size_t>(std::max(size, 0))};
  }
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

std::optional<std::string> outside(const InputDomain& domain, ColumnKind kind, const Cell& cell) {
  if (kind == ColumnKind::text) {
    const auto* text = std::get_if<std::string_view>(&cell);
    if (text == nullptr || domain.values.empty()) return std::nullopt;
    const auto before = [](std::string_view a, std::string_view b) { return a < b; };
    if (std::binary_search(domain.values.begin(), domain.values.end(), *text, before)) {
      return std::nullopt;
    }
    std::string sentence = "must be one of the " + std::to_string(domain.values.size()) +
                           " values that training saw (";
    for (std::size_t i = 0; i < domain.values.size() && i < 3; ++i) {
      sentence += (i == 0 ? "\"" : ", \"") + domain.values[i] + "\"";
    }
    if (domain.values.size() > 3) sentence += ", …";
    return sentence + "), not \"" + std::string(*text) + "\"";
  }
  const auto place = place_of(cell, kind);
  if (!place || !domain.range) return std::nullopt;
  if (*place >= domain.range->first && *place <= domain.range->second) return std::nullopt;
  return "must be from " + domain_text(kind, domain.range->first) + " to " +
         domain_text(kind, domain.range->second) + ", what training saw, not " +
         domain_text(kind, *place);
}

Result<void> admit(std::span<const InputDomain> domains, std::span<const ColumnInput> inputs,
                   std::span<const Cell> cells) {
  CHECK(domains.size() == inputs.size() && inputs.size() == cells.size());
  for (std::size_t i = 0; i < domains.size(); ++i) {
    if (!domains[i].closed) continue;
    if (const auto wrong = outside(domains[i], inputs[i].kind, cells[i])) {
      return Error{ErrorCode::invalid, "input \"" + inputs[i].name + "\" " + *wrong};
    }
  }
  return {};
}

}  // namespace pipelined::model
