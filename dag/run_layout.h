// Which elements each step of a run has.
//
// The engine lays its nodes out after this, and whoever shows a run lists its steps by it: both see
// the same elements in the same order.  Knows no state.  Pure, any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "dag/pipeline.h"
#include "dag/records.h"

namespace pipelined {

using SpanIndex = std::uint32_t;  ///< into RunRow::spans
inline constexpr SpanIndex no_span = 0xffffffff;

/// Of each step the spans of its elements, in order; `no_span` alone if it is not fanned out.
std::vector<std::vector<SpanIndex>> run_elements(const Pipeline& pipeline, const RunRow& run);

/// The element's name as rows have it; empty for `no_span`.
inline std::string element_name(const RunRow& run, SpanIndex span) {
  return span == no_span ? std::string() : run.spans[span].span;
}

}  // namespace pipelined
