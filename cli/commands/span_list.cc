#include "cli/commands/commands.h"

namespace pipelined::cli {

int run_span_list(Session& session) {
  const auto list = session.get<protocol::SpanList>(
      "/api/v1/spans" + query_of({{"pipeline", session.arguments.text("pipeline")},
                                  {"source", session.arguments.text("source")},
                                  {"versions", session.arguments.has("versions") ? "true" : ""}}));
  if (!list) return session.fail(list.error());
  return session.show([&] {
    Table table = session.table({{"PIPELINE"}, {"SPAN"}, {"VERSION", false, true}, {"STATE"},
                                 {"RUN", false, true}, {"WHO", true}, {"DIGEST", true}, {"SINCE", true},
                                 {"WHY"}});
    for (const protocol::Span& span : list->spans) {
      table.add({span.pipeline, span.source + "/" + span.span, std::to_string(span.version),
                 span.state, span.run == 0 ? "-" : std::to_string(span.run), span.who,
                 span.digest.substr(0, 12), short_time(span.at), span.why});
    }
    session.print(table);
  });
}

}  // namespace pipelined::cli
