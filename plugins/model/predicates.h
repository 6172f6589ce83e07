// Slices by predicates: for which rows an SQL condition holds.
//
// DuckDB answers for all predicates of a data set in one pass, in the order of the rows, in a session
// that sees nothing but them.  Knows nothing of scores.
#pragma once

#include <map>
#include <string>

#include "operators/sdk.h"
#include "plugins/model/scored_rows.h"

namespace pipelined::evaluation {

/// A mask for each predicate over the rows of the port; where it is unknown (null) it does not hold.
/// Errors name the predicate or what DuckDB says of it.
Result<PredicateMasks> masks_of(const sdk::Context& context, const std::string& port,
                                const std::map<std::string, std::string>& predicates,
                                std::int64_t row_count);

}  // namespace pipelined::evaluation
