#include "cli/waiting.h"

#include <algorithm>
#include <chrono>
#include <ostream>

#include "dag/spec_words.h"

namespace pipelined::cli {
namespace {

using Clock = std::chrono::steady_clock;

bool is_over(const std::string& state, bool final) {
  if (state == "queued" || state == "running") return false;
  return !final || (state != "halted" && state != "in_review");
}

}  // namespace

int wait_for_run(Session& session, const std::string& run) {
  const bool final = session.arguments.text("wait") == "final";
  std::int64_t timeout_ms = -1;
  if (const std::string text = session.arguments.text("timeout"); !text.empty()) {
    const auto duration = parse_duration(text);
    if (!duration) {
      return session.fail({ErrorCode::invalid, "'" + text + "' is no duration; it looks like 30s, "
                                                            "5m or 1h"});
    }
    timeout_ms = *duration;
  }
  const Clock::time_point begun = Clock::now();
  for (;;) {
    const auto passed =
        std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begun).count();
    const std::int64_t left = timeout_ms < 0 ? 30'000 : std::max<std::int64_t>(0, timeout_ms - passed);
    const auto reply = session.get<protocol::RunSummary>(
        "/api/v1/runs/" + run + "/wait" +
        query_of({{"final", final ? "true" : ""},
                  {"timeout_ms", std::to_string(std::min<std::int64_t>(left, 30'000))}}));
    if (!reply) return session.fail(reply.error());
    if (is_over(reply->state, final)) {
      std::string sentence = "run " + std::to_string(reply->number) + " " + reply->state;
      if (!reply->end_reason.sentence.empty()) sentence += ": " + reply->end_reason.sentence;
      session.say(sentence);
      return exit_of_state(reply->state);
    }
    if (timeout_ms >= 0 && left == 0) {
      session.say("run " + run + " is still " + reply->state + "; it goes on");
      return exit_timed_out;
    }
  }
}

int finish_with_run(Session& session, std::int64_t run) {
  if (run == 0 || !session.arguments.has("wait")) return exit_done;
  return wait_for_run(session, std::to_string(run));
}

}  // namespace pipelined::cli
