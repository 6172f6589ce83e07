// The face of statistics: summaries as statistics/1.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "plugins/data/distribution.h"
#include "plugins/data/moment_text.h"
#include "plugins/data/semantic_domain.h"
#include "plugins/data/statistics.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;
using Sorted = std::vector<std::pair<double, std::int64_t>>;

constexpr std::size_t pairs_listed_max = 200;
/// Columns with at most so many values carry all of them, for comparisons.
constexpr std::int64_t complete_counts_max = 1000;

/// A count as JSON: whole where rows are counted.
Json count_json(double count, bool rows) {
  return rows ? Json(static_cast<std::int64_t>(count)) : Json(count);
}

Json buckets_json(const std::vector<HistogramBucket>& buckets, bool rows = true) {
  Json list = Json::array();
  for (const HistogramBucket& bucket : buckets) {
    list.push_back({{"low", bucket.low}, {"high", bucket.high},
                    {"count", count_json(bucket.count, rows)}});
  }
  return list;
}

/// Parts of equal count between the quantiles, as many as there are parts.
Json quantile_histogram(const CountedValues& values, Range range, std::int64_t parts) {
  Json buckets = Json::array();
  const double count = total_of(values);
  double from = range.low;
  for (std::int64_t i = 1; i <= parts; ++i) {
    const double q = static_cast<double>(i) / static_cast<double>(parts);
    const double to = i == parts ? range.high : row_quantile(values, q);
    buckets.push_back({{"low", from}, {"high", to}, {"count", count / static_cast<double>(parts)}});
    from = to;
  }
  return buckets;
}

template <class Quantile>
Json quantiles_json(std::int64_t parts, const Quantile& quantile) {
  Json quantiles = Json::array();
  for (std::int64_t i = 1; i < parts; ++i) {
    const double q = static_cast<double>(i) / static_cast<double>(parts);
    quantiles.push_back({{"q", q}, {"value", quantile(q)}});
  }
  return quantiles;
}

/// `[value, rows]` of values by themselves, `[value, rows, rows between]` of those between which others lie.
template <class Written>
void put_distribution(Json& json, const Steps& made, const Written& written) {
  Json list = Json::array();
  for (const Step& step : made.steps) {
    Json one = Json::array({written(step.value), count_json(step.at, true)});
    if (step.between > 0) one.push_back(count_json(step.between, true));
    list.push_back(std::move(one));
  }
  json["distribution"] = std::move(list);
  if (made.error > 0) json["distribution_error"] = made.error;
}

/// Most frequent first; among equals the smaller value, so that the order is one.
template <class Value>
std::vector<std::pair<Value, std::int64_t>> by_frequency(
    std::vector<std::pair<Value, std::int64_t>> counts) {
  std::sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return counts;
}

/// REQUIRES: the counts are sorted by frequency.
template <class Value>
void put_counts(Json& json, const std::vector<std::pair<Value, std::int64_t>>& counts,
                const StatisticsOptions& options, std::int64_t threshold, bool complete) {
  Json top = Json::array();
  for (const auto& [value, count] : counts) {
    if (static_cast<std::int64_t>(top.size()) == options.top_values || count <= threshold) break;
    top.push_back({{"value", value}, {"count", count}});
  }
  json["top_values"] = std::move(top);
  if (!complete || static_cast<std::int64_t>(counts.size()) > complete_counts_max) {
    // Of more values only the counts of the most frequent, by rank.
    Json ranks = Json::array();
    for (const auto& [value, count] : counts) {
      if (static_cast<std::int64_t>(ranks.size()) == complete_counts_max || count <= threshold) break;
      ranks.push_back(count);
    }
    json["rank_histogram"] = std::move(ranks);
    return;
  }
  Json all = Json::array();
  for (const auto& [value, count] : counts) all.push_back(Json::array({value, count}));
  json["value_counts"] = std::move(all);
}

/// Exact as long as JSON's readers keep it so.
void put_integer_sum(Json& json, WideInteger sum) {
  if (sum >= INT64_MIN && sum <= INT64_MAX) {
    json["sum"] = static_cast<std::int64_t>(sum);
  } else {
    json["sum"] = static_cast<double>(sum);
  }
}

void put_domain(Json& json, const std::optional<Domain>& domain) {
  if (!domain) return;
  json["domain"] = {{"kind", domain->kind}, {"share", domain->share}};
  if (!domain->format.empty()) json["domain"]["format"] = domain->format;
}

Range range_of(const ColumnSummary& column) {
  if (column.type() == ColumnType::number) return {column.number_min, column.number_max};
  return {static_cast<double>(column.integer_min), static_cast<double>(column.integer_max)};
}

