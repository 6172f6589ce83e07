// The operator ingest.files: delivered files become examples/1.
//
// Reads CSV, TSV, JSON lines, Parquet or Arrow and writes parts of Parquet.  A row that cannot be
// read ends the attempt with file and line, or goes to the output `rejected`.  Knows nothing of
// spans or sources.
#pragma once

#include "operators/sdk.h"

namespace pipelined {

/// Port `files`, outputs `examples` and `rejected`; parameters as its descriptor says.
Result<void> run_ingest_files(sdk::Context& context);

}  // namespace pipelined
