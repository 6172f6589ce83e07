// transform.json and analysis.json, read and written.  The only file that knows their keys.
#include <algorithm>
#include <cmath>
#include <exception>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "model/analysis.h"
#include "model/transform.h"

namespace pipelined::model {
namespace {

using nlohmann::json;

constexpr const char* vectors_file = "vectors.txt";

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(stream), {});
  if (stream) return bytes;
  return Error{ErrorCode::io, "cannot read " + path.filename().string() + " of the transform"};
}

Result<void> write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  if (stream.flush()) return {};
  return Error{ErrorCode::io, "cannot write " + path.filename().string()};
}

Error wrong(const std::string& file, const std::string& what) {
  return {ErrorCode::corrupt, "cannot read " + file + ": " + what};
}

// Not-a-number is null, as JSON has no word for it.
json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }
double number_in(const json& value) {
  return value.is_null() ? Fitted::missing_value : value.get<double>();
}

json columns_json(const std::vector<ColumnInput>& columns) {
  json list = json::array();
  for (const ColumnInput& column : columns) {
    list.push_back({{"name", column.name}, {"type", name_of(column.kind)}});
  }
  return list;
}

std::vector<ColumnInput> columns_in(const json& list) {
  std::vector<ColumnInput> columns;
  for (const json& entry : list) {
    const auto kind = column_kind(entry.at("type").get_ref<const std::string&>());
    if (!kind) throw std::runtime_error("a column has an unknown type");
    columns.push_back({entry.at("name").get<std::string>(), *kind});
  }
  return columns;
}

json fitted_json(const FeatureSpec& spec, const Fitted& fit) {
  json entry{{"rows", fit.rows}, {"missing", fit.missing}};
  if (spec.method == Method::number) {
    entry["center"] = fit.center;
    entry["scale"] = fit.scale;
    entry["fill"] = number(fit.fill);
  }
  if (spec.method == Method::buckets) entry["boundaries"] = fit.boundaries;
  if (!fit.words.empty()) entry["words"] = fit.words;
  if (spec.method == Method::tfidf) entry["weights"] = fit.weights;
  return entry;
}

Fitted fitted_in(const FeatureSpec& spec, const json& entry) {
  Fitted fit;
  fit.rows = entry.at("rows").get<std::int64_t>();
  fit.missing = entry.at("missing").get<std::int64_t>();
  if (spec.method == Method::number) {
    fit.center = entry.at("center").get<double>();
    fit.scale = entry.at("scale").get<double>();
    fit.fill = number_in(entry.at("fill"));
    if (!(fit.scale > 0)) throw std::runtime_error("a scale is not above 0");
  }
  if (spec.method == Method::buckets) {
    fit.boundaries = entry.at("boundaries").get<std::vector<double>>();
  }
  if (entry.contains("words")) fit.words = entry.at("words").get<std::vector<std::string>>();
  if (spec.method == Method::tfidf) {
    fit.weights = entry.at("weights").get<std::vector<double>>();
    if (fit.weights.size() != fit.words.size()) throw std::runtime_error("weights without words");
  }
  return fit;
}

json facts_json(const FeatureSpec& spec, const FeatureFacts& facts) {
  json entry{{"rows", facts.rows}, {"missing", facts.missing}};
  if (spec.measures()) {
    entry["sum"] = facts.sum.digits();
    entry["squares"] = facts.squares.digits();
    entry["least"] = number(facts.least);
    entry["most"] = number(facts.most);
  }
  if (spec.counts_numbers()) {
    entry["dropped_bits"] = facts.values.dropped_bits();
    entry["values"] = facts.values.entries();
  }
  if (spec.counts_words()) {
    std::map<std::string, json> sorted;
    for (const auto& [word, count] : facts.words) sorted[word] = {count.total, count.rows};
    entry["words"] = sorted;
  }
  return entry;
}

