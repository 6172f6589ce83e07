// Rows by predicates: for which of them an SQL condition holds.
//
// DuckDB answers for all predicates of a data set in one pass, in the order of the rows, in a session
// that sees nothing but them.  One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "operators/sdk.h"

namespace pipelined {

/// By the predicate's name, 1 for each row of which it holds.
using PredicateMasks = std::map<std::string, std::vector<std::uint8_t>>;

/// A mask for each predicate over the rows of the port; where it is unknown (null) it does not hold.
/// A `row_count` below 0 is not known yet.  Errors name the predicate or what DuckDB says of it.
Result<PredicateMasks> masks_of(const sdk::Context& context, const std::string& port,
                                const std::map<std::string, std::string>& predicates,
                                std::int64_t row_count);

}  // namespace pipelined
