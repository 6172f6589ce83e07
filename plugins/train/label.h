// The column that is learned: which objective fits it, and its values as numbers.
//
// Shared by all trainings, so that they agree on what a label may be.  Knows nothing of features.
// Functions without state.
#pragma once

#include <arrow/type_fwd.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "model/signature.h"
#include "operators/sdk.h"
#include "plugins/common/feature_columns.h"

namespace pipelined::train {

/// The type of a column as models see it; nothing for dates and times.
std::optional<model::FeatureType> feature_type_of(const arrow::DataType& type);

/// "parameter P names column C, which the examples do not have".
Error no_column(const std::string& parameter, const std::string& name);

/// The label of that name, without classes; an error if it is not there or is no label.
Result<model::Label> choose_label(const arrow::Schema& schema, const std::string& name);

/// The objective asked for if it fits the label, or the one of the label's type.
Result<model::Objective> choose_objective(const model::Label& label,
                                          std::optional<model::Objective> wanted);

/// Labels as 0 and 1, as class codes or as values; not-a-number for null.  `class_of` gives the code
/// of a class by its word.
Result<void> write_labels(const model::Label& label, bool classes, const arrow::Array& values,
                          const std::function<float(std::string_view)>& class_of, NumberSink sink);

/// An error if one of the numbers is infinite.
Result<void> refuse_infinite(const std::string& name, NumberSink sink, std::int64_t rows);

/// Orders the words of classes that are whole numbers.
bool by_number(const std::string& left, const std::string& right);

}  // namespace pipelined::train
