// A layer below SQLite that fails on purpose, for tests.
//
// It visits failpoints before and after writes and syncs, and remembers what was not made durable,
// so that a simulated power cut can lose or tear it.  It is there only when faults are armed;
// otherwise SQLite talks to the system itself.  It knows nothing of our tables.
#pragma once

namespace pipelined {

/// The name to open databases with: null (SQLite's own layer) unless faults are armed.
const char* sqlite_layer_name();

}  // namespace pipelined
