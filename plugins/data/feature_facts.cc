#include "plugins/data/feature_facts.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "plugins/data/moment_text.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::optional<double> number(const Json& feature, const char* key) {
  const auto found = feature.find(key);
  if (found == feature.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

/// A place on the way from the least value to the greatest: how many values lie up to it.
struct Knot {
  double at = 0, below = 0;
};

std::vector<HistogramBucket> buckets_between(std::vector<Knot> knots) {
  std::sort(knots.begin(), knots.end(), [](const Knot& a, const Knot& b) {
    return a.at != b.at ? a.at < b.at : a.below < b.below;
  });
  std::vector<HistogramBucket> buckets;
  Knot last = knots.empty() ? Knot() : knots.front();
  for (const Knot& knot : knots) {
    // A quantile lies between two values, so it may be a row away from what an edge says.
    const double below = std::max(knot.below, last.below);
    if (below > last.below) buckets.push_back({last.at, knot.at, below - last.below});
    last = {knot.at, below};
  }
  return buckets;
}

/// Every value a step of its own.
void read_values(FeatureFacts& facts) {
  for (const auto& [value, count] : facts.values) {
    const double at = std::strtod(value.c_str(), nullptr);
    facts.steps.push_back({at, at, static_cast<double>(count)});
  }
  std::sort(facts.steps.begin(), facts.steps.end(),
            [](const auto& a, const auto& b) { return a.low < b.low; });
}

/// What edges of the histogram, zeros at an end of the range and quantiles say together.
void refine_histogram(const Json& json, FeatureFacts& facts) {
  if (facts.histogram.empty() || !facts.min || !facts.max) return;
  std::vector<Knot> knots;
  double total = 0;
  for (const HistogramBucket& bucket : facts.histogram) {
    knots.push_back({bucket.low, total});
    total += bucket.count;
  }
  knots.push_back({facts.histogram.back().high, total});
  const double zeros = static_cast<double>(json.value("zeros", std::int64_t{0}));
  if (*facts.min == 0 && zeros > 0) knots.push_back({0, zeros});
  if (*facts.max == 0 && zeros > 0) knots.push_back({0, total - zeros});
  facts.histogram = buckets_between(knots);
  if (json.contains("distribution")) return;
  // Statistics without steps tell the quantiles, and of few values each one.
  if (facts.complete) return read_values(facts);
  if (const auto quantiles = json.find("quantiles"); quantiles != json.end()) {
    for (const Json& one : *quantiles) {
      knots.push_back({one.at("value").get<double>(), one.at("q").get<double>() * total});
    }
  }
  facts.steps = buckets_between(std::move(knots));
  const std::size_t quantiles = json.contains("quantiles") ? json["quantiles"].size() : 0;
  facts.step_error = 1 / static_cast<double>(quantiles + 1) + json.value("rank_error", 0.0);
}

/// A number as it is, a date or time as days or microseconds.
double place_of(const Json& value, const FeatureFacts& facts) {
  if (!facts.is_moment()) return value.get<double>();
  const ColumnType type = facts.type == "date" ? ColumnType::date : ColumnType::time;
  const auto place = moment_in(type, value.get<std::string>());
  if (!place) throw std::invalid_argument("'" + value.get<std::string>() + "' is no " + facts.type);
  return static_cast<double>(*place);
}

void read_histogram(const Json& json, FeatureFacts& facts) {
  const auto buckets = json.find(facts.is_moment() ? "time_histogram" : "histogram");
  if (buckets == json.end()) return;
  for (const Json& bucket : *buckets) {
    facts.histogram.push_back({place_of(bucket.at("low"), facts), place_of(bucket.at("high"), facts),
                               bucket.at("count").get<double>()});
  }
}

void read_distribution(const Json& json, FeatureFacts& facts) {
  const auto list = json.find("distribution");
  if (list == json.end()) return;
  std::vector<Step> steps;
  for (const Json& one : *list) {
    steps.push_back({place_of(one.at(0), facts), one.at(1).get<double>(),
                     one.size() > 2 ? one.at(2).get<double>() : 0});
  }
  facts.steps = buckets_of(steps);
  facts.step_error = json.value("distribution_error", 0.0);
}

FeatureFacts read_feature(const Json& json) {
  FeatureFacts facts;
  facts.name = json.at("name").get<std::string>();
  facts.type = json.at("type").get<std::string>();
  facts.count = json.at("count").get<std::int64_t>();
  facts.missing = json.at("missing").get<std::int64_t>();
  facts.unique = json.value("unique", std::int64_t{0});
  facts.unique_exact = !json.contains("unique_error");
  facts.nan = json.value("nan", std::int64_t{0});
  facts.infinite = json.value("infinite", std::int64_t{0});
  facts.invalid_utf8 = json.value("invalid_utf8", std::int64_t{0});
  facts.mean = number(json, "mean");
  facts.std_dev = number(json, "std_dev");
  facts.min = number(json, "min");
  facts.max = number(json, "max");
  if (facts.is_moment()) {
    facts.first = json.value("min", "");
    facts.last = json.value("max", "");
  }
  if (facts.type == "bool") {
    for (const char* word : {"true", "false"}) {
      facts.values[word] = json.at(word).get<std::int64_t>();
    }
    facts.complete = true;
  }
  if (const auto counts = json.find("value_counts"); counts != json.end()) {
    for (const Json& pair : *counts) {
      facts.values[value_text(pair.at(0))] = pair.at(1).get<std::int64_t>();
    }
    facts.complete = true;
  } else if (const auto top = json.find("top_values"); top != json.end()) {
    for (const Json& entry : *top) {
      facts.values[value_text(entry.at("value"))] = entry.at("count").get<std::int64_t>();
    }
  }
  read_histogram(json, facts);
  read_distribution(json, facts);
  refine_histogram(json, facts);
  return facts;
}

double deviation_squared(const FeatureFacts& facts) {
  return facts.std_dev.value_or(0) * facts.std_dev.value_or(0);
}

/// Adds the moments of one table's column to another's.
void add_moments(FeatureFacts& sum, const FeatureFacts& more) {
  if (!more.mean) return;
  if (!sum.mean) {
    sum.mean = more.mean;
    sum.std_dev = more.std_dev;
    return;
  }
  const double a = static_cast<double>(sum.count), b = static_cast<double>(more.count);
  const double apart = *more.mean - *sum.mean;
  const double variance = (deviation_squared(sum) * a + deviation_squared(more) * b) / (a + b) +
                          apart * apart * a * b / ((a + b) * (a + b));
  sum.mean = (*sum.mean * a + *more.mean * b) / (a + b);
  sum.std_dev = std::sqrt(variance);
}

void add_feature(FeatureFacts& sum, const FeatureFacts& more) {
  // Int and float together are float, whose values are compared by their histograms.
  if (sum.type != more.type && sum.is_number() && more.is_number()) {
    sum.type = "float";
    sum.complete = false;
  }
  if (more.min) sum.min = std::min(sum.min.value_or(*more.min), *more.min);
  if (more.max) sum.max = std::max(sum.max.value_or(*more.max), *more.max);
  if (!more.first.empty()) {
    sum.first = sum.first.empty() ? more.first : std::min(sum.first, more.first);
    sum.last = std::max(sum.last, more.last);
  }
  add_moments(sum, more);
  const double own = static_cast<double>(sum.count), others = static_cast<double>(more.count);
  if (own + others > 0) {
    sum.step_error = (sum.step_error * own + more.step_error * others) / (own + others);
  }
  sum.count += more.count;
  sum.missing += more.missing;
  sum.nan += more.nan;
  sum.infinite += more.infinite;
  sum.invalid_utf8 += more.invalid_utf8;
  sum.unique = std::max(sum.unique, more.unique);
  sum.unique_exact = false;
  sum.complete = sum.complete && more.complete;
  for (const auto& [value, count] : more.values) sum.values[value] += count;
  sum.histogram.insert(sum.histogram.end(), more.histogram.begin(), more.histogram.end());
  sum.steps.insert(sum.steps.end(), more.steps.begin(), more.steps.end());
  if (sum.complete) sum.unique = static_cast<std::int64_t>(sum.values.size());
}

TableFacts read_table(const Json& json) {
  TableFacts facts;
  facts.rows = json.at("rows").get<std::int64_t>();
  facts.label = json.value("label", "");
  for (const Json& feature : json.at("features")) facts.features.push_back(read_feature(feature));
  return facts;
}

template <class Read>
auto read_json(const std::string& text, const Read& read) -> Result<decltype(read(Json()))> {
  try {
    return read(Json::parse(text));
  } catch (const std::exception& thrown) {
    return Error{ErrorCode::invalid, std::string("read statistics.json: ") + thrown.what()};
  }
}

}  // namespace

