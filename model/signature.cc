#include "model/signature.h"

#include <array>
#include <utility>

namespace pipelined::model {
namespace {

constexpr std::array<std::pair<FeatureType, const char*>, 4> feature_types{{
    {FeatureType::boolean, "bool"},
    {FeatureType::integer, "int"},
    {FeatureType::real, "float"},
    {FeatureType::text, "string"},
}};

constexpr std::array<std::pair<Objective, const char*>, 4> objectives{{
    {Objective::binary_logistic, "binary:logistic"},
    {Objective::multi_softprob, "multi:softprob"},
    {Objective::squared_error, "reg:squarederror"},
    {Objective::poisson, "count:poisson"},
}};

template <class Pairs, class T>
const char* word_of(const Pairs& pairs, T value) {
  for (const auto& [candidate, word] : pairs) {
    if (candidate == value) return word;
  }
  return "";
}

template <class T, std::size_t size>
std::optional<T> value_of(const std::array<std::pair<T, const char*>, size>& pairs,
                          std::string_view name) {
  for (const auto& [value, word] : pairs) {
    if (word == name) return value;
  }
  return std::nullopt;
}

}  // namespace

const char* name_of(FeatureType type) { return word_of(feature_types, type); }
std::optional<FeatureType> feature_type(std::string_view name) {
  return value_of(feature_types, name);
}
const char* name_of(Objective objective) { return word_of(objectives, objective); }
std::optional<Objective> objective_of(std::string_view name) { return value_of(objectives, name); }

}  // namespace pipelined::model
