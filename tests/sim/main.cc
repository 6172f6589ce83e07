// pipelined-sim: seeds through the simulated machine; see docs/simulation.md.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <tuple>

#include "tests/sim/many_steps.h"
#include "tests/sim/world.h"

namespace {

using namespace pipelined;
using sim::Happening;
using sim::Hits;
using sim::Scenario;

constexpr std::int64_t hits_min = 100;
/// Enough to shrink every planted bug; what is over is not worth a person's wait.
constexpr int lives_max = 1500;

struct Arguments {
  std::uint64_t first = 1, count = 500, shrink = 0;
  std::int64_t steps = 0;
  PlantedBug planted = PlantedBug::none;
  std::string scenario;
  bool trace = false, planted_all = false;
};

int usage() {
  std::fprintf(stderr,
               "usage: pipelined-sim [--first SEED] [--count N] [--trace] [--planted NAME|all]\n"
               "       pipelined-sim --shrink SEED [--planted NAME]   prints a scenario\n"
               "       pipelined-sim --scenario FILE [--trace]        lives it again\n"
               "       pipelined-sim --steps N                        many steps, no faults\n");
  return 2;
}

bool read(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--trace") {
      arguments.trace = true;
      continue;
    }
    if (i + 1 == argc) return false;
    const std::string value = argv[++i];
    const std::uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
    if (word == "--first") arguments.first = number;
    else if (word == "--count") arguments.count = number;
    else if (word == "--shrink") arguments.shrink = number;
    else if (word == "--steps") arguments.steps = static_cast<std::int64_t>(number);
    else if (word == "--scenario") arguments.scenario = value;
    else if (word == "--planted" && value == "all") arguments.planted_all = true;
    else if (const auto bug = sim::planted_bug(value); word == "--planted" && bug) {
      arguments.planted = *bug;
    } else {
      return false;
    }
  }
  return true;
}

struct Life : sim::Lived {
  std::string digest;
  std::size_t runs = 0, count = 0, spans = 0;
  std::int64_t lived_ms = 0;
};

Life live(const Scenario& scenario, Hits& hits, bool trace) {
  Life life;
  try {
    sim::World world(scenario, hits, trace);
    try {
      world.live();
    } catch (const sim::Violation& violation) {
      life.sentence = violation.sentence;
    }
    life.digest = world.history_digest();
    life.happened = world.happened();
    life.steps = world.step_names();
    life.runs = world.runs();
    life.count = world.steps();
    life.spans = world.spans();
    life.lived_ms = world.lived_ms();
  } catch (const sim::Unfit&) {
    // Nothing was lived, nothing violated.
  }
  return life;
}

sim::Lived live_quietly(const Scenario& scenario) {
  Hits hits;
  return live(scenario, hits, false);
}

/// Each planted bug must be found within the seeds.
int find_planted(const Arguments& arguments) {
  int missed = 0;
  for (const PlantedBug bug : sim::planted_bugs()) {
    std::uint64_t found = 0;
    std::string sentence;
    for (std::uint64_t seed = arguments.first; seed < arguments.first + arguments.count; ++seed) {
      sentence = live_quietly({seed, bug, {}, {}}).sentence;
      if (!sentence.empty()) {
        found = seed;
        break;
      }
    }
    if (found == 0) ++missed;
    std::printf("planted %-20s %s\n", sim::name_of(bug),
                found == 0 ? "NOT FOUND" : ("seed " + std::to_string(found) + ": " + sentence).c_str());
  }
  return missed == 0 ? 0 : 1;
}