bool SliceFacts::cuts(const std::string& feature) const {
  return name.starts_with(feature + "=") || name.find(", " + feature + "=") != std::string::npos;
}

const FeatureFacts* TableFacts::find(const std::string& name) const {
  for (const FeatureFacts& feature : features) {
    if (feature.name == name) return &feature;
  }
  return nullptr;
}

TableFacts united(const std::vector<TableFacts>& tables) {
  TableFacts sum = tables.front();
  for (std::size_t i = 1; i < tables.size(); ++i) {
    const TableFacts& more = tables[i];
    sum.rows += more.rows;
    if (sum.label.empty()) sum.label = more.label;
    for (const FeatureFacts& feature : more.features) {
      const auto own = std::find_if(sum.features.begin(), sum.features.end(),
                                    [&](const auto& known) { return known.name == feature.name; });
      if (own == sum.features.end()) {
        sum.features.push_back(feature);
      } else {
        add_feature(*own, feature);
      }
    }
  }
  return sum;
}

Result<TableFacts> parse_statistics(const std::string& json) { return read_json(json, read_table); }

Result<std::vector<SliceFacts>> parse_slices(const std::string& json) {
  return read_json(json, [](const Json& root) {
    std::vector<SliceFacts> slices;
    for (const Json& slice : root.value("slices", Json::array())) {
      slices.push_back({slice.at("name").get<std::string>(), read_table(slice)});
    }
    return slices;
  });
}

}  // namespace pipelined
