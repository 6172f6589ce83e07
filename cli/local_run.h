// Operators on plain files, without a pipeline and without a daemon.
//
// Runs `pipelined-worker run` once a step in a private temporary folder, so that a verb can put a
// short chain together: files, perhaps `ingest.files`, then what it is about.  Each step is one
// attempt behind the same walls as the daemon's.  Nothing is recorded, and the folder goes with the
// object.  Never loads a plugin.  One thread.
//
//   TRY(local, LocalRun::begin(session.environment));
//   TRY(table, local.examples({"rows.csv"}));
//   TRY(ended, local.run({.operator_id = "data.statistics", .inputs = {{"examples", {table}}},
//                         .outputs = {{"statistics", "statistics/1"}}}));
//   … local.text(ended.outputs.at("statistics"), "statistics.json") …
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/local_operators.h"
#include "cli/session.h"
#include "dag/value.h"

namespace pipelined::cli {

/// Something that a step reads or wrote.
struct LocalArtifact {
  std::string type, folder;
  std::vector<std::string> links;  ///< files elsewhere that the folder's links lead to
};

/// One operator with all that it is given.
struct LocalStep {
  std::string operator_id;
  ValueTable params = {};
  std::map<std::string, std::vector<LocalArtifact>> inputs = {};
  std::map<std::string, std::string> outputs = {};  ///< port to type; only these are written
  double cpus = 0;                                  ///< 0: all that there are
};

/// How it ended: well or with a halt, since anything else is an error.
struct LocalEnd {
  std::optional<std::string> halt;                  ///< the verdict
  std::map<std::string, LocalArtifact> outputs;     ///< those that were written
  ValueTable said;                                  ///< notes, metrics, usage as the worker prints them
};

class LocalRun {
 public:
  /// Finds worker and plugins, makes the folder.
  static Result<LocalRun> begin(const Environment& environment);

  LocalRun(LocalRun&& other) noexcept;
  LocalRun& operator=(LocalRun&&) = delete;
  ~LocalRun();

  /// An artifact with an empty folder, for files that the caller puts there.
  Result<LocalArtifact> make(const std::string& type);

  /// An artifact of these files (or of all files of these folders), which stay where they are.
  Result<LocalArtifact> link(const std::string& type, const std::vector<std::string>& paths);

  /// An artifact of one file under the name that its type demands ("statistics.json").
  Result<LocalArtifact> link_as(const std::string& type, const std::string& path,
                                const std::string& name);

  /// examples/1 out of delivered files by `ingest.files`, which takes `params`.
  Result<LocalArtifact> examples(const std::vector<std::string>& paths, ValueTable params = {});

  /// Runs one step.  Warnings and errors of its log go to standard error.  Errors: what the operator says, or that there
  /// is no such operator.
  Result<LocalEnd> run(const LocalStep& step);

  /// A small text file of an artifact.
  Result<std::string> text(const LocalArtifact& artifact, const std::string& name) const;

 private:
  LocalRun(LocalPrograms programs, std::string folder)
      : programs_(std::move(programs)), folder_(std::move(folder)) {}
  Result<PluginInfo> plugin_of(const std::string& operator_id, std::string& file);
  std::string next_folder() { return folder_ + "/" + std::to_string(++folders_); }

  LocalPrograms programs_;
  std::string folder_;
  int folders_ = 0;
  std::map<std::string, PluginInfo> plugins_;  ///< by file
};

}  // namespace pipelined::cli
