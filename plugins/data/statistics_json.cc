// The face of statistics: summaries as statistics/1.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "plugins/data/semantic_domain.h"
#include "plugins/data/statistics.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;
using Sorted = std::vector<std::pair<double, std::int64_t>>;

constexpr int histogram_buckets = 10;
constexpr std::size_t pairs_listed_max = 200;
/// Columns with at most so many values carry all of them, for comparisons.
constexpr std::int64_t complete_counts_max = 1000;

/// The value at a place between the sorted values; places between two are interpolated.
double at_place(const Sorted& values, double place) {
  const auto low = static_cast<std::int64_t>(std::floor(place));
  std::int64_t passed = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    passed += values[i].second;
    if (low >= passed) continue;
    if (low + 1 < passed || i + 1 == values.size()) return values[i].first;
    const double share = place - static_cast<double>(low);
    return values[i].first + (values[i + 1].first - values[i].first) * share;
  }
  return values.empty() ? 0 : values.back().first;
}

double quantile(const Sorted& values, std::int64_t count, double q) {
  return at_place(values, q * static_cast<double>(count - 1));
}

/// Ten buckets of equal width, the last with its upper edge; one for a single value.
Json histogram(const Sorted& values, double low, double high) {
  if (values.empty()) return Json::array();
  std::int64_t total = 0;
  for (const auto& [value, count] : values) total += count;
  if (!(low < high)) return Json::array({{{"low", low}, {"high", high}, {"count", total}}});
  std::vector<double> edges;
  const double width = (high - low) / histogram_buckets;
  for (int i = 0; i < histogram_buckets; ++i) edges.push_back(low + width * i);
  edges.push_back(high);
  std::vector<std::int64_t> counts(histogram_buckets);
  std::size_t bucket = 0;
  for (const auto& [value, count] : values) {
    while (bucket + 1 < counts.size() && value >= edges[bucket + 1]) ++bucket;
    counts[bucket] += count;
  }
  Json buckets = Json::array();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    buckets.push_back({{"low", edges[i]}, {"high", edges[i + 1]}, {"count", counts[i]}});
  }
  return buckets;
}

std::string date_text(std::int64_t days) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days)))};
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

std::string moment_text(ColumnType type, std::int64_t value) {
  if (type == ColumnType::date) return date_text(value);
  constexpr std::int64_t day = 86'400'000'000;
  std::int64_t days = value / day, rest = value % day;
  if (rest < 0) {
    rest += day;
    --days;
  }
  char clock[40];
  std::snprintf(clock, sizeof clock, "T%02d:%02d:%02d", static_cast<int>(rest / 3'600'000'000),
                static_cast<int>(rest / 60'000'000 % 60), static_cast<int>(rest / 1'000'000 % 60));
  std::string text = date_text(days) + clock;
  if (rest % 1'000'000 != 0) {
    std::snprintf(clock, sizeof clock, ".%06d", static_cast<int>(rest % 1'000'000));
    text += clock;
  }
  return text;
}

/// Parts of equal count between the quantiles, as many as there are parts.
Json quantile_histogram(const Sorted& values, std::int64_t count, std::int64_t parts, double low,
                        double high) {
  Json buckets = Json::array();
  double from = low;
  for (std::int64_t i = 1; i <= parts; ++i) {
    const double q = static_cast<double>(i) / static_cast<double>(parts);
    const double to = i == parts ? high : quantile(values, count, q);
    buckets.push_back({{"low", from}, {"high", to},
                       {"count", static_cast<double>(count) / static_cast<double>(parts)}});
    from = to;
  }
  return buckets;
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

void put_numbers(Json& json, const ColumnSummary& column, const StatisticsOptions& options) {
  const bool integers = column.type() == ColumnType::integer;
  json["zeros"] = column.zeros;
  json["nan"] = column.nan;
  json["infinite"] = column.infinite;
  json["negative_infinite"] = column.negative_infinite;
  const std::int64_t count = column.moments.count();
  if (count == 0) return;
  const double low = integers ? static_cast<double>(column.integer_min) : column.number_min;
  const double high = integers ? static_cast<double>(column.integer_max) : column.number_max;
  json["mean"] = integers ? static_cast<double>(column.integer_sum) / static_cast<double>(count)
                          : column.moments.mean();
  json["std_dev"] = column.moments.std_dev();
  json["min"] = integers ? Json(column.integer_min) : Json(low);
  json["max"] = integers ? Json(column.integer_max) : Json(high);
  if (integers) {
    put_integer_sum(json, column.integer_sum);
  } else {
    json["sum"] = column.moments.sum().value();
  }
  const Sorted values = column.sorted_numbers();
  json["median"] = quantile(values, count, 0.5);
  Json quantiles = Json::array();
  for (std::int64_t i = 1; i < options.quantiles; ++i) {
    const double q = static_cast<double>(i) / static_cast<double>(options.quantiles);
    quantiles.push_back({{"q", q}, {"value", quantile(values, count, q)}});
  }
  json["quantiles"] = std::move(quantiles);
  json["histogram"] = histogram(values, low, high);
  json["quantile_histogram"] = quantile_histogram(values, count, options.quantiles, low, high);
  if (!column.exact()) json["rank_error"] = column.rank_error();
  if (integers) put_domain(json, unix_time_domain(values, count));
  if (integers && column.exact()) put_counts(json, by_frequency(column.integer_counts()), options, 0, true);
}

void put_weights(Json& json, const ColumnSummary& column) {
  Json weighted = {{"count", column.weighted_count.value()}};
  if (column.weighted.weight().value() > 0) {
    weighted["mean"] = column.weighted.mean();
    weighted["std_dev"] = column.weighted.std_dev();
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
  const Sorted values = column.sorted_numbers();
  json["median"] = text(quantile(values, column.count, 0.5));
  Json quantiles = Json::array();
  for (std::int64_t i = 1; i < options.quantiles; ++i) {
    const double q = static_cast<double>(i) / static_cast<double>(options.quantiles);
    quantiles.push_back({{"q", q}, {"value", text(quantile(values, column.count, q))}});
  }
  json["quantiles"] = std::move(quantiles);
  Json buckets = histogram(values, static_cast<double>(column.integer_min),
                           static_cast<double>(column.integer_max));
  for (Json& bucket : buckets) {
    for (const char* edge : {"low", "high"}) bucket[edge] = text(bucket[edge].get<double>());
  }
  json["time_histogram"] = std::move(buckets);
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
  if (!options.weight.empty()) put_weights(json, column);
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

}  // namespace

std::string statistics_json(const TableSummary& table, const StatisticsOptions& options) {
  Json features = Json::array();
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    features.push_back(feature_json(table.names[i], table.columns[i], options));
  }
  Json json = {{"rows", table.rows}, {"features", std::move(features)}};
  if (!options.label.empty()) json["label"] = options.label;
  for (const PairSummary& pair : table.pairs) json["cross"].push_back(pair_json(pair));
  if (!options.weight.empty()) {
    json["weight"] = options.weight;
  }
  // Texts of the data need not be UTF-8; JSON must.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pipelined
