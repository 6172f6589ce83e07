#include "cli/decisions.h"

#include <ostream>

#include "cli/waiting.h"

namespace pipelined::cli {

int tell_done(Session& session, const Result<protocol::Done>& done) {
  if (!done) return session.fail(done.error());
  session.show([&] {
    if (!done->sentence.empty()) session.terminal.out << session.safe(done->sentence) << "\n";
  });
  session.terminal.out.flush();
  return finish_with_run(session, done->run);
}

int decide_step(Session& session, const std::string& verb) {
  const StepName name = parse_step_name(session.arguments.text("STEP"));
  protocol::Decision decision;
  decision.step = name.step, decision.element = name.element;
  decision.why = session.arguments.text("why");
  if (verb == "accept") decision.without_remedy = session.arguments.has("without-remedy");
  if (decision.why.empty()) {
    return session.fail({ErrorCode::invalid, verb + " needs a reason, which is recorded beside your "
                                                    "name: --why \"…\""});
  }
  return tell_done(session, session.ask<protocol::Done>("POST", run_target(session, "/" + verb),
                                                        protocol::to_json(decision)));
}

int decide_gate(Session& session, const std::string& verb) {
  const std::string what = session.arguments.text("RUN");
  const bool run = what == "last" || what.find_first_not_of("0123456789") == std::string::npos;
  if (run) return decide_step(session, verb);
  const StepName arrival = parse_step_name(session.arguments.text("STEP"));
  protocol::Decision decision;
  decision.pipeline = what;
  decision.source = arrival.step, decision.span = arrival.element;
  decision.why = session.arguments.text("why");
  if (decision.why.empty()) {
    return session.fail({ErrorCode::invalid, verb + " needs a reason, which is recorded beside your "
                                                    "name: --why \"…\""});
  }
  return tell_done(session, session.ask<protocol::Done>("POST", "/api/v1/spans/" + verb,
                                                        protocol::to_json(decision)));
}

int decide_run(Session& session, const std::string& verb) {
  protocol::Decision decision;
  decision.why = session.arguments.text("why");
  return tell_done(session, session.ask<protocol::Done>("POST", run_target(session, "/" + verb),
                                                        protocol::to_json(decision)));
}

int decide_span(Session& session, const std::string& verb) {
  const std::string span = session.arguments.text("SPAN");
  const std::size_t slash = span.find('/');
  if (slash == std::string::npos) {
    return session.fail({ErrorCode::invalid, "'" + span + "' names no span; it is written "
                                             "SOURCE/SPAN, for example flights/2013-12"});
  }
  protocol::Decision decision;
  decision.pipeline = session.arguments.text("PIPELINE");
  decision.source = span.substr(0, slash), decision.span = span.substr(slash + 1);
  decision.why = session.arguments.text("why");
  if (verb == "drop" && decision.why.empty()) {
    return session.fail({ErrorCode::invalid, "span drop needs a reason, which is recorded beside "
                                             "your name: --why \"…\""});
  }
  return tell_done(session, session.ask<protocol::Done>("POST", "/api/v1/spans/" + verb,
                                                        protocol::to_json(decision)));
}

}  // namespace pipelined::cli
