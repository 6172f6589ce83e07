#include "plugins/data/anomaly_names.h"

namespace pipelined {

const std::vector<AnomalyKind>& anomaly_kinds() {
  constexpr Severity error = Severity::error, warning = Severity::warning;
  static const std::vector<AnomalyKind> kinds{
      {"above_max", error, "a value is above `max`"},
      {"below_min", error, "a value is below `min`"},
      {"bool_too_big", error, "`like = \"bool\"`: an int is above 1"},
      {"bool_too_small", error, "`like = \"bool\"`: an int is below 0"},
      {"bool_unexpected_float", error, "`like = \"bool\"`: a float is neither 0 nor 1"},
      {"bool_unexpected_string", error,
       "`like = \"bool\"`: a text is in neither `true_words` nor `false_words`"},
      {"check_failed", error, "the query of a `[check.NAME]` returned rows"},
      {"control_missing", error, "a threshold stands for a column that the other side has not"},
      {"drift", error, "a measure against `previous`, `window` or `baseline` is beyond its threshold"},
      {"drift_uncertain", warning,
       "the same on few rows, where chance explains it (p above `significance`)"},
      {"infinite_value", error, "a value is infinite, and limits or `allow_infinite = false` stand"},
      {"invalid_domain", error, "the column's type cannot have what the schema asks of it"},
      {"invalid_schema", error, "the schema can be read and makes no sense"},
      {"invalid_utf8", error, "a text is not UTF-8"},
      {"low_count", error, "fewer rows than `min_count` have a value"},
      {"low_presence", error, "a smaller share of rows than `presence` has a value"},
      {"missing_column", error, "the schema has the column, the data has not"},
      {"nan_value", error, "a value is not a number, and `allow_nan = false`"},
      {"new_column", warning, "the data has the column, the schema has not"},
      {"no_rows", error, "the table has no rows"},
      {"no_values", error, "no row has a value, and `presence` or `min_count` is above 0"},
      {"not_a_float", error, "`like = \"float\"`: a text is no number"},
      {"not_an_int", error, "`like = \"int\"`: a text is no whole number of 64 bits"},
      {"not_comparable", error, "a threshold stands for a measure that cannot be taken"},
      {"not_countable", error, "distinct values of a column whose values are not counted"},
      {"pattern_mismatch", error, "a text does not match `pattern` as a whole"},
      {"repeated_key", error, "two rows have the same values in `dataset.key`"},
      {"repeated_value", error, "`unique = true`: two rows have the same value"},
      {"rows_grew", error, "more rows than `rows_to_previous.max` times the rows of `previous`"},
      {"rows_shrank", error, "fewer rows than `rows_to_previous.min` times the rows of `previous`"},
      {"rule_broken", error, "a smaller share of rows than `share` keeps a `[rule.NAME]`"},
      {"short_history", warning, "fewer earlier spans than a trend needs"},
      {"skew", error, "a measure against `serving` or `eval` is beyond its threshold"},
      {"too_few_distinct", error, "fewer distinct values than `min_distinct`"},
      {"too_few_rows", error, "fewer rows than `dataset.min_rows`"},
      {"too_long", error, "a text has more characters than `max_length`"},
      {"too_many_distinct", error, "more distinct values than `max_distinct`"},
      {"too_many_rows", error, "more rows than `dataset.max_rows`"},
      {"too_short", error, "a text has fewer characters than `min_length`"},
      {"trend", error, "rows, mean or missing share are too far from the spans before"},
      {"type_mismatch", error, "the column's type is not the schema's"},
      {"unexpected_in_environment", warning,
       "the data has a column that the schema keeps out of this environment"},
      {"unexpected_value", error,
       "a larger share of values than 1 - `in_domain` is outside the domain"}};
  return kinds;
}

const AnomalyKind* anomaly_kind(const std::string& name) {
  for (const AnomalyKind& kind : anomaly_kinds()) {
    if (name == kind.name) return &kind;
  }
  return nullptr;
}

}  // namespace pipelined
