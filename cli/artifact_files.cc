#include "cli/artifact_files.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "dag/digest.h"
#include "dag/manifest.h"

namespace pipelined::cli {
namespace {

namespace fs = std::filesystem;

/// Downloads one file and compares its digest with what the artifact says.
Result<void> fetch(Session& session, const std::string& artifact, const protocol::FileInfo& file,
                   const fs::path& folder) {
  if (!is_manifest_path(file.path)) {
    return Error{ErrorCode::corrupt, "the daemon names a file '" + file.path + "' outside the artifact"};
  }
  const fs::path path = folder / file.path;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream out(path, std::ios::binary);
  Sha256 hash;
  TRY_VOID(session.client().stream(
      "/api/v1/artifacts/" + artifact + "/file" + query_of({{"path", file.path}}),
      [&](std::string_view piece) {
        hash.update(piece);
        out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
        return static_cast<bool>(out);
      }));
  out.close();
  if (!out) return Error{ErrorCode::io, "cannot write " + path.string()};
  if (hash.finish().hex() != file.digest) {
    return Error{ErrorCode::corrupt, "file " + file.path + " is not what it was when it was stored; "
                                     "run `pipectl doctor` and restore the store from a backup"};
  }
  if (file.exec) ::chmod(path.c_str(), 0755);
  return {};
}

}  // namespace

Result<void> download(Session& session, const protocol::ArtifactDetail& artifact,
                      const std::string& folder) {
  for (const protocol::FileInfo& file : artifact.files) {
    TRY_VOID(fetch(session, artifact.digest, file, folder));
  }
  return {};
}

Result<protocol::ArtifactDetail> fetch_artifact(Session& session, const std::string& digest) {
  return session.get<protocol::ArtifactDetail>("/api/v1/artifacts/" +
                                               protocol::percent_encode(digest));
}

}  // namespace pipelined::cli
