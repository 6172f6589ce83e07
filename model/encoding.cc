#include "model/encoding.h"

#include <cmath>
#include <optional>

namespace pipelined::model {
namespace {

const char* kind_of(const Cell& cell) {
  switch (cell.index()) {
    case 0: return "nothing";
    case 1: return "true or false";
    case 2: return "an integer";
    case 3: return "a number";
    default: return "a text";
  }
}

// The number for a cell of a feature that is no category; nothing if the kinds do not go together.
std::optional<float> number_of(const Cell& cell, FeatureType type) {
  if (std::holds_alternative<std::monostate>(cell)) return missing;
  if (const auto* flag = std::get_if<bool>(&cell)) {
    return type == FeatureType::boolean ? std::optional(*flag ? 1.0F : 0.0F) : std::nullopt;
  }
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) {
    if (type == FeatureType::boolean && *integer != 0 && *integer != 1) return std::nullopt;
    return static_cast<float>(*integer);
  }
  if (const auto* real = std::get_if<double>(&cell)) {
    if (std::isnan(*real)) return missing;
    if (type == FeatureType::real) return static_cast<float>(*real);
    const bool whole = std::trunc(*real) == *real && std::isfinite(*real);
    if (type == FeatureType::integer && whole) return static_cast<float>(*real);
  }
  return std::nullopt;
}

}  // namespace

CategoryCodes::CategoryCodes(const std::vector<std::string>& categories) {
  codes_.reserve(categories.size());
  for (std::size_t i = 0; i < categories.size(); ++i) {
    codes_.emplace(categories[i], static_cast<float>(i));
  }
}

Encoder::Encoder(Signature signature) : signature_(std::move(signature)) {
  slots_.resize(signature_.features.size());
  for (std::size_t i = 0; i < signature_.features.size(); ++i) {
    if (signature_.features[i].type != FeatureType::text) continue;
    slots_[i] = codes_.size();
    codes_.emplace_back(signature_.features[i].categories);
  }
}

Result<void> Encoder::encode_row(std::span<const Cell> cells, std::span<float> row) const {
  CHECK(cells.size() == signature_.features.size() && row.size() == cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Feature& feature = signature_.features[i];
    const Cell& cell = cells[i];
    std::optional<float> number;
    if (feature.type == FeatureType::text) {
      if (const auto* text = std::get_if<std::string_view>(&cell)) number = codes(i).code(*text);
      if (std::holds_alternative<std::monostate>(cell)) number = missing;
    } else {
      number = number_of(cell, feature.type);
    }
    if (!number) {
      return Error{ErrorCode::invalid, "feature \"" + feature.name + "\" is of type " +
                                           name_of(feature.type) + " and got " + kind_of(cell)};
    }
    row[i] = *number;
  }
  return {};
}

}  // namespace pipelined::model