FeatureFacts facts_in(const FeatureSpec& spec, const json& entry) {
  FeatureFacts facts;
  facts.rows = entry.at("rows").get<std::int64_t>();
  facts.missing = entry.at("missing").get<std::int64_t>();
  if (spec.measures()) {
    for (auto [key, target] : {std::pair("sum", &facts.sum), std::pair("squares", &facts.squares)}) {
      auto sum = ExactSum::from_digits(entry.at(key).get<std::vector<std::int64_t>>());
      if (!sum) throw std::runtime_error(sum.error().message);
      *target = *sum;
    }
    if (!entry.at("least").is_null()) facts.least = entry.at("least").get<double>();
    if (!entry.at("most").is_null()) facts.most = entry.at("most").get<double>();
  }
  if (spec.counts_numbers()) {
    const auto entries =
        entry.at("values").get<std::vector<std::pair<std::uint64_t, std::int64_t>>>();
    facts.values = ValueCounts::restore(entry.at("dropped_bits").get<int>(), entries);
  }
  if (spec.counts_words()) {
    for (const auto& [word, counts] : entry.at("words").items()) {
      facts.words[word] = {counts.at(0).get<std::int64_t>(), counts.at(1).get<std::int64_t>()};
    }
  }
  return facts;
}

}  // namespace

std::string Transform::json_text() const {
  json document{{"format", "transform/1"},
                {"inputs", columns_json(inputs_)},
                {"label_inputs", columns_json(label_inputs_)},
                {"features", json::parse(features_json(features_))},
                {"fitted", json::object()},
                {"outputs", json::array()}};
  for (std::size_t i = 0; i < features_.size(); ++i) {
    document["fitted"][features_[i].name] = fitted_json(features_[i], fitted_[i]);
  }
  for (const Output& output : outputs_) {
    document["outputs"].push_back(
        {{"name", output.name}, {"type", output.whole ? "int" : "float"}});
  }
  if (vectors_) document["vectors"] = vectors_file;
  return document.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<void> Transform::save(const std::filesystem::path& folder) const {
  TRY_VOID(write_file(folder / "transform.json", json_text()));
  if (!vectors_) return {};
  return write_file(folder / vectors_file, vectors_->text());
}

Result<Transform> Transform::load(const std::filesystem::path& folder) {
  TRY(text, read_file(folder / "transform.json"));
  std::shared_ptr<const WordVectors> vectors;
  try {
    const json document = json::parse(text);
    if (document.at("format") != "transform/1") {
      return wrong("transform.json", "its format is " + document.at("format").dump() +
                                         "; this program reads transform/1");
    }
    if (document.contains("vectors")) {
      TRY(bytes, read_file(folder / vectors_file));
      TRY(parsed, WordVectors::parse(bytes));
      vectors = std::make_shared<const WordVectors>(std::move(parsed));
    }
    TRY(features, parse_features(document.at("features").dump()));
    std::vector<Fitted> fitted;
    for (const FeatureSpec& spec : features) {
      fitted.push_back(fitted_in(spec, document.at("fitted").at(spec.name)));
    }
    auto columns = columns_in(document.at("inputs"));
    const auto labels = columns_in(document.at("label_inputs"));
    columns.insert(columns.end(), labels.begin(), labels.end());
    return make(std::move(columns), std::move(features), std::move(fitted), std::move(vectors));
  } catch (const std::exception& thrown) {
    return wrong("transform.json", thrown.what());
  }
}

std::string Analysis::json_text() const {
  json document{{"format", "analysis/1"},
                {"columns", columns_json(columns_)},
                {"features", json::parse(features_json(features_))},
                {"facts", json::object()}};
  for (std::size_t i = 0; i < features_.size(); ++i) {
    document["facts"][features_[i].name] = facts_json(features_[i], facts_[i]);
  }
  return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Analysis> Analysis::parse(std::string_view text) {
  try {
    const json document = json::parse(text);
    if (document.at("format") != "analysis/1") return wrong("analysis.json", "unknown format");
    TRY(features, parse_features(document.at("features").dump()));
    const auto columns = columns_in(document.at("columns"));
    TRY(analysis, begin(std::move(features), columns));
    for (std::size_t i = 0; i < analysis.features_.size(); ++i) {
      const FeatureSpec& spec = analysis.features_[i];
      analysis.facts_[i] = facts_in(spec, document.at("facts").at(spec.name));
    }
    return analysis;
  } catch (const std::exception& thrown) {
    return wrong("analysis.json", thrown.what());
  }
}

}  // namespace pipelined::model
