#include "model/feature_spec.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace pipelined::model {
namespace {

using nlohmann::json;

constexpr std::array<std::pair<ColumnKind, const char*>, 6> kinds{{
    {ColumnKind::boolean, "bool"}, {ColumnKind::integer, "int"}, {ColumnKind::real, "float"},
    {ColumnKind::text, "string"}, {ColumnKind::date, "date"}, {ColumnKind::time, "time"}}};

constexpr std::array<std::pair<Impute, const char*>, 5> imputes{{
    {Impute::none, "none"}, {Impute::mean, "mean"}, {Impute::median, "median"},
    {Impute::most_frequent, "most_frequent"}, {Impute::constant, "constant"}}};

constexpr std::array<std::pair<Scale, const char*>, 4> scales{{
    {Scale::none, "none"}, {Scale::z_score, "z_score"}, {Scale::min_max, "min_max"},
    {Scale::robust, "robust"}}};

// Each method with the options that it takes.
struct MethodRow {
  Method method;
  const char* name;
  std::vector<const char*> options;
};

const std::vector<MethodRow>& methods() {
  static const std::vector<MethodRow> rows{
      {Method::number, "number",
       {"clip_min", "clip_max", "log", "impute", "fill", "indicator", "scale"}},
      {Method::buckets, "buckets", {"clip_min", "clip_max", "buckets", "boundaries", "missing"}},
      {Method::one_hot, "one_hot", {"top_k", "min_frequency", "categories", "other", "missing"}},
      {Method::multi_hot, "multi_hot",
       {"top_k", "min_frequency", "categories", "other", "delimiter"}},
      {Method::ordinal, "ordinal", {"categories"}},
      {Method::hashed, "hashed", {"buckets", "one_hot"}},
      {Method::vocabulary, "vocabulary", {"top_k", "min_frequency", "oov_buckets"}},
      {Method::label, "label", {"categories"}},
      {Method::date_parts, "date_parts", {"parts", "cycle"}},
      {Method::characters, "characters",
       {"length", "lower", "spaces", "digits", "top_k", "min_frequency", "categories"}},
      {Method::tokens, "tokens",
       {"length", "lower", "spaces", "digits", "least_characters", "top_k", "min_frequency"}},
      {Method::counts, "counts",
       {"lower", "spaces", "digits", "least_characters", "ngrams", "top_k", "min_frequency",
        "binary"}},
      {Method::tfidf, "tfidf",
       {"lower", "spaces", "digits", "least_characters", "ngrams", "top_k", "min_frequency",
        "sublinear"}},
      {Method::vectors, "vectors", {"lower", "digits", "least_characters"}},
      {Method::text_counts, "text_counts", {"parts", "least_characters"}},
  };
  return rows;
}

const MethodRow& row_of(Method method) {
  return methods()[static_cast<std::size_t>(method)];
}

constexpr std::array<std::string_view, 8> date_words{"year", "month", "day", "weekday", "hour",
                                                     "minute", "second", "day_of_year"};
constexpr std::array<std::string_view, 5> text_words{"characters", "words", "capitals", "digits",
                                                     "punctuation"};

// Reads the options of one feature; the first problem stays.
class EntryReader {
 public:
  EntryReader(const std::string& name, const json& entry) : name_(name), entry_(entry) {}

  Result<FeatureSpec> read() {
    FeatureSpec spec;
    spec.name = name_;
    if (!entry_.is_object()) return wrong("is no table");
    if (name_.empty()) return wrong("has an empty name");
    const MethodRow* row = method_row();
    if (!row) return wrong("needs \"method\", one of " + all_methods());
    spec.method = row->method;
    for (const auto& [key, value] : entry_.items()) {
      const bool known = key == "method" || key == "from" ||
                         std::find(row->options.begin(), row->options.end(), key) !=
                             row->options.end();
      if (!known) return wrong("does not take \"" + key + "\"; " + options_of(*row));
    }
    read_columns(spec);
    read_numbers(spec);
    read_words(spec);
    read_texts(spec);
    if (problem_) return *problem_;
    TRY_VOID(judge(spec));
    return spec;
  }

