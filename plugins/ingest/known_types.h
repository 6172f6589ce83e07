// The column types that an input port states: of a schema, or of a table that came before.
//
// With them a column has the same type in every span, whatever this delivery looks like.  Of a schema
// only `[feature.NAME] type` is read; judging data by the rest is data.validate's work.
#pragma once

#include <map>
#include <string>

#include "plugins/common/column_types.h"

namespace pipelined {

/// The types at the port `schema` (schema/1 or examples/1); none if it has no artifact.
Result<std::map<std::string, ColumnType>> known_types(const sdk::Context& context);

}  // namespace pipelined
