#include <filesystem>
#include <ostream>

#include "cli/artifact_files.h"
#include "cli/commands/commands.h"

namespace pipelined::cli {

namespace fs = std::filesystem;

int run_artifact_export(Session& session) {
  const auto artifact = fetch_artifact(session, session.arguments.text("DIGEST"));
  if (!artifact) return session.fail(artifact.error());
  const fs::path folder = session.arguments.text("FOLDER");
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder, error))) {
    return session.fail({ErrorCode::conflict, folder.string() + " is there already; name a new folder"});
  }
  if (!fs::create_directories(folder, error)) {
    return session.fail({ErrorCode::io, "cannot make " + folder.string() + ": " + error.message()});
  }
  if (const auto fetched = download(session, *artifact, folder.string()); !fetched) {
    fs::remove_all(folder, error);
    return session.fail(fetched.error());
  }
  session.show([&] {
    for (const protocol::FileInfo& file : artifact->files) {
      session.terminal.out << session.safe((folder / file.path).string()) << "\n";
    }
  });
  return exit_done;
}

}  // namespace pipelined::cli
