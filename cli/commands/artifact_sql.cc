#include <charconv>

#include "cli/artifact_name.h"
#include "cli/artifact_table.h"
#include "cli/commands/commands.h"

namespace pipelined::cli {

// `artifact sql DIGEST QUERY` has one word less than `artifact sql RUN STEP.PORT QUERY`.
int run_artifact_sql(Session& session) {
  std::string query = session.arguments.text("QUERY");
  if (query.empty()) {
    query = session.arguments.text("STEP.PORT");
    session.arguments.given.erase("STEP.PORT");
  }
  if (query.empty()) {
    return session.fail({ErrorCode::invalid, "artifact sql takes a query over the table data: "
                                             "\"SELECT count(*) FROM data\""});
  }
  const std::string wanted = session.arguments.text("lines", "100");
  std::int64_t rows = 0;
  const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), rows);
  if (error != std::errc() || end != wanted.data() + wanted.size() || rows < 1 || rows > 1000) {
    return session.fail({ErrorCode::invalid,
                         "--lines takes a whole number from 1 to 1000, not '" + wanted + "'"});
  }
  const auto artifact = find_artifact(session);
  if (!artifact) return session.fail(artifact.error());
  return print_query(session, artifact->digest, query, rows);
}

}  // namespace pipelined::cli
