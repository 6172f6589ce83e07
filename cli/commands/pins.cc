#include "cli/commands/commands.h"

namespace pipelined::cli {
namespace {

/// Asks for or ends a pin.
int change(Session& session, const char* kind, const char* argument, const char* target) {
  const protocol::PinRequest request{kind, session.arguments.text(argument),
                                     session.arguments.text("why")};
  const auto reply = session.ask<protocol::Done>("POST", target, protocol::to_json(request));
  if (!reply) return session.fail(reply.error());
  return session.show([&] { session.say(reply->sentence); });
}

constexpr const char* pin_target = "/api/v1/pins";
constexpr const char* unpin_target = "/api/v1/pins/remove";

}  // namespace

int run_pins(Session& session) {
  const auto reply = session.get<protocol::PinList>(pin_target);
  if (!reply) return session.fail(reply.error());
  return session.show([&] {
    Table table = session.table({{"KIND"}, {"SUBJECT"}, {"WHO"}, {"SINCE"}, {"WHY"}});
    for (const protocol::PinInfo& pin : reply->pins) {
      table.add({pin.kind, pin.subject, pin.who, short_time(pin.at), pin.why});
    }
    session.print(table);
  });
}

int run_artifact_pin(Session& session) {
  return change(session, "artifact", "DIGEST", pin_target);
}
int run_artifact_unpin(Session& session) {
  return change(session, "artifact", "DIGEST", unpin_target);
}
int run_pin(Session& session) { return change(session, "run", "RUN", pin_target); }
int run_unpin(Session& session) { return change(session, "run", "RUN", unpin_target); }

}  // namespace pipelined::cli
