#include "plugins/common/column_types.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "plugins/common/arrow_result.h"

namespace pipelined {
namespace {

std::shared_ptr<arrow::DataType> examples_type(const arrow::DataType& type) {
  using arrow::Type;
  switch (type.id()) {
    case Type::INT8: case Type::INT16: case Type::INT32: case Type::INT64:
    case Type::UINT8: case Type::UINT16: case Type::UINT32: case Type::UINT64:
      return arrow::int64();
    case Type::HALF_FLOAT: case Type::FLOAT: case Type::DOUBLE:
      return arrow::float64();
    case Type::DECIMAL32: case Type::DECIMAL64: case Type::DECIMAL128: case Type::DECIMAL256:
      return static_cast<const arrow::DecimalType&>(type).scale() == 0 ? arrow::int64()
                                                                       : arrow::float64();
    case Type::BOOL: return arrow::boolean();
    case Type::STRING: case Type::LARGE_STRING: case Type::STRING_VIEW: case Type::NA:
      return arrow::utf8();
    case Type::DICTIONARY:
      return examples_type(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case Type::DATE32: case Type::DATE64: return arrow::date32();
    case Type::TIMESTAMP: {
      const bool zoned = !static_cast<const arrow::TimestampType&>(type).timezone().empty();
      return arrow::timestamp(arrow::TimeUnit::MICRO, zoned ? "UTC" : "");
    }
    default: return nullptr;
  }
}

Result<std::shared_ptr<arrow::DataType>> common_type(const std::string& column,
                                                     std::shared_ptr<arrow::DataType> a,
                                                     std::shared_ptr<arrow::DataType> b) {
  if (a->Equals(*b)) return a;
  const bool numbers = (a->id() == arrow::Type::INT64 && b->id() == arrow::Type::DOUBLE) ||
                       (a->id() == arrow::Type::DOUBLE && b->id() == arrow::Type::INT64);
  if (numbers) return arrow::float64();
  return Error{ErrorCode::invalid, "column '" + column + "' is " + a->ToString() +
                                       " in one input and " + b->ToString() +
                                       " in another; declare its type where it is ingested"};
}

Result<std::shared_ptr<arrow::Array>> cast_column(const std::string& name,
                                                  const std::shared_ptr<arrow::Array>& array,
                                                  const std::shared_ptr<arrow::DataType>& type) {
  if (array->type()->Equals(*type)) return array;
  if (array->type_id() == arrow::Type::NA) {
    return from_arrow("fill column '" + name + "'",
                      arrow::MakeArrayOfNull(type, array->length()));
  }
  static const arrow::Status kernels = arrow::compute::Initialize();
  if (!kernels.ok()) return arrow_error("load Arrow's casts", kernels);
  // Fractions of a microsecond are cut; anything else that would be lost is an error.
  arrow::compute::CastOptions options = arrow::compute::CastOptions::Safe(type);
  options.allow_time_truncate = true;
  options.allow_float_truncate = type->id() == arrow::Type::DOUBLE;
  auto cast = arrow::compute::Cast(*array, type, options);
  return from_arrow("convert column '" + name + "' from " + array->type()->ToString() + " to " +
                        type->ToString(), std::move(cast));
}

}  // namespace

const char* name_of(ColumnType type) {
  switch (type) {
    case ColumnType::integer: return "int";
    case ColumnType::number: return "float";
    case ColumnType::boolean: return "bool";
    case ColumnType::text: return "string";
    case ColumnType::date: return "date";
    case ColumnType::time: return "time";
  }
  return "string";
}

std::optional<ColumnType> column_type_named(std::string_view name) {
  for (const ColumnType type : {ColumnType::integer, ColumnType::number, ColumnType::boolean,
                                ColumnType::text, ColumnType::date, ColumnType::time}) {
    if (name == name_of(type)) return type;
  }
  return std::nullopt;
}

std::shared_ptr<arrow::DataType> arrow_type_of(ColumnType type) {
  switch (type) {
    case ColumnType::integer: return arrow::int64();
    case ColumnType::number: return arrow::float64();
    case ColumnType::boolean: return arrow::boolean();
    case ColumnType::text: return arrow::utf8();
    case ColumnType::date: return arrow::date32();
    case ColumnType::time: return arrow::timestamp(arrow::TimeUnit::MICRO);
  }
  return arrow::utf8();
}

std::optional<ColumnType> column_type_of(const arrow::DataType& type) {
  const std::shared_ptr<arrow::DataType> stored = examples_type(type);
  if (!stored) return std::nullopt;
  switch (stored->id()) {
    case arrow::Type::INT64: return ColumnType::integer;
    case arrow::Type::DOUBLE: return ColumnType::number;
    case arrow::Type::BOOL: return ColumnType::boolean;
    case arrow::Type::DATE32: return ColumnType::date;
    case arrow::Type::TIMESTAMP: return ColumnType::time;
    default: return ColumnType::text;
  }
}

Result<std::shared_ptr<arrow::Schema>> examples_schema(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    const std::shared_ptr<arrow::DataType> type = examples_type(*field->type());
    if (!type) {
      return Error{ErrorCode::unsupported,
                   "column '" + field->name() + "' is of type " + field->type()->ToString() +
                       "; examples hold int, float, bool, string, date and time: convert or leave "
                       "it out before"};
    }
    fields.push_back(arrow::field(field->name(), type));
  }
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::Schema>> union_schema(
    const std::vector<std::shared_ptr<arrow::Schema>>& schemas) {
  arrow::FieldVector fields;
  for (const auto& schema : schemas) {
    for (const auto& field : schema->fields()) {
      std::shared_ptr<arrow::Field>* known = nullptr;
      for (auto& candidate : fields) {
        if (candidate->name() == field->name()) known = &candidate;
      }
      if (!known) {
        fields.push_back(field);
        continue;
      }
      TRY(type, common_type(field->name(), (*known)->type(), field->type()));
      *known = (*known)->WithType(type);
    }
  }
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::RecordBatch>> conform(
    const arrow::RecordBatch& batch, const std::shared_ptr<arrow::Schema>& schema) {
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    std::shared_ptr<arrow::Array> column = batch.GetColumnByName(field->name());
    if (!column) {
      TRY(nulls, from_arrow("fill column '" + field->name() + "'",
                            arrow::MakeArrayOfNull(field->type(), batch.num_rows())));
      columns.push_back(std::move(nulls));
      continue;
    }
    TRY(converted, cast_column(field->name(), column, field->type()));
    columns.push_back(std::move(converted));
  }
  return arrow::RecordBatch::Make(schema, batch.num_rows(), std::move(columns));
}

}  // namespace pipelined
