// The files of an artifact, from the daemon into a folder.
//
// Each is compared with the digest that the artifact names.  One thread.
#pragma once

#include <string>

#include "cli/session.h"

namespace pipelined::cli {

/// Writes every file below `folder`, which is there.  Errors: a file that is not what it was when it
/// was stored, or that cannot be written.
Result<void> download(Session& session, const protocol::ArtifactDetail& artifact,
                      const std::string& folder);

/// What the daemon knows of an artifact; a unique beginning of the digest is enough.
Result<protocol::ArtifactDetail> fetch_artifact(Session& session, const std::string& digest);

}  // namespace pipelined::cli
