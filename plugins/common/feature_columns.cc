#include "plugins/common/feature_columns.h"

namespace pipelined {
namespace {

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

template <class Array>
void write_all(const Array& values, NumberSink sink) {
  for (std::int64_t row = 0; row < values.length(); ++row) {
    sink.at(row) = values.IsNull(row) ? missing : static_cast<float>(values.Value(row));
  }
}

}  // namespace

Error wrong_column(const std::string& name, const arrow::DataType& type, const char* wanted) {
  return {ErrorCode::invalid, "column \"" + name + "\" is of type " + type.ToString() +
                                  " and cannot be used as " + wanted};
}

Result<void> write_numbers(const std::string& name, const arrow::Array& values, NumberSink sink) {
  switch (values.type_id()) {
    case arrow::Type::BOOL:
      write_all(static_cast<const arrow::BooleanArray&>(values), sink);
      return {};
    case arrow::Type::INT64:
      write_all(static_cast<const arrow::Int64Array&>(values), sink);
      return {};
    case arrow::Type::DOUBLE:
      write_all(static_cast<const arrow::DoubleArray&>(values), sink);
      return {};
    default:
      if (values.null_count() < values.length()) {
        return wrong_column(name, *values.type(), "numbers");
      }
      for (std::int64_t row = 0; row < values.length(); ++row) sink.at(row) = missing;
      return {};
  }
}

}  // namespace pipelined
