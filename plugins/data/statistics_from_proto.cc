#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "plugins/common/protobuf_wire.h"
#include "plugins/data/moment_text.h"
#include "plugins/data/statistics_proto.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;
using namespace proto_fields;

/// As many values as statistics/1 lists with all their counts.
constexpr std::size_t complete_counts_max = 1000;

/// Calls `take` with each field of a message.
template <class Take>
void each_field(std::string_view message, const Take& take) {
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) take(field);
}

struct ReadBucket {
  double low = 0, high = 0, count = 0;
};

struct ReadHistogram {
  std::vector<ReadBucket> buckets;
  std::int64_t nan = 0;
  bool quantiles = false;
  double total() const {
    double sum = 0;
    for (const ReadBucket& bucket : buckets) sum += bucket.count;
    return sum;
  }
};

struct ReadValue {
  std::string text;
  double count = 0;
};

/// What a message says of one column, as far as statistics/1 has a word for it.
struct ReadFeature {
  std::string name, custom_type;
  int type = type_int;
  bool numbers = false, texts = false;
  std::int64_t present = 0, missing = 0, values = 0, zeros = 0, unique = 0;
  double mean = 0, deviation = 0, min = 0, median = 0, max = 0, length = 0;
  std::vector<ReadHistogram> histograms;
  std::vector<ReadValue> top, ranks;

  const ReadHistogram* histogram(bool quantiles) const {
    for (const ReadHistogram& one : histograms) {
      if (one.quantiles == quantiles && !one.buckets.empty()) return &one;
    }
    return nullptr;
  }
  std::string type_word() const {
    if (numbers && (custom_type == "date" || custom_type == "time")) return custom_type;
    if (texts && custom_type == "bool") return custom_type;
    if (!numbers && !texts) return "other";
    if (type == type_int) return "int";
    return numbers ? "float" : "string";
  }
};

/// How often: written as a number so that weights have a place too.
double amount(const ProtoField& field) {
  const double value = field.number_value();
  if (value >= 0 && value <= 9e15) return value;
  throw std::invalid_argument("field " + std::to_string(field.number) + " counts " + std::to_string(value));
}

ReadBucket read_bucket(std::string_view message) {
  ReadBucket bucket;
  each_field(message, [&](const ProtoField& field) {
    if (field.number == bucket_low) bucket.low = field.number_value();
    if (field.number == bucket_high) bucket.high = field.number_value();
    if (field.number == bucket_count) bucket.count = amount(field);
  });
  return bucket;
}

ReadHistogram read_histogram(std::string_view message) {
  ReadHistogram histogram;
  each_field(message, [&](const ProtoField& field) {
    if (field.number == histogram_nan) histogram.nan = field.count();
    if (field.number == histogram_buckets) histogram.buckets.push_back(read_bucket(field.text()));
    if (field.number == histogram_type) histogram.quantiles = field.count() == 1;
  });
  return histogram;
}

void read_common(std::string_view message, ReadFeature& feature) {
  each_field(message, [&](const ProtoField& field) {
    if (field.number == common_present) feature.present = field.count();
    if (field.number == common_missing) feature.missing = field.count();
    if (field.number == common_values) feature.values = field.count();
  });
}

void read_numbers(std::string_view message, ReadFeature& feature) {
  feature.numbers = true;
  each_field(message, [&](const ProtoField& field) {
    switch (field.number) {
      case numbers_common: return read_common(field.text(), feature);
      case numbers_mean: feature.mean = field.number_value(); return;
      case numbers_deviation: feature.deviation = field.number_value(); return;
      case numbers_zeros: feature.zeros = field.count(); return;
      case numbers_min: feature.min = field.number_value(); return;
      case numbers_median: feature.median = field.number_value(); return;
      case numbers_max: feature.max = field.number_value(); return;
      case numbers_histograms: feature.histograms.push_back(read_histogram(field.text())); return;
      default: return;
    }
  });
}

/// A value with its count, in the two shapes that it has.
ReadValue read_value(std::string_view message, int text_field, int count_field) {
  ReadValue value;
  each_field(message, [&](const ProtoField& field) {
    if (field.number == text_field) value.text = field.text();
    if (field.number == count_field) value.count = amount(field);
  });
  return value;
}

void read_texts(std::string_view message, ReadFeature& feature) {
  feature.texts = true;
  each_field(message, [&](const ProtoField& field) {
    switch (field.number) {
      case texts_common: return read_common(field.text(), feature);
      case texts_unique: feature.unique = field.count(); return;
      case texts_top: feature.top.push_back(read_value(field.text(), frequency_value, frequency_count)); return;
      case texts_length: feature.length = field.number_value(); return;
      case texts_ranks:
        return each_field(field.text(), [&](const ProtoField& rank) {
          if (rank.number == ranks_buckets) feature.ranks.push_back(read_value(rank.text(), rank_label, rank_count));
        });
      default: return;
    }
  });
}

