// Reads a pipeline file and every file that it names, as `check` and `apply` send them.
//
// Names are taken relative to the pipeline file and must stay inside its folder, links followed.
// What is wrong with the text itself comes back as diagnostics.  Reads files, writes none.
#pragma once

#include <string>
#include <vector>

#include "dag/pipeline.h"
#include "dag/result.h"
#include "dag/spec.h"

namespace pipelined::cli {

/// A pipeline with its files as they lie on this disk.
struct LocalBundle {
  std::string folder, file;            ///< absolute folder; the pipeline file's name in it
  BundleFiles files;                   ///< as dag/bundle.h wants them
  std::optional<PipelineSpec> spec;    ///< nothing: `problems` say why
  std::vector<Diagnostic> problems;    ///< of the text, and files that cannot be read
};

/// `path` is a pipeline file, or a folder with a pipeline.toml.  An error means that there is no such
/// file; everything else is a diagnostic.  `environment` names an [environment.NAME] of the file.
Result<LocalBundle> read_bundle(const std::string& path, const std::string& environment = {});

}  // namespace pipelined::cli
