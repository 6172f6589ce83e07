// The values that a transform relies on, compared with those that a schema allows.
//
// In both directions: a category that the schema does not allow any more makes a column that stays
// empty; a value that the schema allows and the transform never saw becomes an unseen one.  Reads the
// schema's TOML as far as types and domains go.  Functions without state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/transform.h"

namespace pipelined::transform {

/// A sentence for each difference, features in their order; empty: they agree.  A schema that cannot
/// be read is an error.
Result<std::vector<std::string>> domain_differences(const model::Transform& transform,
                                                    std::string_view schema_toml);

}  // namespace pipelined::transform
