// What an artifact was made from, and what was made from it, through all runs that are recorded.
//
// Follows what results bound; a result that was reused counts for every run that reused it.  Reads
// through the backend and changes nothing.  Loop thread only.
#pragma once

#include <string>
#include <vector>

#include "daemon/api/backend.h"
#include "daemon/api/protocol.h"

namespace pipelined::api {

/// Which way to go from an artifact.
enum class LineageWay { up, down };   ///< to what it was made from, to what was made from it

/// The artifacts that a text names: the beginning of a digest, SOURCE/SPAN or PIPELINE/SOURCE/SPAN
/// (every version that was delivered), or the absolute path at which a file was delivered.
Result<std::vector<Digest>> find_subjects(Backend& backend, const std::string& text);

/// Everything above or below these, nearest first, at most `limit` nodes.
protocol::Lineage lineage_of(Backend& backend, const std::vector<Digest>& of, LineageWay way,
                             std::size_t limit);

}  // namespace pipelined::api
