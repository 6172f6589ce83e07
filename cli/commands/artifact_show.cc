#include <ostream>

#include "cli/commands/commands.h"
#include "dag/run_state.h"

namespace pipelined::cli {

int run_artifact_show(Session& session) {
  const auto artifact = session.get<protocol::ArtifactDetail>(
      "/api/v1/artifacts/" + protocol::percent_encode(session.arguments.text("DIGEST")));
  if (!artifact) return session.fail(artifact.error());
  return session.show([&] {
    session.terminal.out << artifact->digest << "\n"
                         << session.safe(artifact->type) << ", " << spoken_size(artifact->size)
                         << "\n";
    Table files = session.table({{"FILE"}, {"SIZE", false, true}, {"SHA-256", true}});
    for (const protocol::FileInfo& file : artifact->files) {
      files.add({file.path, spoken_size(file.size), file.digest});
    }
    session.print(files);
    Table places = session.table({{"STOOD AT"}, {"PORT"}, {"PIPELINE"}, {"RUN", false, true},
                                  {"TIME"}});
    for (const protocol::ArtifactInfo& place : artifact->bindings) {
      places.add({step_path(place.step, place.element), place.port, place.pipeline,
                  place.run == 0 ? "-" : std::to_string(place.run), short_time(place.at)});
    }
    session.print(places);
  });
}

}  // namespace pipelined::cli
