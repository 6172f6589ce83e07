#include "operators/host/verdict.h"

#include <sys/wait.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "dag/operator_info.h"

namespace pipelined::host {
namespace {

/// The signal that ended the attempt's work; 0: it ended by itself.
int ending_signal(const AttemptFacts& facts) {
  if (facts.report && facts.report->signal > 0) return facts.report->signal;
  if (WIFSIGNALED(facts.wait_status)) return WTERMSIG(facts.wait_status);
  if (!facts.report && WIFEXITED(facts.wait_status) &&
      WEXITSTATUS(facts.wait_status) > crash_status_base) {
    return WEXITSTATUS(facts.wait_status) - crash_status_base;
  }
  return 0;
}

std::string out_of_memory(const wire::Run& run, const AttemptFacts& facts) {
  return "out of memory (limit " + show_bytes(run.limits.memory_bytes) + ", peak " +
         show_bytes(facts.memory_peak_bytes) + ")";
}

std::string out_of_scratch(const wire::Run& run, const AttemptFacts& facts) {
  return "out of scratch space (limit " + show_bytes(run.limits.scratch_bytes) + ", written " +
         show_bytes(facts.scratch_bytes) + ")";
}

std::string with_last_lines(std::string sentence, const AttemptFacts& facts) {
  if (!facts.last_lines.empty()) sentence += "; last lines: " + facts.last_lines;
  return sentence;
}

void fail(wire::Ended& ended, const char* failure_class, std::string error) {
  ended.outcome = Outcome::failed;
  ended.error = std::move(error);
  ended.failure_class = failure_class;
  ended.outputs.clear();
  ended.requests.clear();
}

void decide_signal(wire::Ended& ended, const wire::Run& run, const AttemptFacts& facts) {
  const int signal = ending_signal(facts);
  ended.signal = signal;
  if (signal == SIGXFSZ && run.limits.scratch_bytes > 0) {
    fail(ended, "scratch",
         "out of scratch space (limit " + show_bytes(run.limits.scratch_bytes) +
             ", in one single file)");
    return;
  }
  const bool from_outside = signal == SIGKILL || signal == SIGTERM;
  if (from_outside && facts.kernel_memory_kill) {
    fail(ended, "out_of_memory",
         "killed by the kernel because the machine ran out of memory (peak " +
             show_bytes(facts.memory_peak_bytes) + ")");
  } else if (from_outside) {
    ended.lost = true;
    fail(ended, "killed", "killed by " + signal_name(signal) + " from outside");
  } else {
    ended.retryable = true;
    fail(ended, "crash",
         with_last_lines("operator " + run.operator_id + " crashed with " + signal_name(signal),
                         facts));
  }
}

void decide_without_report(wire::Ended& ended, const wire::Run& run, const AttemptFacts& facts) {
  const int status = WIFEXITED(facts.wait_status) ? WEXITSTATUS(facts.wait_status) : 0;
  ended.exit_code = status;
  if (status == out_of_memory_status) {
    fail(ended, "out_of_memory",
         run.limits.memory_bytes > 0
             ? out_of_memory(run, facts)
             : "out of memory (peak " + show_bytes(facts.memory_peak_bytes) + ")");
    return;
  }
  ended.retryable = true;
  fail(ended, "exit",
       with_last_lines("operator " + run.operator_id + " ended with exit status " +
                           std::to_string(status) + " without a report", facts));
}

/// True if the host's own killing explains the end.
bool decide_killed(wire::Ended& ended, const wire::Run& run, const AttemptFacts& facts) {
  switch (facts.killed_for) {
    case KilledFor::nothing: return false;
    case KilledFor::memory: fail(ended, "out_of_memory", out_of_memory(run, facts)); return true;
    case KilledFor::processes:
      fail(ended, "killed",
           "killed: it had more than " + std::to_string(facts.processes_max) +
               " processes at once");
      return true;
    case KilledFor::scratch: fail(ended, "scratch", out_of_scratch(run, facts)); return true;
    case KilledFor::files:
      fail(ended, "scratch",
           "killed: it had made more than " + std::to_string(facts.files_max) +
               " files and folders, or some that cannot be looked into");
      return true;
    case KilledFor::report_closed:
      ended.retryable = true;
      fail(ended, "killed",
           "operator " + run.operator_id + " closed its channel to the host and went on; "
           "it was killed");
      return true;
    case KilledFor::cancel:
      if (facts.report && facts.report->signal == 0 && !facts.grace_expired) return false;
      fail(ended, "killed",
           facts.grace_expired
               ? "cancelled; killed after " + std::to_string(facts.grace_ms) + " ms of grace"
               : "cancelled");
      ended.outcome = Outcome::cancelled;
      return true;
  }
  return false;
}

}  // namespace

wire::Ended decide(const wire::Run& run, const AttemptFacts& facts) {
  wire::Ended ended = facts.report.value_or(wire::Ended{});
  ended.attempt = run.attempt;
  ended.fence = run.fence;
  ended.cpu_ms = facts.cpu_ms;
  ended.memory_peak_bytes = facts.memory_peak_bytes;
  // What an operator says of the machine or of trying again is not for it to say.
  ended.lost = false;
  ended.retryable = ended.outcome == Outcome::retry;
  ended.failure_class.clear();
  ended.scratch_bytes = facts.scratch_bytes;
  ended.signal = 0;
  if (decide_killed(ended, run, facts)) return ended;
  if (!facts.bad_report.empty()) {
    fail(ended, "crash", "operator " + run.operator_id + " " + facts.bad_report);
  } else if (ending_signal(facts) != 0 && (!facts.report || facts.report->signal > 0)) {
    decide_signal(ended, run, facts);
  } else if (!facts.report) {
    decide_without_report(ended, run, facts);
  } else if (runs_program(run.operator_id) && ended.exit_code != 0) {
    ended.error = with_last_lines(ended.error, facts);
    if (ended.outcome == Outcome::failed) ended.failure_class = "exit";
  }
  return ended;
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(signal);
}

std::string show_bytes(std::int64_t bytes) {
  static constexpr const char* units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  char text[64];
  const bool whole = value == static_cast<double>(static_cast<std::int64_t>(value));
  std::snprintf(text, sizeof text, whole ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

}  // namespace pipelined::host
