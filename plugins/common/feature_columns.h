// Columns of examples/1 as the 32-bit numbers that models are trained with and score.
//
// One conversion for training and for evaluation: null is not-a-number, false and true are 0 and 1,
// numbers are rounded to 32 bits, texts become codes by a function of the caller (a dictionary that
// grows, or one that is fixed).  Dates and times are no features.  This header knows nothing of
// models or files; the functions have no state and may be called from any thread.
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "operators/sdk.h"

namespace pipelined {

/// Where a column's numbers go: `target[row * stride]`.
struct NumberSink {
  float* target = nullptr;
  std::size_t stride = 1;

  float& at(std::int64_t row) const { return target[static_cast<std::size_t>(row) * stride]; }
};

/// The error for a column whose values cannot be used as `wanted` ("numbers", "categories").
Error wrong_column(const std::string& name, const arrow::DataType& type, const char* wanted);

/// Writes a number a row of a bool, int or float column.  A column of another type is an error that
/// names it, unless all its values are null.
Result<void> write_numbers(const std::string& name, const arrow::Array& values, NumberSink sink);

/// The same for a string column; `code_of(text)` gives the number of a text.
template <class CodeOf>
Result<void> write_codes(const std::string& name, const arrow::Array& values, CodeOf code_of,
                         NumberSink sink) {
  const bool text = values.type_id() == arrow::Type::STRING;
  if (!text && values.null_count() < values.length()) {
    return wrong_column(name, *values.type(), "categories");
  }
  for (std::int64_t row = 0; row < values.length(); ++row) {
    sink.at(row) = values.IsNull(row)
                       ? std::numeric_limits<float>::quiet_NaN()
                       : code_of(std::string_view(
                             static_cast<const arrow::StringArray&>(values).GetView(row)));
  }
  return {};
}

}  // namespace pipelined
