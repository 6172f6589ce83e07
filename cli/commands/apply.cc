#include <ostream>

#include "cli/bundle_files.h"
#include "cli/commands/commands.h"
#include "cli/findings.h"
#include "dag/spec_words.h"

namespace pipelined::cli {

int run_apply(Session& session) {
  auto bundle = read_bundle(session.arguments.text("FILE"), session.arguments.text("env"));
  if (!bundle) return session.fail(bundle.error());
  if (has_errors(bundle->problems)) {
    return show_findings(session, bundle->problems, bundle->file);
  }
  const auto reply =
      session.ask<protocol::ApplyReply>("POST", "/api/v1/pipelines", upload_of(*bundle));
  if (!reply) return session.fail(reply.error());
  if (!reply->ok) return show_findings(session, diagnostics_of(reply->findings), bundle->file);
  for (const Diagnostic& warning : diagnostics_of(reply->findings)) {
    session.say(text_of(warning));
  }
  session.show([&] { session.terminal.out << session.safe(reply->sentence) << "\n"; });
  return exit_done;
}

}  // namespace pipelined::cli
