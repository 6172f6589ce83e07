// Folders whose TOML files are pipelines that are kept applied.
//
// Looks when it is told to and says which files are new or have changed and come to rest: the same
// facts in two looks.  A pipeline and the files that it names change together.  A file that another
// pipeline names (a schema, say) is no pipeline.  It applies nothing.  Loop thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dag/pipeline.h"
#include "dag/result.h"
#include "dag/settle.h"

namespace pipelined {

/// A pipeline file that should be applied, or why it cannot be read.
struct PipelineFile {
  std::string path;       ///< absolute
  std::string folder;     ///< its folder
  BundleFiles files;      ///< a bundle
  std::string episode;    ///< other for every content: names the trouble with it
  std::string unreadable; ///< a sentence; empty: it could be read
};

class PipelineFolders {
 public:
  explicit PipelineFolders(std::vector<std::string> folders) : folders_(std::move(folders)) {}

  /// From now on these.  Files that were reported before are not reported again.
  void set_folders(std::vector<std::string> folders) { folders_ = std::move(folders); }

  /// The file is reported again at the next looks, as if it were new.
  void forget(const std::string& path) { known_.erase(path); }

  /// What is new since the last look.  Folders that are missing are returned in `missing`, once
  /// while they are missing.
  std::vector<PipelineFile> look(std::vector<std::string>& missing);

 private:
  using Facts = std::map<std::string, FileFacts>;  ///< of a pipeline file and the files it names
  struct Known {
    Facts seen, reported;
    std::set<std::string> names;  ///< files that it named when it could last be parsed
  };
  Facts facts_of(const std::string& path, const Known& known) const;
  PipelineFile read(const std::string& path, Known& known) const;
  std::vector<std::string> candidates(std::vector<std::string>& missing);

  std::vector<std::string> folders_;
  std::set<std::string> missing_;
  std::map<std::string, Known> known_;
};

/// Reads a pipeline file and the files that it names as a bundle.  Errors name the file.
Result<BundleFiles> read_pipeline_files(const std::string& path);

}  // namespace pipelined
