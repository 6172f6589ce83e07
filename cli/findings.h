// Findings of `check` and `apply`: sending a bundle, and printing what is wrong with it.
//
// Every problem is one line `FILE:LINE:COLUMN: error: SENTENCE`, as compilers write it, on stdout of
// `check` and of a refused `apply`.
#pragma once

#include <string>
#include <vector>

#include "cli/bundle_files.h"
#include "cli/session.h"

namespace pipelined::cli {

/// The request's body for a bundle.
std::string upload_of(const LocalBundle& bundle);
/// The daemon's findings as diagnostics.
std::vector<Diagnostic> diagnostics_of(const std::vector<protocol::Finding>& findings);
/// Adds a diagnostic unless the same one is there.
void add_new(std::vector<Diagnostic>& list, const Diagnostic& one);
/// Prints them in the session's format; 1 if there is an error, else 0.
int show_findings(Session& session, const std::vector<Diagnostic>& found, const std::string& file);

}  // namespace pipelined::cli
