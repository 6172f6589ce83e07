// A pipeline version ready to run: the spec with every name resolved.
//
// Made once by `compile` from a checked spec, the operators that it names and the files of its
// bundle; shared, immutable, read by the engine from then on.  Steps stand in topological order and
// know their consumers; nothing here changes during a run.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dag/digest.h"
#include "dag/manifest.h"
#include "dag/operator_info.h"
#include "dag/result.h"
#include "dag/spec.h"

namespace pipelined {

using StepIndex = std::uint32_t;
inline constexpr StepIndex no_step = 0xffffffff;

/// A file of the bundle: name relative to the pipeline file, content.
using BundleFiles = std::map<std::string, std::string, std::less<>>;
/// Operators by id.
using OperatorSet = std::map<std::string, OperatorInfo, std::less<>>;

/// An input of a step with its names resolved.
struct PipelineInput {
  InputSpec spec;
  PortInfo port;
  StepIndex step = no_step;  ///< of step, span, newest, latest
  std::string output;        ///< the output port read there
  bool evidence = false;     ///< that output may be read while its step is halted
  bool collects = false;     ///< takes all elements of `step` rather than the aligned one
  ArtifactRef file;          ///< of kind file
};

/// The operator of a step, shared by all steps that use it.
class StepOperator {
 public:
  StepOperator() : info_(std::make_shared<const OperatorInfo>()) {}
  StepOperator(std::shared_ptr<const OperatorInfo> info) : info_(std::move(info)) {}
  const OperatorInfo& operator*() const { return *info_; }
  const OperatorInfo* operator->() const { return info_.get(); }

 private:
  std::shared_ptr<const OperatorInfo> info_;  // never null
};

struct PipelineStep {
  StepSpec spec;                        ///< without the positions of its keys
  StepOperator info;
  std::vector<PipelineInput> inputs;    ///< in port order
  std::vector<OutputSpec> outputs;      ///< the ports that it writes or passes, in port order
  std::map<std::string, std::string> passed;  ///< output port → input port
  std::string fan_source;               ///< the source whose spans are its elements; empty: one element
  std::vector<StepIndex> parents;       ///< data and `after`, without repetition
  std::vector<StepIndex> consumers;     ///< the reverse
  bool below_collector = false;         ///< its state never changes a span's state
  std::int64_t depth_to_end = 0;        ///< longest path of steps below it: critical path first
};

struct Pipeline {
  PipelineSpec spec;                    ///< its steps are in `steps`, each once
  Digest version;
  BundleFiles files;
  std::vector<PipelineStep> steps;      ///< parents before children
  std::map<std::string, StepIndex, std::less<>> index;  ///< of steps, by name
  OperatorInfo poller;                  ///< ingest.query, if a source asks a database
  std::map<std::string, ValueTable> query_params;  ///< of those sources, files replaced
  std::vector<StepIndex> file_order;    ///< the steps as they stand in the file

  /// Index of the step of that name, or no_step.
  StepIndex find(std::string_view name) const;
  /// What `${name}` stands for in the parameters of a step with that fan-out.
  ValueTable step_values(const std::string& fan_source) const;
  /// A copy of the spec with the steps in file order.
  PipelineSpec whole_spec() const;
};

/// Resolves names.  REQUIRES: `check` found no error in the same arguments.  An error here is one
/// that check should have found.
Result<std::shared_ptr<const Pipeline>> compile(PipelineSpec spec,
                                                const OperatorSet& operators,
                                                const BundleFiles& files, const Digest& version);

/// The manifest of one bundle file as an artifact of `type`: what `PipelineInput::file` names, and
/// what the daemon must have stored before the version is in force.
Manifest file_manifest(const std::string& type, const std::string& path, std::string_view content);

/// The output ports of an operator used with these parameters: `{shares}` becomes one port a key of
/// that table parameter; `*` is left out.
std::vector<PortInfo> expand_outputs(const OperatorInfo& info, const ValueTable& params);

/// `params` with `${name}` replaced from `values` (alone it keeps its type) and { file = "x" } by
/// that file's text; an unknown name or file is an error.
Result<ValueTable> resolve_params(const ValueTable& params, const ValueTable& values,
                                  const BundleFiles& files);

}  // namespace pipelined
