#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugins/common/protobuf_wire.h"
#include "plugins/data/moment_text.h"
#include "plugins/data/statistics_proto.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;
using namespace proto_fields;

/// A number as it is; of a date its days, of a time its microseconds.
double place_of(const Json& value, const std::string& type) {
  if (!value.is_string()) return value.get<double>();
  const auto text = value.get<std::string>();
  const auto place = moment_in(type == "date" ? ColumnType::date : ColumnType::time, text);
  if (!place) throw std::invalid_argument("'" + text + "' is no " + type);
  return static_cast<double>(*place);
}

void put_number(ProtoWriter& message, int field, const Json& from, const char* key, const std::string& type) {
  const auto found = from.find(key);
  if (found != from.end() && !found->is_null()) message.number(field, place_of(*found, type));
}

ProtoWriter histogram_message(const Json& buckets, bool quantiles, std::int64_t nan, const std::string& type) {
  ProtoWriter histogram;
  histogram.whole(histogram_nan, static_cast<std::uint64_t>(nan));
  for (const Json& bucket : buckets) {
    ProtoWriter one;
    put_number(one, bucket_low, bucket, "low", type);
    put_number(one, bucket_high, bucket, "high", type);
    one.number(bucket_count, bucket.at("count").get<double>());
    histogram.message(histogram_buckets, one);
  }
  histogram.whole(histogram_type, quantiles ? 1 : 0);
  return histogram;
}

/// Quantiles as buckets of equal count between the least value and the greatest.
Json quantile_buckets(const Json& feature) {
  if (const auto found = feature.find("quantile_histogram"); found != feature.end()) return *found;
  Json buckets = Json::array();
  if (!feature.contains("min") || !feature.contains("quantiles")) return buckets;
  Json low = feature["min"];
  double below = 0;
  const auto count = feature.at("count").get<double>();
  const auto put = [&](const Json& high, double q) {
    buckets.push_back({{"low", low}, {"high", high}, {"count", (q - below) * count}});
    low = high, below = q;
  };
  for (const Json& one : feature["quantiles"]) put(one.at("value"), one.at("q").get<double>());
  put(feature.at("max"), 1);
  return buckets;
}

/// A flat column has one value in every row that has any.
ProtoWriter common_message(const Json& feature, double weight_of_rows) {
  const auto count = feature.at("count").get<std::uint64_t>();
  ProtoWriter common;
  common.whole(common_present, count);
  common.whole(common_missing, feature.at("missing").get<std::uint64_t>());
  common.whole(common_least, count > 0 ? 1 : 0);
  common.whole(common_most, count > 0 ? 1 : 0);
  common.single(common_mean, count > 0 ? 1 : 0);
  common.whole(common_values, count);
  if (const auto weighted = feature.find("weighted"); weighted != feature.end()) {
    const auto present = weighted->at("count").get<double>();
    ProtoWriter sums;
    sums.number(weighted_present, present);
    sums.number(weighted_missing, std::max(0.0, weight_of_rows - present));
    sums.number(weighted_mean, present > 0 ? 1 : 0);
    sums.number(weighted_values, present);
    common.message(common_weighted, sums);
  }
  return common;
}

ProtoWriter numbers_message(const Json& feature, double weight_of_rows) {
  const auto type = feature.at("type").get<std::string>();
  const std::int64_t nan = feature.value("nan", std::int64_t{0});
  ProtoWriter numbers;
  numbers.message(numbers_common, common_message(feature, weight_of_rows));
  put_number(numbers, numbers_mean, feature, "mean", type);
  put_number(numbers, numbers_deviation, feature, "std_dev", type);
  numbers.whole(numbers_zeros, feature.value("zeros", std::uint64_t{0}));
  put_number(numbers, numbers_min, feature, "min", type);
  put_number(numbers, numbers_median, feature, "median", type);
  put_number(numbers, numbers_max, feature, "max", type);
  const auto buckets = feature.find(feature.contains("time_histogram") ? "time_histogram" : "histogram");
  if (buckets != feature.end()) {
    numbers.message(numbers_histograms, histogram_message(*buckets, false, nan, type));
    numbers.message(numbers_histograms, histogram_message(quantile_buckets(feature), true, nan, type));
  }
  if (const auto weighted = feature.find("weighted"); weighted != feature.end()) {
    ProtoWriter own;
    put_number(own, weighted_number_mean, *weighted, "mean", type);
    put_number(own, weighted_number_deviation, *weighted, "std_dev", type);
    put_number(own, weighted_number_median, *weighted, "median", type);
    if (weighted->contains("histogram")) {
      own.message(weighted_number_histograms, histogram_message(weighted->at("histogram"), false, 0, type));
    }
    numbers.message(numbers_weighted, own);
  }
  return numbers;
}

using Counts = std::vector<std::pair<std::string, double>>;

/// Most frequent first, among equals the smaller value.
void put_frequencies(ProtoWriter& message, int field, Counts counts) {
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [value, count] : counts) {
    ProtoWriter one;
    one.text(frequency_value, value);
    one.number(frequency_count, count);
    message.message(field, one);
  }
}

Counts counts_in(const Json& list, const char* amount) {
  Counts counts;
  for (const Json& one : list) counts.emplace_back(one.at("value").get<std::string>(), one.at(amount).get<double>());
  return counts;
}

