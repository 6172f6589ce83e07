// A model on this machine, to be asked by operators that run here.
//
// Of a registered version the model and its golden rows are fetched from the daemon, compared with
// their digests; a folder with a model.json is taken as it is.  One thread.
#pragma once

#include <optional>
#include <string>

#include "cli/local_run.h"
#include "cli/session.h"

namespace pipelined::cli {

struct LocalModel {
  std::string title;                     ///< "late 1.0.1", or the folder
  LocalArtifact model;
  std::optional<LocalArtifact> golden;   ///< not of folders, and not of versions without them
};

/// What the arguments NAME and VERSION mean: a folder if NAME has a `/` or is `.`, else a version.
Result<LocalModel> local_model(Session& session, LocalRun& local);

}  // namespace pipelined::cli
