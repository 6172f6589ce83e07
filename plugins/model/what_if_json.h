// A what-if as the JSON that scripts read and `pipectl model whatif` shows: whatif/1.
//
// Plain text out of plain values; knows no files.
#pragma once

#include <string>

#include "plugins/model/what_if.h"

namespace pipelined::evaluation {

/// The text of whatif.json.
std::string what_if_json(const WhatIf& found, const model::Model& model, const GivenRow& before,
                         const GivenRow& after, const WhatIfSettings& settings);

}  // namespace pipelined::evaluation
