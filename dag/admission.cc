#include "dag/admission.h"

#include <algorithm>
#include <tuple>

#include "dag/explain.h"

namespace pipelined {
namespace {

constexpr std::int64_t ageing_ms = 60'000;
constexpr std::int64_t priority_max = 1'000'000'000;
constexpr double rounding = 1e-9;

std::string plural(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string cpus_text(double cpus) {
  std::string text = std::to_string(cpus);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

// What of a claim there is; a pool that is not configured has none.
std::int64_t room_of(const Claim& claim, const Capacity& capacity) {
  if (!claim.pool) return claim.of;
  const auto pool = capacity.pools.find(claim.on);
  return pool == capacity.pools.end() ? 0 : pool->second;
}

std::string key_of(const Claim& claim) { return (claim.pool ? "pool " : "") + claim.on; }

}  // namespace

bool Turn::operator<(const Turn& other) const {
  return std::tie(rank, run, other.path_ms, node) <
         std::tie(other.rank, other.run, path_ms, other.node);
}

std::int64_t rank_of(std::int64_t priority, std::int64_t since_ms) {
  const std::int64_t minute =
      since_ms >= 0 ? since_ms / ageing_ms : -((-since_ms + ageing_ms - 1) / ageing_ms);
  return minute - std::clamp(priority, -priority_max, priority_max);
}

void Load::add(const Demand& demand) {
  ++attempts_;
  cpus_ += demand.cpus;
  memory_bytes_ += demand.memory_bytes;
  scratch_bytes_ += demand.scratch_bytes;
  gpus_ += demand.gpus;
  for (const Claim& claim : demand.claims) claimed_[key_of(claim)] += claim.slots;
}

// Every step wants some part of a processor, so then no other one fits either.
bool Load::full(const Capacity& capacity) const {
  if (attempts_ == 0) return false;
  if (capacity.attempts > 0 && attempts_ >= capacity.attempts) return true;
  return cpus_ >= capacity.cpus;
}

const Claim* Load::crowded(const Demand& demand, const Capacity& capacity) const {
  for (const Claim& claim : demand.claims) {
    const auto taken = claimed_.find(key_of(claim));
    const std::int64_t used = taken == claimed_.end() ? 0 : taken->second;
    if (used + claim.slots > room_of(claim, capacity)) return &claim;
  }
  return nullptr;
}

std::optional<std::string> Load::obstacle(const Demand& demand, const Capacity& capacity) const {
  if (const Claim* claim = crowded(demand, capacity)) {
    const auto taken = claimed_.find(key_of(*claim));
    const std::int64_t used = taken == claimed_.end() ? 0 : taken->second;
    const std::int64_t room = room_of(*claim, capacity);
    const std::string what = claim->pool ? "pool " + claim->on : claim->on;
    return what + (used >= room ? " is full" : " has too few free slots") + ": " +
           std::to_string(used) + " of " + plural(room, "slot") + " taken" +
           (claim->slots > 1 ? ", " + std::to_string(claim->slots) + " wanted" : "");
  }
  if (gpus_ + demand.gpus > capacity.gpus && demand.gpus > 0) {
    return "gpus: needs " + std::to_string(demand.gpus) + ", " +
           std::to_string(capacity.gpus - gpus_) + " free";
  }
  if (attempts_ == 0) return std::nullopt;  // alone, anything may try: its limits are its own
  if (capacity.attempts > 0 && attempts_ >= capacity.attempts) {
    return plural(capacity.attempts, "attempt") + " may run at the same time, and so many do";
  }
  if (cpus_ + demand.cpus > capacity.cpus + rounding) {
    return "cpus: needs " + cpus_text(demand.cpus) + ", " +
           cpus_text(std::max(0.0, capacity.cpus - cpus_)) + " of " + cpus_text(capacity.cpus) +
           " free";
  }
  if (capacity.memory_bytes > 0 && memory_bytes_ + demand.memory_bytes > capacity.memory_bytes) {
    return "memory: needs " + spoken_size(demand.memory_bytes) + ", " +
           spoken_size(std::max<std::int64_t>(0, capacity.memory_bytes - memory_bytes_)) + " free";
  }
  if (capacity.scratch_bytes > 0 &&
      scratch_bytes_ + demand.scratch_bytes > capacity.scratch_bytes) {
    return "scratch: needs " + spoken_size(demand.scratch_bytes) + ", " +
           spoken_size(std::max<std::int64_t>(0, capacity.scratch_bytes - scratch_bytes_)) +
           " free";
  }
  return std::nullopt;
}

std::optional<std::string> never_fits(const Demand& demand, const Capacity& capacity) {
  if (demand.gpus > capacity.gpus) {
    return "needs " + plural(demand.gpus, "gpu") + ", and the daemon has " +
           std::to_string(capacity.gpus) + " (capacity.gpus)";
  }
  for (const Claim& claim : demand.claims) {
    if (!claim.pool) continue;
    const auto pool = capacity.pools.find(claim.on);
    if (pool == capacity.pools.end()) {
      return "pool " + claim.on + " does not exist here; the daemon's [pools] name none of this name";
    }
    if (claim.slots > pool->second) {
      return "needs " + plural(claim.slots, "slot") + " of pool " + claim.on + ", which has " +
             std::to_string(pool->second);
    }
  }
  return std::nullopt;
}

void AdmissionQueue::add(const Demand& demand, const Turn& turn) {
  const auto lane = lanes_.try_emplace(demand).first;
  if (!lane->second.empty()) {
    const Turn first = *lane->second.begin();
    lane->second.insert(turn);
    if (!(turn < first)) return;
    heads_.erase({first, lane});
  } else {
    lane->second.insert(turn);
  }
  heads_.insert({turn, lane});
}

// The lane's first has left it: the next one stands for it, or the lane is gone.
void AdmissionQueue::step_forward(Lanes::iterator lane, const Turn& first) {
  heads_.erase({first, lane});
  if (lane->second.empty()) {
    lanes_.erase(lane);
  } else {
    heads_.insert({*lane->second.begin(), lane});
  }
}

void AdmissionQueue::remove(const Demand& demand, const Turn& turn) {
  const auto lane = lanes_.find(demand);
  if (lane == lanes_.end()) return;
  const Turn first = *lane->second.begin();
  if (lane->second.erase(turn) == 0) return;
  const bool was_first = !(first < turn) && !(turn < first);
  if (was_first) step_forward(lane, first);
}

std::vector<std::pair<Turn, Demand>> AdmissionQueue::take_fitting(Load load,
                                                                  const Capacity& capacity,
                                                                  std::int64_t now_ms) {
  std::vector<std::pair<Turn, Demand>> taken;
  std::set<std::string> reserved;
  for (auto head = heads_.begin(); head != heads_.end();) {
    if (load.full(capacity)) break;
    const auto lane = head->lane;
    const Demand& demand = lane->first;
    const bool kept_free = std::any_of(demand.claims.begin(), demand.claims.end(),
                                       [&](const Claim& c) { return reserved.contains(key_of(c)); });
    const bool waited_long = now_ms - head->turn.since_ms >= reserve_after_ms;
    if (kept_free) {
      ++head;
    } else if (const Claim* crowded = load.crowded(demand, capacity)) {
      if (waited_long && crowded->pool && !never_fits(demand, capacity)) {
        reserved.insert(key_of(*crowded));
      }
      ++head;
    } else if (load.obstacle(demand, capacity)) {
      // Of processors, memory and scratch everybody takes some: what is left is left for this one.
      if (waited_long && !never_fits(demand, capacity)) break;
      ++head;
    } else {
      const Turn turn = head->turn;
      load.add(demand);
      taken.emplace_back(turn, demand);
      lane->second.erase(turn);
      step_forward(lane, turn);
      head = heads_.upper_bound({turn, lanes_.end()});
    }
  }
  return taken;
}

}  // namespace pipelined
