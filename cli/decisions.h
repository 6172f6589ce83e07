// What the verbs have in common with which a person decides something.
//
// A decision about a step needs a reason: without --why nothing is sent.
#pragma once

#include "cli/session.h"

namespace pipelined::cli {

/// Prints what was done; with --wait stays with the run.
int tell_done(Session& session, const Result<protocol::Done>& done);
/// Sends a decision about the step of the arguments; `verb` is the last part of the path.
int decide_step(Session& session, const std::string& verb);
/// The same for what can be a review of an arrival too: then PIPELINE SOURCE/SPAN stand there.
int decide_gate(Session& session, const std::string& verb);
/// Sends a decision about the run of the arguments.
int decide_run(Session& session, const std::string& verb);
/// Sends a decision about the span of the arguments.
int decide_span(Session& session, const std::string& verb);

}  // namespace pipelined::cli
