#include "model/transform.h"

#include <algorithm>
#include <set>

#include "model/column_values.h"

namespace pipelined::model {
namespace {

bool has_cycle(const std::string& part) { return part != "year"; }

}  // namespace

Result<Transform> Transform::make(std::vector<ColumnInput> columns,
                                  std::vector<FeatureSpec> features, std::vector<Fitted> fitted,
                                  std::shared_ptr<const WordVectors> vectors) {
  CHECK(features.size() == fitted.size());
  Transform transform;
  transform.features_ = std::move(features);
  transform.fitted_ = std::move(fitted);
  transform.vectors_ = std::move(vectors);
  for (std::size_t i = 0; i < transform.features_.size(); ++i) {
    const FeatureSpec& spec = transform.features_[i];
    auto& inputs = spec.method == Method::label ? transform.label_inputs_ : transform.inputs_;
    if (spec.method == Method::vectors && !transform.vectors_) {
      return Error{ErrorCode::invalid, "feature \"" + spec.name + "\" needs word vectors: give a "
                                           "file in the format of word2vec or GloVe"};
    }
    Place place;
    place.first = static_cast<std::uint32_t>(transform.outputs_.size());
    place.index = WordIndex(transform.fitted_[i].words);
    for (const std::string& name : spec.from) {
      const auto named = [&](const ColumnInput& column) { return column.name == name; };
      const auto column = std::find_if(columns.begin(), columns.end(), named);
      if (column == columns.end()) {
        return Error{ErrorCode::invalid,
                     "feature \"" + spec.name + "\" reads column \"" + name +
                         "\", which the transform does not have"};
      }
      auto known = std::find_if(inputs.begin(), inputs.end(), named);
      if (known == inputs.end()) known = inputs.insert(inputs.end(), *column);
      place.cells.push_back(static_cast<std::size_t>(known - inputs.begin()));
      place.columns.push_back(*column);
    }
    transform.places_.push_back(std::move(place));
    if (spec.method != Method::label) transform.add_outputs(i);
  }
  std::set<std::string_view> names;
  for (const Output& output : transform.outputs_) {
    if (names.insert(output.name).second) continue;
    return Error{ErrorCode::invalid, "two outputs of the transform are called \"" + output.name +
                                         "\"; rename a feature"};
  }
  return transform;
}

void Transform::add_outputs(std::size_t feature) {
  const FeatureSpec& spec = features_[feature];
  const Fitted& fit = fitted_[feature];
  const auto add = [&](const std::string& name, bool whole = true) {
    outputs_.push_back({name, whole});
  };
  const auto add_words = [&](bool whole) {
    for (const std::string& word : fit.words) add(spec.name + "=" + readable_word(word), whole);
    if (spec.other) add(spec.name + "=(other)");
    if (spec.missing) add(spec.name + "=(missing)");
  };
  const auto add_numbered = [&](std::size_t count, bool whole) {
    for (std::size_t i = 0; i < count; ++i) add(spec.name + "." + std::to_string(i), whole);
  };
  switch (spec.method) {
    case Method::number:
      add(spec.name, false);
      if (spec.indicator) add(spec.name + ".missing");
      return;
    case Method::one_hot:
    case Method::multi_hot:
    case Method::counts: return add_words(true);
    case Method::tfidf: return add_words(false);
    case Method::buckets:
    case Method::ordinal:
    case Method::vocabulary: return add(spec.name);
    case Method::hashed:
      if (!spec.spread) return add(spec.name);
      return add_numbered(static_cast<std::size_t>(spec.buckets), true);
    case Method::characters:
    case Method::tokens: return add_numbered(static_cast<std::size_t>(spec.length), true);
    case Method::vectors: return add_numbered(vectors_->width(), false);
    case Method::text_counts:
      for (const std::string& part : spec.parts) add(spec.name + "." + part);
      return;
    case Method::date_parts:
      for (const std::string& part : spec.parts) {
        const bool circle = spec.cycle && has_cycle(part);
        if (!circle) add(spec.name + "." + part);
        if (circle) add(spec.name + "." + part + ".sin", false);
        if (circle) add(spec.name + "." + part + ".cos", false);
      }
      return;
    case Method::label: return;
  }
}

std::vector<std::string> Transform::labels() const {
  std::vector<std::string> names;
  for (const FeatureSpec& spec : features_) {
    if (spec.method == Method::label) names.push_back(spec.name);
  }
  return names;
}

Result<void> Transform::label_row(std::span<const Cell> cells,
                                  std::vector<double>& classes) const {
  CHECK(cells.size() == label_inputs_.size());
  classes.clear();
  for (std::size_t i = 0; i < features_.size(); ++i) {
    if (features_[i].method != Method::label) continue;
    const Place& place = places_[i];
    TRY(word, word_of(cells[place.cells.front()], place.columns.front()));
    const std::size_t at = word ? place.index.find(*word) : WordIndex::none;
    classes.push_back(at == WordIndex::none ? Fitted::missing_value : static_cast<double>(at));
  }
  return {};
}

}  // namespace pipelined::model
