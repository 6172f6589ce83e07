#include "dag/bundle.h"

namespace pipelined {

Result<void> check_bundle(const BundleFiles& files, const BundleLimits& limits) {
  const auto invalid = [](const std::string& message) {
    return Error{ErrorCode::invalid, "the bundle cannot be used: " + message};
  };
  if (files.find(bundle_pipeline_file) == files.end()) {
    return invalid(std::string("it has no ") + bundle_pipeline_file);
  }
  if (files.size() > limits.files) {
    return invalid("it has " + std::to_string(files.size()) + " files; " +
                   std::to_string(limits.files) + " are allowed");
  }
  std::size_t bytes = 0;
  for (const auto& [name, content] : files) {
    if (!is_manifest_path(name)) {
      return invalid("'" + name + "' is no path inside the pipeline's folder");
    }
    const auto below = files.lower_bound(name + '/');
    if (below != files.end() && below->first.starts_with(name + '/')) {
      return invalid("'" + name + "' is both a file and a folder");
    }
    bytes += content.size();
  }
  if (bytes > limits.bytes) {
    return invalid("it has " + std::to_string(bytes) + " bytes; " + std::to_string(limits.bytes) +
                   " are allowed (data belongs into a source)");
  }
  return {};
}

Manifest bundle_manifest(const BundleFiles& files) {
  Manifest manifest;
  manifest.type = bundle_type;
  for (const auto& [name, content] : files) {  // a map: sorted already
    manifest.files.push_back({name, sha256(content), static_cast<std::int64_t>(content.size()),
                              false});
  }
  return manifest;
}

std::string bundle_environment(const BundleFiles& files) {
  const auto found = files.find(bundle_environment_file);
  return found == files.end() ? std::string() : found->second;
}

Digest bundle_version(const BundleFiles& files) { return bundle_manifest(files).digest(); }

}  // namespace pipelined
