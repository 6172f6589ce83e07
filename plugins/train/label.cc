#include "plugins/train/label.h"

#include <arrow/type.h>

#include <cmath>

#include "model/encoding.h"

namespace pipelined::train {

using model::FeatureType;
using model::Label;
using model::Objective;

std::optional<FeatureType> feature_type_of(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL: return FeatureType::boolean;
    case arrow::Type::INT64: return FeatureType::integer;
    case arrow::Type::DOUBLE: return FeatureType::real;
    case arrow::Type::STRING: return FeatureType::text;
    default: return std::nullopt;
  }
}

Error no_column(const std::string& parameter, const std::string& name) {
  return {ErrorCode::invalid, "parameter \"" + parameter + "\" names column \"" + name +
                                  "\", which the examples do not have"};
}

Result<Label> choose_label(const arrow::Schema& schema, const std::string& name) {
  const auto field = schema.GetFieldByName(name);
  if (!field) return no_column("label", name);
  const auto type = feature_type_of(*field->type());
  if (!type) return wrong_column(name, *field->type(), "a label");
  return Label{name, *type, {}};
}

Result<Objective> choose_objective(const Label& label, std::optional<Objective> wanted) {
  Objective by_type = Objective::squared_error;
  if (label.type == FeatureType::boolean) by_type = Objective::binary_logistic;
  if (label.type == FeatureType::text) by_type = Objective::multi_softprob;
  const Objective objective = wanted.value_or(by_type);
  const bool number = label.type == FeatureType::integer || label.type == FeatureType::real;
  const bool fits = objective == by_type || label.type == FeatureType::integer ||
                    (number && objective == Objective::poisson);
  if (fits) return objective;
  return Error{ErrorCode::invalid, "label \"" + label.name + "\" is of type " +
                                       name_of(label.type) + " and cannot be learned as " +
                                       name_of(objective)};
}

Result<void> refuse_infinite(const std::string& name, NumberSink sink, std::int64_t rows) {
  for (std::int64_t row = 0; row < rows; ++row) {
    if (std::isinf(sink.at(row))) {
      return Error{ErrorCode::invalid, "column \"" + name +
                                           "\" holds a number that is infinite or too large for "
                                           "32 bits; models cannot be trained with it"};
    }
  }
  return {};
}

Result<void> write_labels(const Label& label, bool classes, const arrow::Array& values,
                          const std::function<float(std::string_view)>& class_of,
                          NumberSink sink) {
  if (label.type == FeatureType::text) return write_codes(label.name, values, class_of, sink);
  if (!classes || values.type_id() != arrow::Type::INT64) {
    TRY_VOID(write_numbers(label.name, values, sink));
    return refuse_infinite(label.name, sink, values.length());
  }
  const auto& numbers = static_cast<const arrow::Int64Array&>(values);
  for (std::int64_t row = 0; row < numbers.length(); ++row) {
    sink.at(row) =
        numbers.IsNull(row) ? model::missing : class_of(std::to_string(numbers.Value(row)));
  }
  return {};
}

bool by_number(const std::string& left, const std::string& right) {
  return std::stoll(left) < std::stoll(right);
}

}  // namespace pipelined::train
