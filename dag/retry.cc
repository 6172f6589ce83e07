#include "dag/retry.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pipelined {
namespace {

constexpr std::int64_t doublings_max = 40;

std::int64_t backoff_bound(const RetrySpec& retry, std::int64_t tries) {
  std::int64_t bound = retry.backoff_ms;
  for (std::int64_t i = 1; i < std::min(tries, doublings_max); ++i) {
    if (bound >= retry.backoff_max_ms) break;
    bound *= 2;
  }
  return std::max<std::int64_t>(0, std::min(bound, retry.backoff_max_ms));
}

}  // namespace

std::int64_t memory_of_try(const ResourceSpec& resources, std::int64_t tries) {
  if (resources.memory_bytes == 0) return 0;
  const double most = resources.memory_max_bytes > 0
                          ? static_cast<double>(resources.memory_max_bytes)
                          : static_cast<double>(std::numeric_limits<std::int64_t>::max() / 2);
  const double wanted = static_cast<double>(resources.memory_bytes) *
                        std::pow(resources.memory_grow, static_cast<double>(tries));
  return static_cast<std::int64_t>(std::min(wanted, most));
}

NextTry next_try(const RetrySpec& retry, const ResourceSpec& resources, const FailedTry& failed) {
  const bool more_memory =
      memory_of_try(resources, failed.tries) > memory_of_try(resources, failed.tries - 1);
  if (failed.out_of_memory && !more_memory) {
    return {false, 0, resources.memory_grow > 1 ? "its memory limit grows no further"
                                                : "its memory limit does not grow by try"};
  }
  if (!failed.retryable && !failed.out_of_memory) return {};
  if (failed.tries > retry.max) return {};
  std::int64_t bound = backoff_bound(retry, failed.tries);
  if (retry.max_time_ms > 0) {
    const std::int64_t left = failed.first_started_at + retry.max_time_ms - failed.ended_at;
    if (left <= 0) return {false, 0, "no time is left for another try (retry.max_time)"};
    bound = std::min(bound, left);
  }
  return {true, bound, ""};
}

}  // namespace pipelined
