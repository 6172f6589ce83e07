#include <ostream>

#include "cli/commands/commands.h"
#include "dag/spec_words.h"

namespace pipelined::cli {

int run_token_create(Session& session) {
  protocol::TokenRequest wish;
  wish.name = session.arguments.text("name"), wish.role = session.arguments.text("role");
  if (wish.name.empty() || wish.role.empty()) {
    return session.fail({ErrorCode::invalid, "a token needs --name NAME and --role ROLE (viewer, "
                                             "operator, reviewer or admin)"});
  }
  if (const std::string expires = session.arguments.text("expires"); !expires.empty()) {
    const auto length = parse_duration(expires);
    if (!length) {
      return session.fail({ErrorCode::invalid, "--expires is a time such as 30d or 12h, not '" +
                                                   expires + "'"});
    }
    wish.expires_in_ms = *length;
  }
  const auto token = session.ask<protocol::Token>("POST", "/api/v1/tokens",
                                                  protocol::to_json(wish));
  if (!token) return session.fail(token.error());
  session.say("This is the only time that the token is shown; keep it in a file that is yours "
              "alone.");
  return session.show([&] { session.terminal.out << token->text << "\n"; });
}

}  // namespace pipelined::cli
