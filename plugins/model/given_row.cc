#include "plugins/model/given_row.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "model/calendar.h"
#include "model/domain.h"

namespace pipelined::evaluation {
namespace {

using model::ColumnInput;
using model::ColumnKind;
using nlohmann::json;

constexpr double infinite = std::numeric_limits<double>::infinity();

const char* wanted(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::boolean: return "true or false";
    case ColumnKind::integer: return "a whole number";
    case ColumnKind::real: return "a number";
    case ColumnKind::text: return "a text";
    case ColumnKind::date: return "a date such as 2013-12-31";
    case ColumnKind::time: return "a time such as 2013-12-31T08:00";
  }
  return "";
}

std::string told(const json& value) {
  if (value.is_array()) return "a list of " + std::to_string(value.size());
  if (value.is_object()) return "a table";
  std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "…";
  return text;
}

Error wrong_value(const ColumnInput& input, const json& value) {
  const bool shape = value.is_array() || value.is_object();
  return {ErrorCode::invalid,
          "input \"" + input.name + "\" (" + name_of(input.kind) + ") takes " +
              (shape ? "a single value" : wanted(input.kind)) + ", not " + told(value)};
}

std::optional<double> special(std::string_view text) {
  if (text == "NaN") return std::nan("");
  if (text == "Infinity") return infinite;
  if (text == "-Infinity") return -infinite;
  return std::nullopt;
}

bool is_whole(double number) { return std::trunc(number) == number && std::abs(number) < 9e15; }

// By the type of JSON; nothing if it does not go with the input's.
std::optional<OwnedCell> strict(const json& value, ColumnKind kind) {
  if (value.is_null()) return OwnedCell();
  switch (kind) {
    case ColumnKind::boolean:
      if (value.is_boolean()) return value.get<bool>();
      return std::nullopt;
    case ColumnKind::integer:
      if (value.is_number_integer()) return value.get<std::int64_t>();
      if (value.is_number() && is_whole(value.get<double>())) {
        return static_cast<std::int64_t>(value.get<double>());
      }
      return std::nullopt;
    case ColumnKind::real:
      if (value.is_number()) return value.get<double>();
      if (value.is_string()) {
        if (const auto number = special(value.get_ref<const std::string&>())) return *number;
      }
      return std::nullopt;
    case ColumnKind::text:
      if (value.is_string()) return value.get<std::string>();
      return std::nullopt;
    case ColumnKind::date:
    case ColumnKind::time:
      if (!value.is_string()) return std::nullopt;
      if (const auto moment = model::parse_moment(value.get_ref<const std::string&>())) {
        const bool day = kind == ColumnKind::date;
        return day ? static_cast<std::int64_t>(std::floor(
                         static_cast<double>(*moment) /
                         static_cast<double>(model::microseconds_a_day)))
                   : *moment;
      }
      return std::nullopt;
  }
  return std::nullopt;
}

// A text of a command line as JSON of the input's type.
json meant(const std::string& text, ColumnKind kind) {
  if (text.empty()) return nullptr;
  if (kind == ColumnKind::boolean && (text == "true" || text == "false")) return text == "true";
  if (kind != ColumnKind::integer && kind != ColumnKind::real) return text;
  double number = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return text;
  std::int64_t whole = 0;
  const auto exact = std::from_chars(text.data(), end, whole);
  if (exact.ec == std::errc() && exact.ptr == end) return whole;
  return number;
}

}  // namespace

model::Cell view_of(const OwnedCell& cell) {
  return std::visit([](const auto& value) -> model::Cell { return value; }, cell);
}

OwnedCell owned(const model::Cell& cell) {
  if (const auto* text = std::get_if<std::string_view>(&cell)) return std::string(*text);
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag;
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) return *whole;
  if (const auto* real = std::get_if<double>(&cell)) return *real;
  return std::monostate();
}

std::string json_of_cell(const OwnedCell& cell, ColumnKind kind) {
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? "true" : "false";
  if (const auto* whole = std::get_if<std::int64_t>(&cell)) {
    const bool moment = kind == ColumnKind::date || kind == ColumnKind::time;
    if (!moment) return std::to_string(*whole);
    return '"' + model::domain_text(kind, static_cast<double>(*whole)) + '"';
  }
  if (const auto* real = std::get_if<double>(&cell)) {
    if (std::isnan(*real)) return "\"NaN\"";
    if (std::isinf(*real)) return *real > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return json(*real).dump();
  }
  if (const auto* text = std::get_if<std::string>(&cell)) {
    return json(*text).dump(-1, ' ', false, json::error_handler_t::replace);
  }
  return "null";
}

Result<GivenRow> GivenRow::read(std::string_view text, std::span<const ColumnInput> inputs) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) {
    return Error{ErrorCode::invalid, "a row is a JSON object such as {\"humid\": 80}"};
  }
  GivenRow row;
  for (const ColumnInput& input : inputs) {
    const auto found = document.find(input.name);
    if (found == document.end()) {
      if (!input.optional) {
        return Error{ErrorCode::invalid, "the row has no \"" + input.name + "\" (" +
                                             name_of(input.kind) +
                                             "), which the model needs; null says that it is not "
                                             "known"};
      }
      row.cells_.emplace_back();
      continue;
    }
    auto cell = strict(*found, input.kind);
    if (!cell) return wrong_value(input, *found);
    row.cells_.push_back(*std::move(cell));
  }
  return row;
}

GivenRow GivenRow::of(std::span<const model::Cell> cells) {
  GivenRow row;
  for (const model::Cell& cell : cells) row.cells_.push_back(owned(cell));
  return row;
}

Result<void> GivenRow::set(const std::string& name, std::string_view text,
                           std::span<const ColumnInput> inputs) {
  const auto found = std::find_if(inputs.begin(), inputs.end(),
                                  [&](const ColumnInput& input) { return input.name == name; });
  if (found == inputs.end()) {
    std::string known;
    for (const ColumnInput& input : inputs) known += (known.empty() ? "" : ", ") + input.name;
    if (known.size() > 400) known = known.substr(0, known.rfind(", ", 400)) + ", …";
    return Error{ErrorCode::invalid,
                 "the model has no input \"" + name + "\"; its inputs are " + known};
  }
  json value = json::parse(text, nullptr, false);
  if (value.is_string()) value = meant(value.get<std::string>(), found->kind);
  auto cell = strict(value, found->kind);
  if (!cell) return wrong_value(*found, value);
  cells_[static_cast<std::size_t>(found - inputs.begin())] = *std::move(cell);
  return {};
}

Result<void> GivenRow::set_all(std::string_view text, std::span<const ColumnInput> inputs) {
  const json document = json::parse(text, nullptr, false);
  for (const auto& [name, value] : document.items()) {
    TRY_VOID(set(name, value.dump(-1, ' ', false, json::error_handler_t::replace), inputs));
  }
  return {};
}

std::vector<model::Cell> GivenRow::cells() const {
  std::vector<model::Cell> cells;
  for (const OwnedCell& cell : cells_) cells.push_back(view_of(cell));
  return cells;
}

}  // namespace pipelined::evaluation