Counts truths(const Json& json) {
  return {{"false", json.at("false").get<double>()}, {"true", json.at("true").get<double>()}};
}

/// All values with their counts where they are known, else the most frequent.
Counts known_values(const Json& feature) {
  if (feature.at("type") == "bool") return truths(feature);
  Counts counts;
  if (const auto all = feature.find("value_counts"); all != feature.end()) {
    for (const Json& pair : *all) counts.emplace_back(pair.at(0).get<std::string>(), pair.at(1).get<double>());
  } else {
    counts = counts_in(feature.at("top_values"), "count");
  }
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return counts;
}

ProtoWriter ranks_message(const Counts& counts) {
  ProtoWriter ranks;
  std::uint64_t rank = 0;
  for (const auto& [value, count] : counts) {
    ProtoWriter one;
    one.whole(rank_low, rank);
    one.whole(rank_high, rank);
    one.text(rank_label, value);
    one.number(rank_count, count);
    ranks.message(ranks_buckets, one);
    ++rank;
  }
  return ranks;
}

ProtoWriter texts_message(const Json& feature, double weight_of_rows) {
  const bool truth = feature.at("type") == "bool";
  const Counts known = known_values(feature);
  ProtoWriter texts;
  texts.message(texts_common, common_message(feature, weight_of_rows));
  texts.whole(texts_unique, feature.at("unique").get<std::uint64_t>());
  put_frequencies(texts, texts_top, truth ? known : counts_in(feature.at("top_values"), "count"));
  if (const auto mean = feature.find("length_mean"); mean != feature.end()) {
    texts.single(texts_length, mean->get<float>());
  }
  texts.message(texts_ranks, ranks_message(known));
  if (const auto weighted = feature.find("weighted"); weighted != feature.end()) {
    ProtoWriter own;
    put_frequencies(own, weighted_text_top,
                    truth ? truths(*weighted) : counts_in(weighted->at("top_values"), "weight"));
    texts.message(texts_weighted, own);
  }
  return texts;
}

ProtoWriter feature_message(const Json& feature, double weight_of_rows) {
  const auto type = feature.at("type").get<std::string>();
  const bool moment = type == "date" || type == "time";
  ProtoWriter message;
  message.text(feature_name, feature.at("name").get<std::string>());
  if (type == "int" || type == "float" || moment) {
    message.whole(feature_type, type == "float" ? type_float : type_int);
    message.message(feature_numbers, numbers_message(feature, weight_of_rows));
  } else if (type == "string" || type == "bool") {
    message.whole(feature_type, type_string);
    message.message(feature_texts, texts_message(feature, weight_of_rows));
  } else {
    ProtoWriter content;
    content.message(struct_common, common_message(feature, weight_of_rows));
    message.whole(feature_type, type_struct);
    message.message(feature_struct, content);
  }
  if (moment || type == "bool") {
    ProtoWriter custom;
    custom.text(custom_name, custom_type_name);
    custom.text(custom_text, type);
    message.message(feature_custom, custom);
  }
  return message;
}

/// The sum of the weights of all rows; 0 without weights.
double weight_of(const Json& features, const std::string& weight) {
  for (const Json& feature : features) {
    if (!weight.empty() && feature.at("name") == weight) return feature.value("sum", 0.0);
  }
  return 0;
}

ProtoWriter path_message(const Json& name) {
  ProtoWriter path;
  path.text(path_step, name.get<std::string>());
  return path;
}

ProtoWriter dataset_message(const std::string& name, const Json& table, const std::string& weight) {
  const Json& features = table.at("features");
  const double weight_of_rows = weight_of(features, weight);
  ProtoWriter dataset;
  dataset.text(dataset_name, name);
  dataset.whole(dataset_rows, table.at("rows").get<std::uint64_t>());
  for (const Json& feature : features) {
    dataset.message(dataset_features, feature_message(feature, weight_of_rows));
  }
  dataset.number(dataset_weight, weight_of_rows);
  for (const Json& pair : table.value("cross", Json::array())) {
    if (!pair.contains("correlation") || pair["correlation"].is_null()) continue;
    ProtoWriter cross, both;
    both.single(cross_correlation, pair["correlation"].get<float>());
    both.single(cross_covariance, pair.at("covariance").get<float>());
    cross.message(cross_x, path_message(pair.at("x")));
    cross.message(cross_y, path_message(pair.at("y")));
    cross.whole(cross_count, pair.at("count").get<std::uint64_t>());
    cross.message(cross_numbers, both);
    dataset.message(dataset_cross, cross);
  }
  return dataset;
}

}  // namespace

Result<std::string> proto_of_statistics(const std::string& json, const std::string& dataset) {
  try {
    const Json table = Json::parse(json);
    const std::string weight = table.value("weight", "");
    ProtoWriter list;
    list.message(list_datasets, dataset_message(dataset, table, weight));
    for (const Json& slice : table.value("slices", Json::array())) {
      list.message(list_datasets, dataset_message(slice.at("name").get<std::string>(), slice, weight));
    }
    return list.bytes();
  } catch (const std::exception& thrown) {
    return Error{ErrorCode::invalid, std::string("read statistics.json: ") + thrown.what()};
  }
}

}  // namespace pipelined
