// The sentence that an attempt's end deserves, from what the host saw.
#include <catch2/catch.hpp>
#include <csignal>

#include "operators/host/log_capture.h"
#include "operators/host/verdict.h"

using namespace pipelined;
using namespace pipelined::host;

namespace {

wire::Run run_of(const std::string& operator_id) {
  wire::Run run;
  run.attempt = "a1";
  run.fence = "f1";
  run.operator_id = operator_id;
  run.limits.memory_bytes = std::int64_t{4} << 30;
  return run;
}

AttemptFacts killed_by(int signal) {
  AttemptFacts facts;
  facts.wait_status = signal;  // as waitpid(2) says it
  return facts;
}

}  // namespace

TEST_CASE("verdict: signals from outside are the machine's fault", "[host][verdict]") {
  const int signal = GENERATE(SIGKILL, SIGTERM);
  const wire::Ended ended = decide(run_of("data.sql"), killed_by(signal));
  CHECK(ended.lost);
  CHECK_FALSE(ended.retryable);
  CHECK(ended.failure_class == "killed");
  CHECK(ended.error == "killed by " + signal_name(signal) + " from outside");
}

TEST_CASE("verdict: a kernel out of memory is not a lost attempt", "[host][verdict]") {
  AttemptFacts facts = killed_by(SIGKILL);
  facts.kernel_memory_kill = true;
  facts.memory_peak_bytes = 3 << 20;
  const wire::Ended ended = decide(run_of("data.sql"), facts);
  CHECK_FALSE(ended.lost);
  CHECK(ended.failure_class == "out_of_memory");
  CHECK(ended.error == "killed by the kernel because the machine ran out of memory (peak 3 MiB)");
}

TEST_CASE("verdict: a crash is retryable and says where", "[host][verdict]") {
  AttemptFacts facts = GENERATE(killed_by(SIGSEGV), AttemptFacts{});
  if (facts.wait_status == 0) facts.wait_status = (crash_status_base + SIGSEGV) << 8;
  const wire::Ended ended = decide(run_of("data.sql"), facts);
  CHECK(ended.error == "operator data.sql crashed with SIGSEGV");
  CHECK(ended.failure_class == "crash");
  CHECK(ended.retryable);
  CHECK(ended.signal == SIGSEGV);
}

TEST_CASE("verdict: the memory limit explains a kill", "[host][verdict]") {
  AttemptFacts facts = killed_by(SIGKILL);
  facts.killed_for = KilledFor::memory;
  facts.memory_peak_bytes = (std::int64_t{4} << 30) + (std::int64_t{1} << 29);
  const wire::Ended ended = decide(run_of("data.sql"), facts);
  CHECK(ended.error == "out of memory (limit 4 GiB, peak 4.5 GiB)");
  CHECK_FALSE(ended.lost);
  CHECK_FALSE(ended.retryable);
}

TEST_CASE("verdict: an operator's own report stands but for what is not its to say",
          "[host][verdict]") {
  AttemptFacts facts;
  facts.report = wire::Ended{};
  facts.report->outcome = Outcome::ok;
  facts.report->lost = facts.report->retryable = true;
  facts.report->fence = "other";
  facts.cpu_ms = 7;
  const wire::Ended ended = decide(run_of("data.sql"), facts);
  CHECK(ended.outcome == Outcome::ok);
  CHECK(ended.fence == "f1");
  CHECK(ended.cpu_ms == 7);
  CHECK_FALSE(ended.lost);
  CHECK_FALSE(ended.retryable);
}

TEST_CASE("verdict: a report made during the grace of a cancel is taken", "[host][verdict]") {
  AttemptFacts facts;
  facts.killed_for = KilledFor::cancel;
  facts.report = wire::Ended{};
  facts.report->outcome = Outcome::ok;
  CHECK(decide(run_of("data.sql"), facts).outcome == Outcome::ok);
  facts.report.reset();
  facts.wait_status = SIGTERM;
  CHECK(decide(run_of("data.sql"), facts).outcome == Outcome::cancelled);
}

TEST_CASE("verdict: bytes are shown in units", "[host][verdict]") {
  CHECK(show_bytes(812) == "812 bytes");
  CHECK(show_bytes(1536) == "1.5 KiB");
  CHECK(show_bytes(std::int64_t{4} << 30) == "4 GiB");
}

TEST_CASE("log: bytes that are not text become harmless", "[host][log]") {
  CHECK(harmless("a\x1b[31m\xff z\xc3\xa4") == "a [31m? zä");
  CHECK(harmless("\xed\xa0\x80") == "???");
}
