// Work on columns shared out among threads.
//
// Each number is one thread's; which thread takes which is left to chance, so that work on one must
// not touch another's.  Knows nothing of what is done.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "dag/result.h"

namespace pipelined {

/// Runs `work` for 0 to count - 1 by so many threads, the caller's among them; the first error stands.
inline Result<void> for_each_column(std::size_t count, int threads,
                                    const std::function<Result<void>(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::optional<Error> failure;
  const auto share = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      const Result<void> done = work(i);
      if (done) continue;
      const std::lock_guard<std::mutex> lock(mutex);
      if (!failure) failure = done.error();
      return;
    }
  };
  {
    std::vector<std::jthread> helpers;
    const auto most = static_cast<int>(std::min<std::size_t>(count, 1024));
    for (int i = 1; i < std::min(threads, most); ++i) helpers.emplace_back(share);
    share();
  }
  if (failure) return *failure;
  return {};
}

}  // namespace pipelined
