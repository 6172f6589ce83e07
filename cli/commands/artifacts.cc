#include "cli/commands/commands.h"
#include "dag/run_state.h"

namespace pipelined::cli {

int run_artifacts(Session& session) {
  const auto list = session.get<protocol::ArtifactList>(
      "/api/v1/artifacts" + query_of({{"type", session.arguments.text("type")},
                                      {"limit", session.arguments.text("limit")}}));
  if (!list) return session.fail(list.error());
  return session.show([&] {
    Table table = session.table({{"DIGEST"}, {"TYPE"}, {"SIZE", false, true}, {"FROM"}, {"PORT"},
                                 {"RUN", false, true}, {"PIPELINE"}, {"TIME", true}});
    for (const protocol::ArtifactInfo& artifact : list->artifacts) {
      const bool wide = session.format == Format::wide;
      table.add({wide ? artifact.digest : artifact.digest.substr(0, 12), artifact.type,
                 spoken_size(artifact.size), step_path(artifact.step, artifact.element),
                 artifact.port, artifact.run == 0 ? "-" : std::to_string(artifact.run),
                 artifact.pipeline, short_time(artifact.at)});
    }
    session.print(table);
  });
}

}  // namespace pipelined::cli
