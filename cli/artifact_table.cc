#include "cli/artifact_table.h"

namespace pipelined::cli {

int print_query(Session& session, const std::string& digest, const std::string& query,
                std::int64_t rows) {
  protocol::QueryRequest request;
  request.query = query, request.rows = rows;
  const auto reply = session.ask<protocol::TableReply>(
      "POST", "/api/v1/artifacts/" + digest + "/query", protocol::to_json(request));
  if (!reply) return session.fail(reply.error());
  return session.show([&] {
    std::vector<Column> columns;
    for (const std::string& name : reply->columns) columns.push_back({name});
    Table table = session.table(columns);
    for (const protocol::TableRow& row : reply->rows) {
      std::vector<std::string> cells = row.cells;
      cells.resize(columns.size());
      table.add(std::move(cells));
    }
    session.print(table);
    if (reply->rows.empty()) session.say("no rows");
    if (reply->more) session.say("there are more rows");
  });
}

}  // namespace pipelined::cli
