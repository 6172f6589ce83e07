#include "plugins/common/row_cells.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <optional>

namespace pipelined {
namespace {

using model::Cell;
using model::ColumnKind;

std::optional<ColumnKind> kind_of(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL: return ColumnKind::boolean;
    case arrow::Type::INT64: return ColumnKind::integer;
    case arrow::Type::DOUBLE: return ColumnKind::real;
    case arrow::Type::STRING: return ColumnKind::text;
    case arrow::Type::DATE32: return ColumnKind::date;
    case arrow::Type::TIMESTAMP: return ColumnKind::time;
    default: return std::nullopt;
  }
}

Cell cell_of(const arrow::Array& values, std::int64_t row) {
  if (values.IsNull(row)) return std::monostate();
  switch (values.type_id()) {
    case arrow::Type::BOOL: return static_cast<const arrow::BooleanArray&>(values).Value(row);
    case arrow::Type::INT64: return static_cast<const arrow::Int64Array&>(values).Value(row);
    case arrow::Type::DOUBLE: return static_cast<const arrow::DoubleArray&>(values).Value(row);
    case arrow::Type::STRING:
      return std::string_view(static_cast<const arrow::StringArray&>(values).GetView(row));
    case arrow::Type::DATE32:
      return std::int64_t{static_cast<const arrow::Date32Array&>(values).Value(row)};
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampArray&>(values).Value(row);
    default: return std::monostate();
  }
}

}  // namespace

std::vector<model::ColumnInput> column_inputs(const arrow::Schema& schema) {
  std::vector<model::ColumnInput> columns;
  for (const auto& field : schema.fields()) {
    if (const auto kind = kind_of(*field->type())) columns.push_back({field->name(), *kind});
  }
  return columns;
}

Result<RowCells> RowCells::bind(const arrow::RecordBatch& batch,
                                std::span<const model::ColumnInput> columns) {
  RowCells cells;
  for (const model::ColumnInput& column : columns) {
    auto array = batch.GetColumnByName(column.name);
    if (!array && column.optional) {
      cells.arrays_.emplace_back();
      continue;
    }
    if (!array) {
      return Error{ErrorCode::invalid, "the examples have no column \"" + column.name +
                                           "\" (" + model::name_of(column.kind) +
                                           "), which has to be there"};
    }
    if (!kind_of(*array->type()) && array->null_count() < array->length()) {
      return Error{ErrorCode::invalid, "column \"" + column.name + "\" is of type " +
                                           array->type()->ToString() +
                                           ", which a transform cannot read"};
    }
    cells.arrays_.push_back(std::move(array));
  }
  return cells;
}

void RowCells::read(std::int64_t row, std::span<model::Cell> cells) const {
  for (std::size_t i = 0; i < arrays_.size(); ++i) {
    cells[i] = arrays_[i] ? cell_of(*arrays_[i], row) : model::Cell();
  }
}

}  // namespace pipelined
