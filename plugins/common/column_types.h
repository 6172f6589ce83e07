// The few column types that examples/1 has, and the way of every other Arrow type into them.
//
// Examples hold int (int64), float (double), bool, string (utf8), date (date32) and time
// (timestamp in microseconds, with or without UTC).  What comes from elsewhere is cast when nothing
// is lost by it, and refused with the column's name otherwise.  Nothing here reads or writes files.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/sdk.h"

namespace pipelined {

/// The types by the names that parameters, schemas and statistics use.
enum class ColumnType { integer, number, boolean, text, date, time };

/// "int", "float", "bool", "string", "date" or "time".
const char* name_of(ColumnType type);

/// The type of that name.
std::optional<ColumnType> column_type_named(std::string_view name);

/// The Arrow type that stores it.
std::shared_ptr<arrow::DataType> arrow_type_of(ColumnType type);

/// The column type that an Arrow type of examples/1 is; nothing for lists, structs and the like.
std::optional<ColumnType> column_type_of(const arrow::DataType& type);

/// The schema with each field's type replaced by the one of examples/1; lists, structs and other
/// types without a place there are refused with the column's name.
Result<std::shared_ptr<arrow::Schema>> examples_schema(const arrow::Schema& schema);

/// The union by name, in order of first appearance; int and float together are float, other
/// differences are refused with the column's name and both types.
Result<std::shared_ptr<arrow::Schema>> union_schema(
    const std::vector<std::shared_ptr<arrow::Schema>>& schemas);

/// `batch` with the columns of `schema`: cast where the types differ, null where absent.
Result<std::shared_ptr<arrow::RecordBatch>> conform(const arrow::RecordBatch& batch,
                                                    const std::shared_ptr<arrow::Schema>& schema);

}  // namespace pipelined
