// What differs between two versions of pipelines, and the files of one.
//
// Steps are compared through their key texts, as the engine compares them: a line here is why a run
// does something anew.  Reads through the backend.  Loop thread only.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "daemon/api/backend.h"
#include "daemon/api/protocol.h"
#include "daemon/api/protocol_versions.h"

namespace pipelined::api {

/// A version with the parameters that it runs with.
struct Definition {
  Digest version;
  std::shared_ptr<const Pipeline> pipeline;  ///< null: lost, or the operators do not fit any more
  ValueTable values;   ///< parameters of the pipeline with those given on top
};

/// That version with `params` on top of its own.
Definition definition_of(Backend& backend, const Digest& version, const ValueTable& params);

/// Collects lines, and leaves out what is alike unless all is wanted.
struct DiffLines {
  bool all = false;
  std::vector<protocol::DiffLine> lines;

  /// Adds the line if it is wanted.
  void add(protocol::DiffLine line) {
    if (all || line.before != line.after) lines.push_back(std::move(line));
  }
};

/// The names in either table.
template <class Map>
std::set<std::string> names_of(const Map& first, const Map& second) {
  std::set<std::string> names;
  for (const auto& [name, value] : first) names.insert(name);
  for (const auto& [name, value] : second) names.insert(name);
  return names;
}
/// The text of that name; empty if there is none.
std::string text_at(const std::map<std::string, std::string>& table, const std::string& name);

/// Version, files, steps and wiring.
void compare_definitions(DiffLines& lines, const Definition& first, const Definition& second);
/// Parameters of the pipelines.
void compare_parameters(DiffLines& lines, const Definition& first, const Definition& second);

/// The version of a pipeline that `text` means: digits that its digest begins with, `current`, or
/// `previous` for the one in force before.
Result<PipelineRow> find_version(Backend& backend, const std::string& pipeline,
                                 const std::string& text);
/// A version as it is told.
protocol::PipelineVersion version_of(const PipelineRow& row);
/// The files of a version as they were uploaded.  Errors: they are lost.
Result<BundleFiles> bundle_of(Backend& backend, const Digest& version);
/// Everything that differs between two versions, files line by line.
Result<protocol::PipelineDiff> compare_versions(Backend& backend, const PipelineRow& first,
                                                const PipelineRow& second);

}  // namespace pipelined::api
