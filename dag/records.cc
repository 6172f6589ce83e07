#include "dag/records.h"

#include <array>
#include <cctype>
#include <string_view>

namespace pipelined {
namespace {

constexpr std::array step_words = {"waiting",  "ready",    "running",   "succeeded", "cached",
                                   "failed",   "halted",   "in_review", "rejected",  "cancelled",
                                   "skipped",  "blocked"};
constexpr std::array run_words = {"queued",    "running",   "failed",    "rejected",
                                  "halted",    "in_review", "cancelled", "succeeded"};
constexpr std::array span_words = {"open",     "accepted", "halted",   "failed",
                                   "rejected", "dropped",  "in_review"};
constexpr std::array outcome_words = {"ok",     "more",  "halt",      "invalid",
                                      "failed", "retry", "cancelled", "unsupported"};

template <class State, std::size_t N>
std::optional<State> find(const std::array<const char*, N>& words, std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (word == words[i]) return static_cast<State>(i);
  }
  return std::nullopt;
}

}  // namespace

const char* name_of(StepState state) { return step_words[static_cast<std::size_t>(state)]; }
const char* name_of(RunState state) { return run_words[static_cast<std::size_t>(state)]; }
const char* name_of(SpanState state) { return span_words[static_cast<std::size_t>(state)]; }
const char* name_of(Outcome outcome) { return outcome_words[static_cast<std::size_t>(outcome)]; }

std::optional<StepState> parse_step_state(std::string_view word) {
  return find<StepState>(step_words, word);
}
std::optional<RunState> parse_run_state(std::string_view word) {
  return find<RunState>(run_words, word);
}
std::optional<SpanState> parse_span_state(std::string_view word) {
  return find<SpanState>(span_words, word);
}
std::optional<Outcome> parse_outcome(std::string_view word) {
  std::string lower;
  for (const char c : word) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return find<Outcome>(outcome_words, lower);
}

}  // namespace pipelined