std::string read_path(std::string_view message) {
  std::string path;
  each_field(message, [&](const ProtoField& field) {
    if (field.number == path_step) path.append(path.empty() ? "" : ".").append(field.text());
  });
  return path;
}

std::string read_custom_type(std::string_view message) {
  std::string name, text;
  each_field(message, [&](const ProtoField& field) {
    if (field.number == custom_name) name = field.text();
    if (field.number == custom_text) text = field.text();
  });
  return name == custom_type_name ? text : "";
}

ReadFeature read_feature(std::string_view message) {
  ReadFeature feature;
  each_field(message, [&](const ProtoField& field) {
    switch (field.number) {
      case feature_name: feature.name = field.text(); return;
      case feature_path: feature.name = read_path(field.text()); return;
      case feature_type: feature.type = static_cast<int>(std::min<std::int64_t>(field.count(), type_struct)); return;
      case feature_numbers: return read_numbers(field.text(), feature);
      case feature_texts: return read_texts(field.text(), feature);
      case feature_bytes:
      case feature_struct:  // both begin with what all have
        return each_field(field.text(), [&](const ProtoField& inner) {
          if (inner.number == bytes_common) read_common(inner.text(), feature);
          if (field.number == feature_bytes && inner.number == bytes_unique) feature.unique = inner.count();
        });
      case feature_custom:
        if (const std::string type = read_custom_type(field.text()); !type.empty()) feature.custom_type = type;
        return;
      default: return;
    }
  });
  return feature;
}

/// A place in the column as statistics/1 writes it: ints whole, dates and times as text.
Json written(double value, const std::string& type) {
  const bool moment = type == "date" || type == "time";
  const double far = type == "date" ? 2.9e6 : type == "time" ? 2.5e17 : 9e15;
  if (moment && !(std::abs(value) <= far)) {
    throw std::invalid_argument(std::to_string(value) + " is no " + type);
  }
  if (moment) {
    return moment_text(type == "date" ? ColumnType::date : ColumnType::time,
                       static_cast<std::int64_t>(std::floor(value)));
  }
  if (type == "int" && std::abs(value) <= far && value == std::floor(value)) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}

Json whole_if_it_is(double count) {
  return count == std::floor(count) ? Json(static_cast<std::int64_t>(count)) : Json(count);
}

/// Buckets may reach to infinity, where JSON has no word for it; the extremes stand there instead.
Json buckets_json(const ReadHistogram& histogram, const ReadFeature& feature) {
  const std::string type = feature.type_word();
  Json list = Json::array();
  for (const ReadBucket& bucket : histogram.buckets) {
    const double low = std::isfinite(bucket.low) ? bucket.low : feature.min;
    const double high = std::isfinite(bucket.high) ? bucket.high : feature.max;
    if (!std::isfinite(low) || !std::isfinite(high) || high < low) {
      throw std::invalid_argument("a bucket reaches from " + std::to_string(low) + " to " + std::to_string(high));
    }
    // Edges of ints may lie between two of them.
    const std::string edge = type == "int" ? "float" : type;
    list.push_back({{"low", written(low, edge)}, {"high", written(high, edge)},
                    {"count", whole_if_it_is(bucket.count)}});
  }
  return list;
}

Json quantiles_json(const ReadHistogram& histogram, const std::string& type) {
  Json quantiles = Json::array();
  const double total = histogram.total();
  double below = 0;
  for (const ReadBucket& bucket : histogram.buckets) {
    below += bucket.count;
    if (&bucket == &histogram.buckets.back() || total <= 0 || !std::isfinite(bucket.high)) break;
    quantiles.push_back({{"q", below / total}, {"value", written(bucket.high, type == "int" ? "float" : type)}});
  }
  return quantiles;
}

void put_numbers(Json& json, const ReadFeature& feature) {
  const std::string type = feature.type_word();
  const bool moment = type == "date" || type == "time";
  const ReadHistogram* histogram = feature.histogram(false);
  const ReadHistogram* quantiles = feature.histogram(true);
  const std::int64_t nan = histogram ? histogram->nan : 0;
  if (!moment) json["zeros"] = feature.zeros, json["nan"] = nan;
  if (feature.present <= nan) return;
  const auto put = [&](const char* key, double value, const std::string& as) {
    if (std::isfinite(value)) json[key] = written(value, as);
  };
  if (!moment) put("mean", feature.mean, "float"), put("std_dev", feature.deviation, "float");
  put("min", feature.min, type);
  put("max", feature.max, type);
  put("median", feature.median, moment ? type : "float");
  if (quantiles) json["quantiles"] = quantiles_json(*quantiles, type);
  if (quantiles && !moment) json["quantile_histogram"] = buckets_json(*quantiles, feature);
  if (histogram) json[moment ? "time_histogram" : "histogram"] = buckets_json(*histogram, feature);
}

