#include <ostream>

#include "cli/commands/commands.h"
#include "cli/run_request.h"
#include "cli/waiting.h"

namespace pipelined::cli {

int run_run(Session& session) {
  const auto request = run_request_of(session);
  if (!request) return session.fail(request.error());
  const auto done = session.ask<protocol::Done>(
      "POST", "/api/v1/pipelines/" + protocol::percent_encode(request->pipeline) + "/runs",
      protocol::to_json(*request));
  if (!done) return session.fail(done.error());
  session.show([&] {
    const std::string sentence =
        done->sentence.empty() ? "run " + std::to_string(done->run) : done->sentence;
    session.terminal.out << session.safe(sentence) << "\n";
  });
  session.terminal.out.flush();
  return finish_with_run(session, done->run);
}

}  // namespace pipelined::cli