 private:
  Error wrong(const std::string& what) const {
    return {ErrorCode::invalid, "feature \"" + name_ + "\" " + what};
  }
  void note(const std::string& what) {
    if (!problem_) problem_ = wrong(what);
  }

  const MethodRow* method_row() const {
    const auto word = entry_.find("method");
    if (word == entry_.end() || !word->is_string()) return nullptr;
    for (const MethodRow& row : methods()) {
      if (word->get_ref<const std::string&>() == row.name) return &row;
    }
    return nullptr;
  }
  static std::string all_methods() {
    std::string text;
    for (const MethodRow& row : methods()) text += (text.empty() ? "" : ", ") + std::string(row.name);
    return text;
  }
  static std::string options_of(const MethodRow& row) {
    std::string text = std::string(row.name) + " takes from";
    for (const char* option : row.options) text += ", " + std::string(option);
    return text;
  }

  void read(const char* key, bool& target) {
    const auto found = entry_.find(key);
    if (found == entry_.end()) return;
    if (!found->is_boolean()) return note("needs true or false for \"" + std::string(key) + "\"");
    target = found->get<bool>();
  }
  void read(const char* key, std::int64_t& target, std::int64_t least) {
    const auto found = entry_.find(key);
    if (found == entry_.end()) return;
    if (!found->is_number_integer() || found->get<std::int64_t>() < least) {
      return note("needs a whole number of at least " + std::to_string(least) + " for \"" + key +
                  "\"");
    }
    target = found->get<std::int64_t>();
  }
  void read(const char* key, std::optional<double>& target) {
    const auto found = entry_.find(key);
    if (found == entry_.end()) return;
    if (!found->is_number()) return note("needs a number for \"" + std::string(key) + "\"");
    target = found->get<double>();
  }
  void read(const char* key, std::string& target) {
    const auto found = entry_.find(key);
    if (found == entry_.end()) return;
    if (!found->is_string()) return note("needs a text for \"" + std::string(key) + "\"");
    target = found->get<std::string>();
  }
  void read(const char* key, std::vector<std::string>& target) {
    const auto found = entry_.find(key);
    if (found == entry_.end()) return;
    target.clear();
    if (found->is_string()) return target.push_back(found->get<std::string>());
    for (const json& item : *found) {
      if (!found->is_array() || !item.is_string()) {
        return note("needs a list of texts for \"" + std::string(key) + "\"");
      }
      target.push_back(item.get<std::string>());
    }
    if (!found->is_array()) note("needs a list of texts for \"" + std::string(key) + "\"");
  }
  template <class T, std::size_t size>
  void read(const char* key, const std::array<std::pair<T, const char*>, size>& words, T& target) {
    std::string word;
    read(key, word);
    if (word.empty()) return;
    std::string all;
    for (const auto& [value, name] : words) {
      if (word == name) {
        target = value;
        return;
      }
      all += (all.empty() ? "" : ", ") + std::string(name);
    }
    note("has \"" + std::string(key) + "\" = \"" + word + "\", which is none of " + all);
  }

  void read_columns(FeatureSpec& spec) {
    spec.from = {name_};
    read("from", spec.from);
    if (spec.from.empty()) note("has an empty \"from\"");
  }

  void read_numbers(FeatureSpec& spec) {
    read("clip_min", spec.clip_min);
    read("clip_max", spec.clip_max);
    read("log", spec.log);
    read("impute", imputes, spec.impute);
    std::optional<double> fill;
    read("fill", fill);
    if (fill.has_value() != (spec.impute == Impute::constant)) {
      note("takes \"fill\" with impute = \"constant\" and only then");
    }
    spec.fill = fill.value_or(0);
    read("indicator", spec.indicator);
    read("scale", scales, spec.scale);
    read("buckets", spec.buckets, spec.method == Method::hashed ? 1 : 2);
    read_boundaries(spec);
  }

