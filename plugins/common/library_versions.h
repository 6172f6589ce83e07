// Versions of the libraries whose code decides output bytes, for operator descriptions.
//
// Read from the libraries that are loaded, not from the headers.  Pure; any thread.
#pragma once

namespace pipelined {

/// Version of the Arrow and Parquet libraries, such as "26.0.1".
const char* arrow_version();

}  // namespace pipelined
