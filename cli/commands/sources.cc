#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {

int run_sources(Session& session) {
  const auto list = session.get<protocol::SourceList>(
      "/api/v1/sources" + query_of({{"pipeline", session.arguments.text("pipeline")}}));
  if (!list) return session.fail(list.error());
  return session.show([&] {
    Table table = session.table({{"PIPELINE"}, {"SOURCE"}, {"FOLDER"}, {"PATTERN"},
                                 {"ARRIVALS", false, true}, {"NEWEST"}, {"SETTLING", false, true},
                                 {"TROUBLE"}});
    for (const protocol::Source& source : list->sources) {
      table.add({source.pipeline, source.source, source.folder, source.pattern,
                 std::to_string(source.arrivals), source.newest_span,
                 std::to_string(source.settling.size()), source.trouble});
    }
    session.print(table);
  });
}

}  // namespace pipelined::cli
