#include "cli/bundle_files.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "dag/bundle.h"
#include "dag/check.h"
#include "dag/spec_toml.h"

namespace pipelined::cli {
namespace {

namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& path, std::uintmax_t bytes_max) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    return Error{ErrorCode::not_found, "there is no file " + path.string()};
  }
  if (fs::file_size(path, error) > bytes_max) {
    return Error{ErrorCode::invalid, path.string() + " is larger than a pipeline's files may be"};
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return Error{ErrorCode::io, "cannot read " + path.string()};
  return text.str();
}

/// The real path of a file that the pipeline names, if that lies inside the folder.
Result<fs::path> inside(const fs::path& folder, const std::string& name) {
  if (!is_manifest_path(name)) {
    return Error{ErrorCode::denied, "file '" + name + "' is no plain path below the pipeline's folder"};
  }
  std::error_code error;
  const fs::path real = fs::weakly_canonical(folder / name, error);
  const fs::path relative = real.lexically_relative(folder);
  if (error || relative.empty() || *relative.begin() == "..") {
    return Error{ErrorCode::denied, "file '" + name + "' leads out of the pipeline's folder " +
                                        folder.string()};
  }
  return real;
}

/// Where the text first names the file, for a diagnostic.
SourcePosition place_of(const std::string& text, const std::string& name) {
  const std::size_t at = text.find("\"" + name + "\"");
  if (at == std::string::npos) return {};
  SourcePosition place{1, 1};
  for (std::size_t i = 0; i < at; ++i) {
    if (text[i] == '\n') {
      ++place.line, place.column = 1;
    } else {
      ++place.column;
    }
  }
  return place;
}

}  // namespace

Result<LocalBundle> read_bundle(const std::string& given, const std::string& environment) {
  std::error_code error;
  fs::path path = fs::absolute(given, error);
  if (fs::is_directory(path, error)) path /= bundle_pipeline_file;
  path = fs::weakly_canonical(path, error);
  const BundleLimits limits;
  TRY(text, read_file(path, limits.bytes));
  LocalBundle bundle;
  bundle.folder = path.parent_path().string(), bundle.file = path.filename().string();
  ParsedPipeline parsed = parse_pipeline(text, bundle.file, {}, environment);
  bundle.problems = std::move(parsed.problems);
  bundle.spec = std::move(parsed.spec);
  bundle.files[bundle_pipeline_file] = text;
  if (!environment.empty()) bundle.files[bundle_environment_file] = environment;
  if (!bundle.spec) return bundle;
  for (const std::string& name : referenced_files(*bundle.spec)) {
    Result<fs::path> real = inside(bundle.folder, name);
    Result<std::string> content = real ? read_file(*real, limits.bytes) : real.error();
    if (content) {
      bundle.files[name] = *std::move(content);
    } else {
      bundle.problems.push_back({bundle.file, place_of(text, name), content.error().message, false});
    }
  }
  return bundle;
}

}  // namespace pipelined::cli
