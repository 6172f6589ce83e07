#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <ostream>

#include "cli/commands/commands.h"
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

int run_artifact_export(Session& session) {
  const auto artifact = session.get<protocol::ArtifactDetail>(
      "/api/v1/artifacts/" + protocol::percent_encode(session.arguments.text("DIGEST")));
  if (!artifact) return session.fail(artifact.error());
  const fs::path folder = session.arguments.text("FOLDER");
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder, error))) {
    return session.fail({ErrorCode::conflict, folder.string() + " is there already; name a new folder"});
  }
  if (!fs::create_directories(folder, error)) {
    return session.fail({ErrorCode::io, "cannot make " + folder.string() + ": " + error.message()});
  }
  for (const protocol::FileInfo& file : artifact->files) {
    const auto fetched = fetch(session, artifact->digest, file, folder);
    if (!fetched) {
      fs::remove_all(folder, error);
      return session.fail(fetched.error());
    }
  }
  session.show([&] {
    for (const protocol::FileInfo& file : artifact->files) {
      session.terminal.out << session.safe((folder / file.path).string()) << "\n";
    }
  });
  return exit_done;
}

}  // namespace pipelined::cli
