// Which artifact the words of a command line mean: a digest, or RUN and STEP.PORT.
//
// Asks the daemon; remembers nothing.  One thread.
#pragma once

#include <string>

#include "cli/session.h"

namespace pipelined::cli {

/// An artifact by `ARTIFACT` alone, its digest or a beginning of it, or by `ARTIFACT` as a run with
/// `STEP.PORT`, for example `last train.model`; the port may be left out if there is only one.
Result<protocol::ArtifactDetail> find_artifact(Session& session);

}  // namespace pipelined::cli