int shrink_seed(const Arguments& arguments) {
  const Scenario whole{arguments.shrink, arguments.planted, {}, {}};
  const sim::Lived before = live_quietly(whole);
  if (before.sentence.empty()) {
    std::fprintf(stderr, "pipelined-sim: seed %llu violates nothing, so there is nothing to shrink\n",
                 static_cast<unsigned long long>(arguments.shrink));
    return 1;
  }
  const Scenario small = sim::shrink(whole, live_quietly, lives_max);
  const sim::Lived after = live_quietly(small);
  std::fputs(text_of(small, after.happened, after.sentence).c_str(), stdout);
  std::fprintf(stderr, "%zu of %zu happenings and %zu of %zu steps are left\n",
               small.keep ? small.keep->size() : before.happened.size(), before.happened.size(),
               before.steps.size() - small.without.size(), before.steps.size());
  return 0;
}

int live_scenario(const Arguments& arguments) {
  std::ifstream file(arguments.scenario);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) {
    std::fprintf(stderr, "pipelined-sim: cannot read %s\n", arguments.scenario.c_str());
    return 2;
  }
  const auto scenario = sim::parse_scenario(text.str());
  if (!scenario) {
    std::fprintf(stderr, "pipelined-sim: %s\n", scenario.error().message.c_str());
    return 2;
  }
  Hits hits;
  const Life life = live(*scenario, hits, arguments.trace);
  std::printf("seed %llu: %s\n", static_cast<unsigned long long>(scenario->seed),
              life.sentence.empty() ? "nothing was violated" : life.sentence.c_str());
  return life.sentence.empty() ? 0 : 1;
}

/// Figures over all seeds, and what was wrong.
struct Totals {
  std::size_t violations = 0, thin = 0, steps = 0, runs = 0;
  std::int64_t lived_ms = 0, shortest_ms = INT64_MAX;
};

void count(const Life& life, Totals& totals) {
  if (life.count < 200 || life.runs < 5 || life.spans < 2 || life.lived_ms < sim::life_ms) ++totals.thin;
  totals.steps += life.count;
  totals.runs += life.runs;
  totals.lived_ms += life.lived_ms;
  totals.shortest_ms = std::min(totals.shortest_ms, life.lived_ms);
}

bool print_hits(const Hits& hits, std::uint64_t seeds) {
  bool rare = false;
  for (const auto& [kind, times] : hits) {
    const bool low = seeds >= 500 && times < hits_min;
    rare = rare || low;
    std::printf("  %7lld  %s%s\n", static_cast<long long>(times), kind.c_str(),
                low ? "  TOO RARE" : "");
  }
  return rare;
}

int run_seeds(const Arguments& arguments) {
  Hits hits;
  Totals totals;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = arguments.first; seed < arguments.first + arguments.count; ++seed) {
    const Scenario scenario{seed, arguments.planted, {}, {}};
    const Life life = live(scenario, hits, arguments.trace);
    if (!life.sentence.empty()) {
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), life.sentence.c_str());
      if (++totals.violations == 10) break;
      continue;
    }
    count(life, totals);
    if (seed % 25 != 0 || arguments.planted != PlantedBug::none) continue;
    Hits again;
    if (live(scenario, again, false).digest != life.digest) {
      ++totals.violations;
      std::printf("seed %llu: a second run was different\n", static_cast<unsigned long long>(seed));
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%llu seeds, %zu runs, %zu steps, %lld simulated days (%.1f at least) in %.1f s; "
              "%zu violations, %zu seeds too thin\n",
              static_cast<unsigned long long>(arguments.count), totals.runs, totals.steps,
              static_cast<long long>(totals.lived_ms / 86'400'000),
              static_cast<double>(totals.shortest_ms) / 86'400'000.0, seconds, totals.violations,
              totals.thin);
  const bool rare = print_hits(hits, arguments.count);
  return totals.violations == 0 && totals.thin == 0 && !rare ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!read(argc, argv, arguments)) return usage();
  if (arguments.steps > 0) return sim::run_many_steps(arguments.steps);
  if (!arguments.scenario.empty()) return live_scenario(arguments);
  if (arguments.shrink > 0) return shrink_seed(arguments);
  return arguments.planted_all ? find_planted(arguments) : run_seeds(arguments);
}