  void read_boundaries(FeatureSpec& spec) {
    const auto found = entry_.find("boundaries");
    if (found == entry_.end()) return;
    for (const json& item : *found) {
      if (!found->is_array() || !item.is_number()) return note("needs numbers for \"boundaries\"");
      spec.boundaries.push_back(item.get<double>());
    }
    const bool rising = std::adjacent_find(spec.boundaries.begin(), spec.boundaries.end(),
                                           std::greater_equal<>()) == spec.boundaries.end();
    if (spec.boundaries.empty() || !rising) note("needs \"boundaries\" that rise");
    spec.buckets = static_cast<std::int64_t>(spec.boundaries.size()) + 1;
  }

  void read_words(FeatureSpec& spec) {
    read("top_k", spec.top_k, 1);
    read("min_frequency", spec.min_frequency, 1);
    read("oov_buckets", spec.oov_buckets, 0);
    read("other", spec.other);
    read("missing", spec.missing);
    read("categories", spec.categories);
    read("delimiter", spec.delimiter);
    read("cycle", spec.cycle);
    if (spec.method == Method::date_parts) spec.parts = {"year", "month", "day", "weekday"};
    if (spec.method == Method::text_counts) spec.parts = {"characters", "words"};
    read("parts", spec.parts);
  }

  void read_texts(FeatureSpec& spec) {
    if (spec.method == Method::vectors) spec.rules.lower = true;
    read("lower", spec.rules.lower);
    read("spaces", spec.rules.spaces);
    read("digits", spec.rules.digits);
    read("length", spec.length, 1);
    read("least_characters", spec.least_characters, 1);
    read("binary", spec.binary);
    read("sublinear", spec.sublinear);
    read("one_hot", spec.spread);
    const auto grams = entry_.find("ngrams");
    if (grams == entry_.end()) return;
    const bool pair = grams->is_array() && grams->size() == 2 && (*grams)[0].is_number_integer() &&
                      (*grams)[1].is_number_integer();
    if (!pair) return note("needs two numbers for \"ngrams\", such as [1, 2]");
    spec.ngram_low = (*grams)[0].get<std::int64_t>();
    spec.ngram_high = (*grams)[1].get<std::int64_t>();
    if (spec.ngram_low < 1 || spec.ngram_high < spec.ngram_low || spec.ngram_high > 5) {
      note("needs \"ngrams\" from 1 to at most 5, the smaller first");
    }
  }

  Result<void> judge(const FeatureSpec& spec) const {
    const bool crosses = spec.method == Method::one_hot || spec.method == Method::ordinal ||
                         spec.method == Method::hashed || spec.method == Method::vocabulary;
    if (spec.from.size() > 1 && !crosses) {
      return wrong("is made from one column; one_hot, ordinal, hashed and vocabulary cross several");
    }
    if (spec.clip_min && spec.clip_max && *spec.clip_min > *spec.clip_max) {
      return wrong("has a clip_min above its clip_max");
    }
    const bool sequence = spec.method == Method::characters || spec.method == Method::tokens;
    if (sequence && spec.length == 0) return wrong("needs \"length\": how many indices there are");
    if (std::set<std::string>(spec.categories.begin(), spec.categories.end()).size() !=
        spec.categories.size()) {
      return wrong("names a category twice");
    }
    if (spec.method == Method::date_parts) return judge_parts(spec, date_words);
    if (spec.method == Method::text_counts) return judge_parts(spec, text_words);
    return {};
  }
  template <std::size_t size>
  Result<void> judge_parts(const FeatureSpec& spec,
                           const std::array<std::string_view, size>& words) const {
    for (const std::string& part : spec.parts) {
      if (std::find(words.begin(), words.end(), part) != words.end()) continue;
      return wrong("has no part \"" + part + "\"");
    }
    if (spec.parts.empty()) return wrong("has no \"parts\"");
    return {};
  }

