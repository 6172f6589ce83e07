#include "model/column_values.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "model/calendar.h"

namespace pipelined::model {
namespace {

Error unfit(const ColumnInput& column, const char* wanted) {
  return {ErrorCode::invalid, "column \"" + column.name + "\" is of type " +
                                  name_of(column.kind) + " and the value given is no " + wanted};
}

std::optional<double> plain_number(const Cell& cell) {
  if (const auto* flag = std::get_if<bool>(&cell)) return *flag ? 1.0 : 0.0;
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&cell)) return *real;
  return std::nullopt;
}

// The items of a value that holds several.
Result<std::vector<std::string>> items_of(const std::string& text, const ColumnInput& column,
                                          const std::string& delimiter) {
  std::vector<std::string> items;
  if (delimiter.empty()) {
    const auto list = nlohmann::json::parse(text, nullptr, false);
    if (!list.is_array()) return unfit(column, "JSON list of texts");
    for (const auto& item : list) {
      if (!item.is_string()) return unfit(column, "JSON list of texts");
      items.push_back(item.get<std::string>());
    }
  } else {
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(delimiter, begin), text.size());
      if (end > begin) items.push_back(text.substr(begin, end - begin));
      begin = end + delimiter.size();
    }
  }
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

}  // namespace

Result<std::optional<double>> number_of(const Cell& cell, const ColumnInput& column,
                                        const FeatureSpec& spec) {
  if (std::holds_alternative<std::monostate>(cell)) return std::optional<double>();
  auto number = plain_number(cell);
  const bool numeric = column.kind == ColumnKind::boolean || column.kind == ColumnKind::integer ||
                       column.kind == ColumnKind::real;
  if (!number || !numeric) return unfit(column, "number");
  if (std::isnan(*number)) return std::optional<double>();
  if (spec.clip_min) *number = std::max(*number, *spec.clip_min);
  if (spec.clip_max) *number = std::min(*number, *spec.clip_max);
  if (spec.log) *number = *number > -1 ? std::log1p(*number) : std::nan("");
  if (!(std::abs(*number) <= number_max)) return std::optional<double>();
  return number;
}

Result<std::optional<std::string>> word_of(const Cell& cell, const ColumnInput& column) {
  using Word = std::optional<std::string>;
  if (std::holds_alternative<std::monostate>(cell)) return Word();
  if (column.kind == ColumnKind::text) {
    if (const auto* text = std::get_if<std::string_view>(&cell)) return Word(std::string(*text));
  } else if (column.kind == ColumnKind::boolean) {
    if (const auto* flag = std::get_if<bool>(&cell)) return Word(*flag ? "true" : "false");
  } else if (column.kind == ColumnKind::integer) {
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) return Word(std::to_string(*whole));
  }
  return unfit(column, "category (a text, a whole number, true or false)");
}

Result<std::optional<std::string>> cross_of(std::span<const Cell> cells,
                                            std::span<const ColumnInput> columns) {
  if (cells.size() == 1) return word_of(cells.front(), columns.front());
  std::string cross;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    TRY(word, word_of(cells[i], columns[i]));
    if (!word) return std::optional<std::string>();
    if (i > 0) cross.push_back('\x1F');
    cross += *word;
  }
  return std::optional(std::move(cross));
}

Result<std::optional<std::string_view>> text_of(const Cell& cell, const ColumnInput& column) {
  if (std::holds_alternative<std::monostate>(cell)) return std::optional<std::string_view>();
  const auto* text = std::get_if<std::string_view>(&cell);
  if (!text || column.kind != ColumnKind::text) return unfit(column, "text");
  return std::optional(*text);
}

Result<std::optional<std::int64_t>> moment_of_cell(const Cell& cell, const ColumnInput& column) {
  using Micro = std::optional<std::int64_t>;
  if (std::holds_alternative<std::monostate>(cell)) return Micro();
  if (const auto* text = std::get_if<std::string_view>(&cell)) {
    const auto moment = parse_moment(*text);
    if (!moment) return unfit(column, "moment such as 2013-12-31 or 2013-12-31T05:00");
    return moment;
  }
  const auto* whole = std::get_if<std::int64_t>(&cell);
  constexpr std::int64_t days_max = 100'000'000;
  if (whole && column.kind == ColumnKind::date && std::abs(*whole) < days_max) {
    return Micro(*whole * microseconds_a_day);
  }
  if (whole && column.kind == ColumnKind::time) return Micro(*whole);
  return unfit(column, "date or time");
}

Result<std::vector<std::string>> words_in(std::span<const Cell> cells,
                                          std::span<const ColumnInput> columns,
                                          const FeatureSpec& spec) {
  std::vector<std::string> words;
  if (!spec.is_text() && spec.method != Method::multi_hot) {
    TRY(word, cross_of(cells, columns));
    if (word) words.push_back(std::move(*word));
    return words;
  }
  TRY(text, text_of(cells.front(), columns.front()));
  if (!text) return words;
  if (spec.method == Method::multi_hot) {
    return items_of(std::string(*text), columns.front(), spec.delimiter);
  }
  const std::string plain = normalised(*text, spec.rules);
  const bool by_character = spec.method == Method::characters;
  const auto pieces =
      by_character ? characters_of(plain) : words_of(plain, spec.least_characters);
  if (spec.method == Method::counts || spec.method == Method::tfidf) {
    return ngrams_of(pieces, spec.ngram_low, spec.ngram_high);
  }
  return std::vector<std::string>(pieces.begin(), pieces.end());
}

std::string readable_word(const std::string& word) {
  std::string text;
  for (const char letter : word) {
    if (letter == '\x1F') {
      text += " × ";
    } else {
      text.push_back(letter);
    }
  }
  return text;
}

}  // namespace pipelined::model
