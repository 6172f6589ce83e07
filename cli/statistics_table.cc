#include "cli/statistics_table.h"

#include <cmath>
#include <cstdio>

#include "operators/value_json.h"

namespace pipelined::cli {
namespace {

const Value& at(const Value& table, const char* name) {
  static const Value none;
  const ValueTable* fields = table.as_table();
  if (fields == nullptr) return none;
  const auto found = fields->find(std::string_view(name));
  return found == fields->end() ? none : found->second;
}

double number(const Value& value) {
  if (const std::int64_t* whole = value.as_int()) return static_cast<double>(*whole);
  return value.as_double() != nullptr ? *value.as_double() : 0;
}

/// The most frequent value with its share, or the true share of a bool.
std::string most_frequent(const Value& feature) {
  const double count = number(at(feature, "count"));
  if (!at(feature, "true").is_null()) {
    return "true (" + percent(number(at(feature, "true")), count) + ")";
  }
  const ValueList* top = at(feature, "top_values").as_list();
  if (top == nullptr || top->empty()) return "-";
  const Value& first = top->front();
  return short_value(at(first, "value")) + " (" + percent(number(at(first, "count")), count) + ")";
}

}  // namespace

std::string short_value(const Value& value) {
  if (value.is_null()) return "-";
  if (const std::string* text = value.as_text()) return *text;
  if (const std::int64_t* whole = value.as_int()) return std::to_string(*whole);
  if (value.as_double() == nullptr) return canonical(value);
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", *value.as_double());
  return text;
}

std::string percent(double part, double whole) {
  if (!(whole > 0)) return "-";
  const double share = 100 * part / whole;
  char text[32];
  std::snprintf(text, sizeof text, share > 0 && share < 0.1 ? "%.2g %%" : "%.1f %%", share);
  return part == 0 ? "0 %" : part == whole ? "100 %" : text;
}

Result<Value> read_statistics(const std::string& text) {
  auto value = value_from_json(text);
  if (!value) return value.error().within("read statistics");
  if (at(*value, "rows").as_int() == nullptr || at(*value, "features").as_list() == nullptr) {
    return Error{ErrorCode::invalid, "read statistics: this JSON has no `rows` and `features` and is "
                                     "no statistics/1"};
  }
  return value;
}

Table statistics_table(const Value& statistics, bool wide) {
  Table table({{"FEATURE"}, {"TYPE"}, {"MISSING", false, true}, {"UNIQUE", false, true},
               {"MIN", false, true}, {"MEDIAN", false, true}, {"MEAN", false, true},
               {"MAX", false, true}, {"STD DEV", true, true}, {"ZEROS", true, true},
               {"MOST FREQUENT"}}, wide);
  const double rows = number(at(statistics, "rows"));
  for (const Value& feature : *at(statistics, "features").as_list()) {
    const Value& unique = at(feature, "unique");
    const bool about = !at(feature, "unique_error").is_null();
    const double count = number(at(feature, "count"));
    table.add({short_value(at(feature, "name")), short_value(at(feature, "type")),
               percent(number(at(feature, "missing")), rows),
               (about ? "~" : "") + short_value(unique), short_value(at(feature, "min")),
               short_value(at(feature, "median")), short_value(at(feature, "mean")),
               short_value(at(feature, "max")), short_value(at(feature, "std_dev")),
               at(feature, "zeros").is_null() ? "-" : percent(number(at(feature, "zeros")), count),
               most_frequent(feature)});
  }
  return table;
}

Table slices_table(const Value& statistics, bool wide) {
  Table table({{"FEATURE"}, {"SLICE"}, {"ROWS", false, true}, {"MISSING", false, true}, {"UNIQUE", true, true},
               {"MEDIAN", false, true}, {"MEAN", false, true}, {"STD DEV", true, true}, {"MOST FREQUENT"}}, wide);
  const ValueList* slices = at(statistics, "slices").as_list();
  if (slices == nullptr) return table;
  const auto add = [&](const Value& part, const Value& name, const Value& feature) {
    table.add({short_value(at(feature, "name")), short_value(name), short_value(at(part, "rows")),
               percent(number(at(feature, "missing")), number(at(part, "rows"))), short_value(at(feature, "unique")),
               short_value(at(feature, "median")), short_value(at(feature, "mean")),
               short_value(at(feature, "std_dev")), most_frequent(feature)});
  };
  for (const Value& feature : *at(statistics, "features").as_list()) {
    add(statistics, Value("all rows"), feature);
    for (const Value& slice : *slices) {
      const ValueList* features = at(slice, "features").as_list();
      if (features == nullptr) continue;
      for (const Value& own : *features) {
        if (at(own, "name") == at(feature, "name")) add(slice, at(slice, "name"), own);
      }
    }
  }
  return table;
}

Table comparison_table(const Value& comparison, bool wide) {
  Table table({{"FEATURE"}, {"TYPE"}, {"DISTANCE", false, true}, {"MISSING BEFORE", false, true},
               {"NOW", false, true}, {"UNIQUE BEFORE", true, true}, {"UNIQUE NOW", true, true},
               {"WHAT DIFFERS"}}, wide);
  const auto missing = [](const Value& side) {
    const double part = number(at(side, "missing"));
    return percent(part, part + number(at(side, "count")));
  };
  for (const Value& feature : *at(comparison, "features").as_list()) {
    const Value& before = at(feature, "before");
    const Value& now = at(feature, "now");
    char distance[32] = "–";  // where nothing was compared; the sentence says why
    const Value& score = at(feature, "score");
    if (!score.is_null()) std::snprintf(distance, sizeof distance, "%.4f", number(score));
    const std::string& sentence = *at(feature, "sentence").as_text();
    table.add({short_value(at(feature, "name")), short_value(at(now.is_null() ? before : now, "type")),
               distance, missing(before), missing(now), short_value(at(before, "unique")),
               short_value(at(now, "unique")), sentence.empty() ? "-" : sentence});
  }
  return table;
}

}  // namespace pipelined::cli
