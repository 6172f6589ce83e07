// Judges a pipeline as a whole: every error at once, each with its place and the way out.
//
// Runs after spec_toml and before compile: names, ports, types, parameters, fan-out, cycles,
// templates, gates.  What it passes, compile must accept.  No files are opened: the bundle is given.
// Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "dag/pipeline.h"
#include "dag/spec.h"
#include "dag/time_zone.h"

namespace pipelined {

/// Everything wrong with `spec`, in order of place; `file_name` goes into the diagnostics.
/// `files` are the bundle's, the pipeline file itself among them or not.  Without `zones` names of
/// time zones are not looked up.
std::vector<Diagnostic> check(const PipelineSpec& spec, const OperatorSet& operators,
                              const BundleFiles& files, const std::string& file_name,
                              ZoneSource* zones = nullptr);

/// Every file that the pipeline names with { file = … }, sorted, once each, relative to the pipeline
/// file.  Together with the pipeline file they are its bundle.
std::vector<std::string> referenced_files(const PipelineSpec& spec);

/// Whether a name is [a-z][a-z0-9_-]*, at most 64 characters.
bool is_name(std::string_view text);

}  // namespace pipelined
