// The operator ingest.query: what a database answers becomes examples/1.
//
// Without a watermark the whole answer; with one the rows behind the last that was taken, up to the
// greatest that is there, all in one state of the database.  What it took stands in its notes; an
// answer without rows writes no output.  Knows nothing of spans, sources or when it is asked.
#pragma once

#include "operators/sdk.h"

namespace pipelined {

/// Output `examples`; parameters and notes as its descriptor says.
Result<void> run_ingest_query(sdk::Context& context);

}  // namespace pipelined
