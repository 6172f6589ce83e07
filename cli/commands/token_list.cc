#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {

int run_token_list(Session& session) {
  const auto list = session.get<protocol::TokenList>("/api/v1/tokens");
  if (!list) return session.fail(list.error());
  return session.show([&] {
    Table table = session.table({{"NAME"}, {"ROLE"}, {"STATE"}, {"CREATED"}, {"BY"}, {"EXPIRES"},
                                 {"REVOKED"}});
    for (const protocol::Token& token : list->tokens) {
      table.add({token.name, token.role, token.state, short_time(token.created_at),
                 token.created_by, short_time(token.expires_at), short_time(token.revoked_at)});
    }
    session.print(table);
    if (list->tokens.empty()) session.say("There are no tokens.");
  });
}

}  // namespace pipelined::cli
