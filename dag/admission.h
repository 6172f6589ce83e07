// Who starts next: what attempts take, what there is, and the order of waiting work.
//
// Nothing is counted up and down: what is taken is added up anew from the live attempts each time
// (`Load`).  Work that wants the same stands in one lane, so that ten thousand elements waiting for
// one slot cost one look.  Order: a point of priority is worth a minute of waiting, so waiting work
// rises and is never starved; then the older run, then the longest way to the end.  Knows neither
// runs nor steps; no clock.  One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "dag/records.h"

namespace pipelined {

/// What the machine gives to attempts altogether.
struct Capacity {
  double cpus = 1;
  std::int64_t memory_bytes = 0;  ///< 0: not limited
  std::int64_t attempts = 0;      ///< at the same time; 0: not limited
  std::int64_t scratch_bytes = 0; ///< 0: not limited
  std::int64_t gpus = 0;          ///< none unless said
  std::map<std::string, std::int64_t> pools = {};  ///< named pools and their slots
  std::int64_t decisions = 2000;  ///< steps and elements decided after one event, at least 1
  bool closed = false;            ///< nothing new is started: the daemon is about to stop
};

/// A part of something that only so many attempts may have at the same time.
struct Claim {
  std::string on;                 ///< a pool's name, or a text that names a limit of a run
  std::int64_t slots = 1;
  std::int64_t of = 0;            ///< how many there are; of a pool the capacity says it
  bool pool = false;
  auto operator<=>(const Claim&) const = default;
};

/// What one attempt takes while it lives.
struct Demand {
  double cpus = 1;
  std::int64_t memory_bytes = 0, scratch_bytes = 0, gpus = 0;
  std::vector<Claim> claims;
  auto operator<=>(const Demand&) const = default;
};

/// A place in the order of waiting work; smaller goes first.
struct Turn {
  std::int64_t rank = 0;          ///< minute in which it began to wait, less its priority
  RunNumber run = 0;
  std::int64_t path_ms = 0;       ///< longest way to the end of the run: critical path first
  std::uint32_t node = 0;
  std::int64_t since_ms = 0;      ///< steady time at which it began to wait
  bool operator<(const Turn& other) const;
};

/// The rank of work with this priority that began to wait at this steady time.
std::int64_t rank_of(std::int64_t priority, std::int64_t since_ms);

/// What live attempts take.
class Load {
 public:
  void add(const Demand& demand);
  /// Nothing fits beside it, whatever it wants.
  bool full(const Capacity& capacity) const;
  /// Why the demand does not fit beside it ("memory: needs 8 GiB, 3 GiB free"); nothing: it fits.
  std::optional<std::string> obstacle(const Demand& demand, const Capacity& capacity) const;
  /// The claim that finds no room, if one does.
  const Claim* crowded(const Demand& demand, const Capacity& capacity) const;
  std::int64_t attempts() const { return attempts_; }

 private:
  double cpus_ = 0;
  std::int64_t attempts_ = 0, memory_bytes_ = 0, scratch_bytes_ = 0, gpus_ = 0;
  std::map<std::string, std::int64_t> claimed_;
};

/// Why the demand can never fit, even alone ("pool gpu does not exist here"); nothing: it can.
/// Alone, a step may take more processors, memory and scratch space than there are: its own limits
/// hold it.
std::optional<std::string> never_fits(const Demand& demand, const Capacity& capacity);

/// Work that waits for a slot.
class AdmissionQueue {
 public:
  void add(const Demand& demand, const Turn& turn);
  /// REQUIRES: it was added with that demand and turn and has not started.
  void remove(const Demand& demand, const Turn& turn);
  bool empty() const { return heads_.empty(); }

  /// Takes out, in order, all that fits beside `load` now.  Work that found no room for
  /// `reserve_after_ms` lets nobody behind it take what it waits for.
  std::vector<std::pair<Turn, Demand>> take_fitting(Load load, const Capacity& capacity,
                                                    std::int64_t now_ms);

  static constexpr std::int64_t reserve_after_ms = 300'000;

 private:
  using Lanes = std::map<Demand, std::set<Turn>>;
  struct Head {
    Turn turn;
    Lanes::iterator lane;
    bool operator<(const Head& other) const { return turn < other.turn; }
  };
  void step_forward(Lanes::iterator lane, const Turn& first);

  Lanes lanes_;
  std::set<Head> heads_;          ///< the first of each lane
};

}  // namespace pipelined
