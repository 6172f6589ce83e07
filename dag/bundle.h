// A bundle: a pipeline file with every file that it names, one version of a pipeline.
//
// Inside it the pipeline file is always called `pipeline.toml`, whatever it was called where it came
// from; the others keep their names relative to it.  As an artifact it has the type `bundle/1`; the
// digest of its manifest is the pipeline's version.  Opens no files.  Pure, any thread.
#pragma once

#include <cstddef>

#include "dag/manifest.h"
#include "dag/pipeline.h"
#include "dag/result.h"

namespace pipelined {

inline constexpr const char* bundle_type = "bundle/1";
inline constexpr const char* bundle_pipeline_file = "pipeline.toml";
/// Holds the name of the environment that was chosen, if one was: so it is part of the version.
inline constexpr const char* bundle_environment_file = ".environment";

/// What a bundle may weigh: schemas, queries and scripts, not data.
struct BundleLimits {
  std::size_t files = 1000;
  std::size_t bytes = 16u << 20;
};

/// Whether `files` can be a bundle: `pipeline.toml` is there, names are manifest paths, limits kept.
Result<void> check_bundle(const BundleFiles& files, const BundleLimits& limits = {});

/// Its manifest.  REQUIRES: check_bundle found nothing.
Manifest bundle_manifest(const BundleFiles& files);

/// The environment that was chosen; empty: none.
std::string bundle_environment(const BundleFiles& files);

/// The version that these files are: the digest of the manifest.
Digest bundle_version(const BundleFiles& files);

}  // namespace pipelined
