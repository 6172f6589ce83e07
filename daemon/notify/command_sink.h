// Runs a program for an alert: no shell, no environment but four names, the message on its input.
//
// Each run has a thread of its own while it lasts; a program that takes too long is killed with all
// that it started in its process group.  What it prints is thrown away.  Calls and callbacks are on
// the loop thread; destroying it kills what runs and waits for it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dag/result.h"

namespace pipelined {

/// One run.
struct CommandRun {
  std::vector<std::string> argv;     ///< the first is an absolute path
  std::string alert_id, sink, summary;  ///< PIPELINED_ALERT_ID, _SINK, _SUMMARY
  std::string input;                 ///< JSON
  std::int64_t timeout_ms = 10'000;
};

class CommandSink {
 public:
  /// `post` runs a function on the loop thread; it is called from other threads.
  explicit CommandSink(std::function<void(std::function<void()>)> post);
  ~CommandSink();
  CommandSink(const CommandSink&) = delete;
  CommandSink& operator=(const CommandSink&) = delete;

  /// `done` gets the exit status, or why there is none; later, once.
  void run(CommandRun command, std::function<void(Result<int>)> done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pipelined
