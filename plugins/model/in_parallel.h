// A loop whose turns do not know of each other, on several threads.
//
// Which thread takes which turn is open, so each turn must write to a place of its own; then the
// result is the same for any number of threads.  `stop_asked` is asked by the calling thread alone.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace pipelined::evaluation {

/// Calls `turn(i)` for all i below `count`; whether nobody asked to stop meanwhile.
template <class Turn>
bool in_parallel(std::size_t count, int threads, const std::function<bool()>& stop_asked,
                 const Turn& turn) {
  std::atomic<std::size_t> next{0};
  // Asked before the others begin: with few turns they may leave nothing to this thread.
  std::atomic<bool> stopped{stop_asked()};
  const auto work = [&](bool asks) {
    for (std::size_t i = next++; i < count && !stopped; i = next++) {
      if (asks && stop_asked()) stopped = true;
      turn(i);
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(work, false);
  work(true);
  for (std::thread& other : others) other.join();
  return !stopped;
}

}  // namespace pipelined::evaluation
