#include "cli/commands/commands.h"

namespace pipelined::cli {
namespace {

/// Asks for or ends a pin.
int change(Session& session, const char* kind, const std::string& subject, const char* target) {
  const protocol::PinRequest request{kind, subject, session.arguments.text("why")};
  const auto reply = session.ask<protocol::Done>("POST", target, protocol::to_json(request));
  if (!reply) return session.fail(reply.error());
  return session.show([&] { session.say(reply->sentence); });
}

/// The same for a run, which may be called by its number or `last`.
int change_run(Session& session, const char* target) {
  const std::string named = protocol::percent_encode(session.arguments.text("RUN"));
  const auto run = session.get<protocol::RunDetail>("/api/v1/runs/" + named + "?limit=1");
  if (!run) return session.fail(run.error());
  return change(session, "run", std::to_string(run->run.number), target);
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
  return change(session, "artifact", session.arguments.text("DIGEST"), pin_target);
}
int run_artifact_unpin(Session& session) {
  return change(session, "artifact", session.arguments.text("DIGEST"), unpin_target);
}
int run_pin(Session& session) { return change_run(session, pin_target); }
int run_unpin(Session& session) { return change_run(session, unpin_target); }

}  // namespace pipelined::cli
