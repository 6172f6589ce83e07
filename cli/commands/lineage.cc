#include "cli/commands/commands.h"
#include "dag/run_state.h"

namespace pipelined::cli {

int run_lineage(Session& session) {
  const auto lineage = session.get<protocol::Lineage>(
      "/api/v1/artifacts/" + protocol::percent_encode(session.arguments.text("DIGEST")) + "/lineage");
  if (!lineage) return session.fail(lineage.error());
  return session.show([&] {
    Table table = session.table({{"DIGEST"}, {"TYPE"}, {"MADE BY"}, {"PORT"}, {"RUN", false, true},
                                 {"FROM"}});
    for (const protocol::LineageNode& node : lineage->nodes) {
      std::string from;
      for (const std::string& digest : node.from) from += (from.empty() ? "" : " ") + digest.substr(0, 12);
      table.add({node.digest.substr(0, 12), node.type, step_path(node.step, node.element),
                 node.port, node.run == 0 ? "-" : std::to_string(node.run), from});
    }
    session.print(table);
  });
}

}  // namespace pipelined::cli