void put_numbers(Json& json, const ColumnSummary& column, const StatisticsOptions& options) {
  const bool integers = column.type() == ColumnType::integer;
  json["zeros"] = column.zeros;
  json["nan"] = column.nan;
  json["infinite"] = column.infinite;
  json["negative_infinite"] = column.negative_infinite;
  const std::int64_t count = column.moments.count();
  if (count == 0) return;
  const Range range = range_of(column);
  json["mean"] = integers ? static_cast<double>(column.integer_sum) / static_cast<double>(count)
                          : column.moments.mean();
  json["std_dev"] = column.moments.std_dev();
  json["min"] = integers ? Json(column.integer_min) : Json(range.low);
  json["max"] = integers ? Json(column.integer_max) : Json(range.high);
  if (integers) {
    put_integer_sum(json, column.integer_sum);
  } else {
    json["sum"] = column.moments.sum().value();
  }
  const Sorted sorted = column.sorted_numbers();
  const CountedValues values = counted(sorted);
  json["median"] = row_quantile(values, 0.5);
  json["quantiles"] = quantiles_json(options.quantiles, [&](double q) { return row_quantile(values, q); });
  json["histogram"] = buckets_json(equal_widths(values, range));
  json["quantile_histogram"] = quantile_histogram(values, range, options.quantiles);
  if (!column.exact()) json["rank_error"] = column.rank_error();
  if (integers) put_domain(json, unix_time_domain(sorted, count));
  if (integers && column.exact()) put_counts(json, by_frequency(column.integer_counts()), options, 0, true);
  if (json.contains("value_counts")) return;
  put_distribution(json, steps_of(values, range, column.rank_error()), [](double value) { return value; });
}

