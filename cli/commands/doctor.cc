#include "cli/commands/commands.h"

namespace pipelined::cli {

int run_doctor(Session& session) {
  const auto reply = session.get<protocol::DoctorReply>("/api/v1/doctor");
  if (!reply) return session.fail(reply.error());
  return session.show([&] {
    Table table = session.table({{"WHAT"}, {"LEVEL"}, {"FOUND"}, {"ADVICE"}});
    for (const protocol::Fact& fact : reply->facts) {
      table.add({fact.name, fact.level, fact.value, fact.advice});
    }
    session.print(table);
  });
}

}  // namespace pipelined::cli