  const std::string& name_;
  const json& entry_;
  std::optional<Error> problem_;
};

template <class T, std::size_t size>
const char* word_of(const std::array<std::pair<T, const char*>, size>& words, T value) {
  return words[static_cast<std::size_t>(value)].second;
}

json option_json(const FeatureSpec& spec, const std::string& option) {
  const auto number = [](const std::optional<double>& value) {
    return value ? json(*value) : json(nullptr);
  };
  if (option == "clip_min") return number(spec.clip_min);
  if (option == "clip_max") return number(spec.clip_max);
  if (option == "log") return spec.log;
  if (option == "impute") return word_of(imputes, spec.impute);
  if (option == "fill") return spec.impute == Impute::constant ? json(spec.fill) : json(nullptr);
  if (option == "indicator") return spec.indicator;
  if (option == "scale") return word_of(scales, spec.scale);
  if (option == "buckets") return spec.boundaries.empty() ? json(spec.buckets) : json(nullptr);
  if (option == "boundaries") return spec.boundaries.empty() ? json(nullptr) : json(spec.boundaries);
  if (option == "top_k") return spec.top_k > 0 ? json(spec.top_k) : json(nullptr);
  if (option == "min_frequency") return spec.min_frequency;
  if (option == "oov_buckets") return spec.oov_buckets;
  if (option == "other") return spec.other;
  if (option == "missing") return spec.missing;
  if (option == "categories") return spec.categories.empty() ? json(nullptr) : json(spec.categories);
  if (option == "delimiter") return spec.delimiter;
  if (option == "parts") return spec.parts;
  if (option == "cycle") return spec.cycle;
  if (option == "lower") return spec.rules.lower;
  if (option == "spaces") return spec.rules.spaces;
  if (option == "digits") return spec.rules.digits;
  if (option == "length") return spec.length;
  if (option == "least_characters") return spec.least_characters;
  if (option == "ngrams") return json{spec.ngram_low, spec.ngram_high};
  if (option == "binary") return spec.binary;
  if (option == "sublinear") return spec.sublinear;
  if (option == "one_hot") return spec.spread;
  return nullptr;
}

}  // namespace

const char* name_of(ColumnKind kind) { return word_of(kinds, kind); }

std::optional<ColumnKind> column_kind(std::string_view name) {
  for (const auto& [kind, word] : kinds) {
    if (word == name) return kind;
  }
  return std::nullopt;
}

const char* name_of(Method method) { return row_of(method).name; }

bool FeatureSpec::counts_words() const {
  switch (method) {
    case Method::one_hot:
    case Method::multi_hot:
    case Method::ordinal:
    case Method::label:
    case Method::characters: return categories.empty();
    case Method::vocabulary:
    case Method::tokens:
    case Method::counts:
    case Method::tfidf: return true;
    default: return false;
  }
}

bool FeatureSpec::counts_numbers() const {
  if (method == Method::buckets) return boundaries.empty();
  return method == Method::number && (scale == Scale::robust || impute == Impute::median ||
                                      impute == Impute::most_frequent);
}

Result<std::vector<FeatureSpec>> parse_features(std::string_view text) {
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object() || document.empty()) {
    return Error{ErrorCode::invalid, "\"features\" is no table of features with their methods"};
  }
  std::vector<FeatureSpec> features;
  for (const auto& [name, entry] : document.items()) {
    TRY(spec, EntryReader(name, entry).read());
    features.push_back(std::move(spec));
  }
  return features;
}

std::string features_json(const std::vector<FeatureSpec>& features) {
  json document = json::object();
  for (const FeatureSpec& spec : features) {
    json entry{{"method", name_of(spec.method)}, {"from", spec.from}};
    for (const char* option : row_of(spec.method).options) {
      json value = option_json(spec, option);
      if (!value.is_null()) entry[option] = std::move(value);
    }
    document[spec.name] = std::move(entry);
  }
  return document.dump();
}

}  // namespace pipelined::model
