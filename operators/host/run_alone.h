// The verb `run` of pipelined-worker: one attempt of one operator, without a daemon.
//
// Starts a host as the daemon does and speaks to it over the same socket, so that the attempt stands
// behind the same walls and dies with the same certainty.  What it printed goes to standard error
// when it has ended, what it said of itself to standard output as JSON.  Knows nothing of pipelines;
// nothing is recorded.  One thread, for the life of the process.
#pragma once

#include <string>
#include <vector>

#include "dag/result.h"
#include "operators/wire.h"

namespace pipelined::host {

/// What the command line of `run` says.
struct RunAloneOptions {
  wire::Run run;                         ///< outputs with the folders that they should end in
  std::vector<std::string> host_words;   ///< for `host`: the plugin and options
  bool quiet = false;                    ///< shows warnings and errors of the log alone
};

/// Reads the words after `run`.  Inputs get a digest of their path, since nobody hashes their bytes.
Result<RunAloneOptions> parse_run_words(const std::vector<std::string>& words);

/// Runs the attempt; the program's exit status: 0 ok, 3 halted, 8 cancelled, 1 anything else.
int run_alone(RunAloneOptions options);

}  // namespace pipelined::host
