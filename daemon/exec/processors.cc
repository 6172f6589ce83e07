#include "daemon/exec/processors.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace pipelined {

Processors Processors::of_this_process() {
  std::vector<int> ids;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int id = 0; id < CPU_SETSIZE; ++id) {
      if (CPU_ISSET(id, &set)) ids.push_back(id);
    }
  }
  return Processors(std::move(ids));
}

std::vector<int> Processors::take(double cpus) {
  const auto wanted = static_cast<std::size_t>(std::max(1.0, std::ceil(cpus - 1e-9)));
  if (wanted >= ids_.size()) return {};
  std::vector<std::size_t> order(ids_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [this](std::size_t a, std::size_t b) { return users_[a] < users_[b]; });
  std::vector<int> taken;
  for (std::size_t i = 0; i < wanted; ++i) {
    ++users_[order[i]];
    taken.push_back(ids_[order[i]]);
  }
  std::sort(taken.begin(), taken.end());
  return taken;
}

void Processors::give_back(const std::vector<int>& taken) {
  for (const int id : taken) {
    const auto at = std::find(ids_.begin(), ids_.end(), id);
    if (at != ids_.end()) --users_[static_cast<std::size_t>(at - ids_.begin())];
  }
}

}  // namespace pipelined