/// A text, or the number that it stands for in a column of ints.
Json value_json(const std::string& text, const std::string& type) {
  if (type != "int") return text;
  std::size_t end = 0;
  try {
    const long long value = std::stoll(text, &end);
    if (end == text.size()) return value;
  } catch (const std::exception&) {
    end = 0;
  }
  throw std::invalid_argument("the value '" + text + "' of an int is none");
}

/// Whether the ranks name every value of every row.
bool complete(const ReadFeature& feature) {
  double sum = 0;
  for (const ReadValue& value : feature.ranks) sum += value.count;
  return feature.ranks.size() <= complete_counts_max && feature.unique == static_cast<std::int64_t>(feature.ranks.size()) &&
         sum == static_cast<double>(std::max(feature.values, feature.present));
}

void put_texts(Json& json, const ReadFeature& feature) {
  const std::string type = feature.type_word();
  if (type == "bool") {
    std::int64_t truths[2] = {0, 0};
    for (const ReadValue& value : feature.top) {
      if (value.text == "true" || value.text == "false") {
        truths[value.text == "true"] = static_cast<std::int64_t>(value.count);
      }
    }
    json["true"] = truths[1], json["false"] = truths[0];
    return;
  }
  json["unique"] = feature.unique;
  if (feature.length > 0 && std::isfinite(feature.length)) json["length_mean"] = feature.length;
  json["top_values"] = Json::array();
  for (const ReadValue& value : feature.top) {
    json["top_values"].push_back({{"value", value_json(value.text, type)}, {"count", whole_if_it_is(value.count)}});
  }
  if (!complete(feature)) return;
  json["value_counts"] = Json::array();
  for (const ReadValue& value : feature.ranks) {
    json["value_counts"].push_back({value_json(value.text, type), whole_if_it_is(value.count)});
  }
}

struct ReadDataset {
  std::string name;
  std::int64_t rows = 0;
  Json features = Json::array();
};

ReadDataset read_dataset(std::string_view message) {
  ReadDataset dataset;
  each_field(message, [&](const ProtoField& field) {
    if (field.number == dataset_name) dataset.name = field.text();
    if (field.number == dataset_rows) dataset.rows = field.count();
    if (field.number != dataset_features) return;
    const ReadFeature feature = read_feature(field.text());
    if (feature.name.empty()) throw std::invalid_argument("a feature has no name");
    Json json = {{"name", feature.name}, {"type", feature.type_word()}, {"count", feature.present},
                 {"missing", feature.missing}};
    try {
      if (feature.numbers) put_numbers(json, feature);
      if (feature.texts) put_texts(json, feature);
    } catch (const std::invalid_argument& thrown) {
      throw std::invalid_argument("feature " + feature.name + ": " + thrown.what());
    }
    dataset.features.push_back(std::move(json));
  });
  return dataset;
}

/// Which of the data sets is the table.  Throws where none or several could be meant.
std::size_t chosen(const std::vector<ReadDataset>& datasets, const std::string& name) {
  std::string names;
  const std::string wanted = name.empty() ? whole_dataset : name;
  for (std::size_t i = 0; i < datasets.size(); ++i) {
    if (datasets[i].name == wanted || (name.empty() && datasets.size() == 1)) return i;
    names += (names.empty() ? "" : ", ") + ("'" + datasets[i].name + "'");
  }
  if (datasets.empty()) throw std::invalid_argument("there is no data set in it");
  throw std::invalid_argument((name.empty() ? std::string("name one with `dataset`")
                                            : "there is no data set '" + name + "'") + "; it has " + names);
}

}  // namespace

Result<std::string> statistics_of_proto(std::string_view bytes, const ProtoChoice& choice) {
  try {
    std::vector<ReadDataset> datasets;
    each_field(bytes, [&](const ProtoField& field) {
      if (field.number == list_datasets) datasets.push_back(read_dataset(field.text()));
    });
    const std::size_t table = chosen(datasets, choice.dataset);
    Json json = {{"rows", datasets[table].rows}, {"features", datasets[table].features}};
    if (!choice.label.empty()) json["label"] = choice.label;
    for (std::size_t i = 0; choice.dataset.empty() && i < datasets.size(); ++i) {
      if (i == table) continue;
      json["slices"].push_back({{"name", datasets[i].name}, {"rows", datasets[i].rows},
                                {"features", datasets[i].features}});
    }
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  } catch (const std::exception& thrown) {
    return Error{ErrorCode::invalid, std::string("read a DatasetFeatureStatisticsList: ") + thrown.what()};
  }
}

}  // namespace pipelined