/// The most frequent by weight; `error`: by how much they may be too low.
template <class Value>
Json heaviest(std::vector<std::pair<Value, double>> weights, const StatisticsOptions& options,
              double error) {
  std::sort(weights.begin(), weights.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  Json top = Json::array();
  for (const auto& [value, weight] : weights) {
    if (static_cast<std::int64_t>(top.size()) == options.top_values || weight <= error) break;
    top.push_back({{"value", value}, {"weight", weight}});
  }
  return top;
}

/// How the weight is spread over numbers, dates or times; edges as `written` has them.
template <class Written>
void put_weighted_values(Json& json, const ColumnSummary& column, const StatisticsOptions& options,
                         const Written& written) {
  const CountedValues values = column.weighted->numbers.sorted();
  if (values.empty()) return;
  const auto quantile = [&](double q) { return written(weight_quantile(values, q)); };
  json["median"] = quantile(0.5);
  json["quantiles"] = quantiles_json(options.quantiles, quantile);
  const bool days = column.type() == ColumnType::date;
  const Range range = range_of(column);
  Json buckets =
      buckets_json(days ? whole_days(values, range) : equal_widths(values, range), false);
  for (Json& bucket : buckets) {
    for (const char* edge : {"low", "high"}) bucket[edge] = written(bucket[edge].get<double>());
  }
  json["histogram"] = std::move(buckets);
  if (const double error = column.weighted->numbers.rank_error(); error > 0) {
    json["rank_error"] = error;
  }
}

void put_weights(Json& json, const ColumnSummary& column, const StatisticsOptions& options) {
  if (!column.weighted) return;
  const WeightSummary& sums = *column.weighted;
  Json weighted = {{"count", sums.count.value()}};
  if (sums.moments.weight().value() > 0) {
    weighted["mean"] = sums.moments.mean();
    weighted["std_dev"] = sums.moments.std_dev();
  }
  const auto type = column.type();
  if (type == ColumnType::integer || type == ColumnType::number) {
    put_weighted_values(weighted, column, options, [](double value) { return value; });
  } else if (type == ColumnType::date || type == ColumnType::time) {
    put_weighted_values(weighted, column, options, [&](double value) {
      return moment_text(*type, static_cast<std::int64_t>(std::floor(value)));
    });
  } else if (type == ColumnType::boolean) {
    weighted["true"] = static_cast<double>(sums.true_weight);
    weighted["false"] = static_cast<double>(sums.false_weight);
  } else if (type == ColumnType::text) {
    const auto error = static_cast<double>(sums.texts.error());
    std::vector<std::pair<std::string_view, double>> texts;
    for (const auto& [text, weight] : sums.texts.entries()) {
      texts.emplace_back(text, static_cast<double>(weight));
    }
    weighted["top_values"] = heaviest(std::move(texts), options, error);
    if (!sums.texts.exact()) weighted["top_values_error"] = error;
  }
  // Weights are kept by double; beyond 2^53 whole numbers would be mixed up.
  constexpr std::int64_t whole_max = std::int64_t{1} << 53;
  if (type == ColumnType::integer && column.exact() && sums.numbers.rank_error() == 0 &&
      column.integer_min >= -whole_max && column.integer_max <= whole_max) {
    std::vector<std::pair<std::int64_t, double>> values;
    for (const auto& [value, weight] : sums.numbers.sorted()) {
      values.emplace_back(static_cast<std::int64_t>(value), weight);
    }
    weighted["top_values"] = heaviest(std::move(values), options, 0);
  }
  json["weighted"] = std::move(weighted);
}

/// Extremes, quantiles and histogram of dates and times, as people write them.
void put_moments(Json& json, const ColumnSummary& column, const StatisticsOptions& options) {
  if (column.count == 0) return;
  const ColumnType type = *column.type();
  const auto text = [&](double value) {
    return moment_text(type, static_cast<std::int64_t>(std::floor(value)));
  };
  json["min"] = moment_text(type, column.integer_min);
  json["max"] = moment_text(type, column.integer_max);
  const CountedValues values = counted(column.sorted_numbers());
  const Range range = range_of(column);
  json["median"] = text(row_quantile(values, 0.5));
  json["quantiles"] =
      quantiles_json(options.quantiles, [&](double q) { return text(row_quantile(values, q)); });
  Json buckets =
      buckets_json(type == ColumnType::date ? whole_days(values, range) : equal_widths(values, range));
  for (Json& bucket : buckets) {
    for (const char* edge : {"low", "high"}) bucket[edge] = text(bucket[edge].get<double>());
  }
  json["time_histogram"] = std::move(buckets);
  put_distribution(json, steps_of(values, range, column.rank_error()), text);
  if (!column.exact()) json["rank_error"] = column.rank_error();
}

void put_lengths(Json& json, const std::string& name, const Lengths& lengths, std::int64_t count) {
  json[name + "_mean"] = static_cast<double>(lengths.total) / static_cast<double>(count);
  json[name + "_min"] = lengths.min;
  json[name + "_max"] = lengths.max;
}

void put_texts(Json& json, const ColumnSummary& column, const StatisticsOptions& options) {
  if (column.count > 0) {
    put_lengths(json, "length", column.characters, column.count);
    put_lengths(json, "bytes", column.bytes, column.count);
  }
  json["empty"] = column.empty;
  json["invalid_utf8"] = column.invalid_utf8;
  const auto counts = by_frequency(column.texts.entries());
  put_domain(json, text_domain(counts));
  put_counts(json, counts, options, column.texts.error(), column.texts.exact());
  if (!column.exact()) json["top_values_error"] = column.texts.error();
}

/// How much more often two values meet than if neither knew of the other; the most frequent first.
Json lift_json(const PairSummary& pair) {
  std::vector<std::pair<std::pair<std::string, std::string>, std::int64_t>> sorted(
      pair.pairs().begin(), pair.pairs().end());
  sorted = by_frequency(std::move(sorted));
  Json list = Json::array();
  for (const auto& [values, times] : sorted) {
    if (list.size() == pairs_listed_max) break;
    const double expected = static_cast<double>(pair.x_counts().at(values.first)) *
                            static_cast<double>(pair.y_counts().at(values.second)) /
                            static_cast<double>(pair.count());
    list.push_back({{"x", values.first}, {"y", values.second}, {"count", times},
                    {"lift", static_cast<double>(times) / expected}});
  }
  return list;
}

Json pair_json(const PairSummary& pair) {
  Json json = {{"x", pair.x()}, {"y", pair.y()}, {"count", pair.count()}};
  if (pair.numbers()) {
    json["covariance"] = pair.covariance();
    json["correlation"] = pair.correlation();
  } else if (pair.too_many()) {
    json["too_many_values"] = true;
  } else {
    json["lift"] = lift_json(pair);
  }
  return json;
}

Json feature_json(const std::string& name, const ColumnSummary& column,
                  const StatisticsOptions& options) {
  Json json = {{"name", name}, {"count", column.count}, {"missing", column.rows - column.count}};
  json["type"] = column.type() ? name_of(*column.type()) : "other";
  if (!options.weight.empty()) put_weights(json, column, options);
  if (!column.type()) return json;
  json["unique"] = column.unique();
  if (!column.exact()) json["unique_error"] = 0.0081;
  switch (*column.type()) {
    case ColumnType::integer:
    case ColumnType::number: put_numbers(json, column, options); break;
    case ColumnType::boolean:
      json["true"] = column.true_count;
      json["false"] = column.count - column.true_count;
      break;
    case ColumnType::date:
    case ColumnType::time: put_moments(json, column, options); break;
    case ColumnType::text: put_texts(json, column, options); break;
  }
  return json;
}

Json features_json(const std::vector<std::string>& names, const std::vector<ColumnSummary>& columns,
                   const StatisticsOptions& options) {
  Json features = Json::array();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    features.push_back(feature_json(names[i], columns[i], options));
  }
  return features;
}

}  // namespace

std::string statistics_json(const TableSummary& table, const StatisticsOptions& options) {
  Json json = {{"rows", table.rows},
               {"features", features_json(table.names, table.columns, options)}};
  if (!options.label.empty()) json["label"] = options.label;
  for (const PairSummary& pair : table.pairs) json["cross"].push_back(pair_json(pair));
  for (const TableSlice& slice : table.slices) {
    json["slices"].push_back({{"name", slice.name}, {"rows", slice.rows},
                              {"features", features_json(slice.names, slice.columns, options)}});
  }
  if (!options.weight.empty()) {
    json["weight"] = options.weight;
  }
  // Texts of the data need not be UTF-8; JSON must.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pipelined
