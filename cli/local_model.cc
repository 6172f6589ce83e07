#include "cli/local_model.h"

#include <filesystem>

#include "cli/artifact_files.h"
#include "cli/commands/models.h"

namespace pipelined::cli {
namespace {

Result<LocalArtifact> fetched(Session& session, LocalRun& local,
                              const protocol::ModelArtifact& one) {
  TRY(detail, fetch_artifact(session, one.digest));
  TRY(artifact, local.make(one.type));
  TRY_VOID(download(session, detail, artifact.folder));
  return artifact;
}

}  // namespace

Result<LocalModel> local_model(Session& session, LocalRun& local) {
  const std::string name = session.arguments.text("NAME");
  if (name == "." || name.find('/') != std::string::npos) {
    std::error_code error;
    if (!std::filesystem::exists(std::filesystem::path(name) / "model.json", error)) {
      return Error{ErrorCode::not_found, "the folder '" + name + "' has no model.json"};
    }
    TRY(model, local.link("model/1", {name}));
    return LocalModel{name, std::move(model), std::nullopt};
  }
  TRY(version, fetch_version(session, name, session.arguments.text("VERSION", "newest")));
  LocalModel found{version.model + " " + version.version, {}, std::nullopt};
  for (const protocol::ModelArtifact& one : version.artifacts) {
    if (one.port != "model" && one.port != "golden") continue;
    TRY(artifact, fetched(session, local, one));
    if (one.port == "model") found.model = std::move(artifact);
    else found.golden = std::move(artifact);
  }
  if (!found.model.folder.empty()) return found;
  return Error{ErrorCode::corrupt, found.title + " has no model among its artifacts"};
}

}  // namespace pipelined::cli
