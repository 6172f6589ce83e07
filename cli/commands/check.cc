#include <ostream>

#include "cli/bundle_files.h"
#include "cli/commands/commands.h"
#include "cli/findings.h"
#include "cli/local_operators.h"
#include "dag/check.h"
#include "dag/spec_words.h"
#include "daemon/posix/zone_files.h"

namespace pipelined::cli {
namespace {

/// Checks with the plugins beside pipectl, since no daemon answers.
Result<std::vector<Diagnostic>> check_here(Session& session, const LocalBundle& bundle) {
  TRY(local, describe_local(session.environment.worker, session.environment.plugins,
                            session.environment.program_folder));
  for (const std::string& problem : local.problems) session.say(problem);
  session.say("no daemon answers; checked with the plugins beside pipectl");
  ZoneFiles zones;
  return check(*bundle.spec, local.operators, bundle.files, bundle.file, &zones);
}

}  // namespace

int run_check(Session& session) {
  auto bundle = read_bundle(session.arguments.text("FILE"), session.arguments.text("env"));
  if (!bundle) return session.fail(bundle.error());
  std::vector<Diagnostic> found = bundle->problems;
  if (bundle->spec) {
    const auto reply = session.ask<protocol::CheckReply>("POST", "/api/v1/check", upload_of(*bundle));
    if (reply) {
      for (const Diagnostic& one : diagnostics_of(reply->findings)) add_new(found, one);
    } else if (reply.error().code == ErrorCode::unavailable) {
      const auto here = check_here(session, *bundle);
      if (!here) return session.fail(here.error());
      for (const Diagnostic& one : *here) add_new(found, one);
    } else {
      return session.fail(reply.error());
    }
  }
  sort_by_place(found);
  return show_findings(session, found, bundle->file);
}

}  // namespace pipelined::cli
