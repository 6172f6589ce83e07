// From the files of a pipeline to a pipeline that the engine can run.
//
// Parses, checks and compiles; keeps what was compiled by its version; reads a version again from
// its bundle in the store.  It judges, stores and remembers, but puts nothing in force: that is an
// event for the engine.  Loop thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/app_programs.h"
#include "daemon/artifacts/artifacts.h"
#include "dag/bundle.h"
#include "dag/pipeline.h"

namespace pipelined {

/// What became of looking at the files of a pipeline.
struct Judgement {
  std::vector<Diagnostic> problems;          ///< in order of place
  std::shared_ptr<const Pipeline> pipeline;  ///< null when one of them is an error
};

/// All versions that somebody asked for lately.
class PipelineShelf {
 public:
  /// `operators` gives the operators that are installed now.  `find_manifest` knows recorded
  /// artifacts.  Names of time zones are judged by `zones`, if given; a stored version is loaded
  /// whatever zones there are.
  PipelineShelf(Artifacts& artifacts, std::function<const OperatorSet&()> operators,
                std::function<std::optional<Manifest>(const Digest&)> find_manifest,
                ZoneSource* zones = nullptr);

  /// Everything wrong with a bundle's files; `file_name` is what the pipeline file is called in
  /// messages.
  Judgement judge(const BundleFiles& files, const std::string& file_name);

  /// A stored version.  Errors: `not_found` and `corrupt` when its bundle is lost, `invalid` when
  /// the installed operators do not fit it any more.
  Result<std::shared_ptr<const Pipeline>> load(const Digest& version);

  /// Stores the bundle and the files that stand as inputs of their own.  REQUIRES: `pipeline` came
  /// from `judge`.
  void store(std::shared_ptr<const Pipeline> pipeline, std::function<void(Result<void>)> done);

  /// Operators have changed: everything is compiled anew when it is next asked for.
  void forget() { compiled_.clear(); }

 private:
  Judgement compile_files(const BundleFiles& files, const std::string& file_name,
                          ZoneSource* zones = nullptr);
  Result<BundleFiles> read_bundle(const Digest& version);

  Artifacts& artifacts_;
  std::function<const OperatorSet&()> operators_;
  std::function<std::optional<Manifest>(const Digest&)> find_manifest_;
  ZoneSource* zones_;
  Programs programs_;
  std::map<Digest, std::shared_ptr<const Pipeline>> compiled_;
};

}  // namespace pipelined
