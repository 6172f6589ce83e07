// pipelined-sim: seeds through the simulated machine; see docs/simulation.md.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/sim/world.h"

namespace {

using namespace pipelined;
using sim::Hits;

constexpr std::int64_t hits_min = 100;

struct Arguments {
  std::uint64_t first = 1, count = 500;
  PlantedBug planted = PlantedBug::none;
  bool trace = false, planted_all = false;
};

constexpr std::pair<const char*, PlantedBug> planted_bugs[] = {
    {"count_faults", PlantedBug::count_faults},
    {"forget_acceptance", PlantedBug::forget_acceptance},
    {"cache_failures", PlantedBug::cache_failures},
    {"double_fire", PlantedBug::double_fire},
    {"skip_halted_span", PlantedBug::skip_halted_span},
};

int usage() {
  std::fprintf(stderr,
               "usage: pipelined-sim [--first SEED] [--count N] [--trace] [--planted NAME|all]\n");
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
    if (word == "--first") arguments.first = std::strtoull(value.c_str(), nullptr, 10);
    else if (word == "--count") arguments.count = std::strtoull(value.c_str(), nullptr, 10);
    else if (word == "--planted" && value == "all") arguments.planted_all = true;
    else if (word == "--planted") {
      for (const auto& [name, bug] : planted_bugs) {
        if (value == name) arguments.planted = bug;
      }
      if (arguments.planted == PlantedBug::none) return false;
    } else {
      return false;
    }
  }
  return true;
}

struct Outcome1 {
  std::string sentence;  ///< empty: nothing was violated
  std::string digest;
  std::size_t runs = 0, steps = 0, spans = 0;
};

Outcome1 live(std::uint64_t seed, Hits& hits, PlantedBug planted, bool trace) {
  sim::World world(seed, hits, planted, trace);
  Outcome1 outcome;
  try {
    world.live();
  } catch (const sim::Violation& violation) {
    outcome.sentence = violation.sentence;
  }
  outcome.digest = world.history_digest();
  outcome.runs = world.runs();
  outcome.steps = world.steps();
  outcome.spans = world.spans();
  return outcome;
}

/// Each planted bug must be found within the seeds.
int find_planted(const Arguments& arguments) {
  int missed = 0;
  for (const auto& [name, bug] : planted_bugs) {
    Hits hits;
    std::uint64_t found = 0;
    std::string sentence;
    for (std::uint64_t seed = arguments.first; seed < arguments.first + arguments.count; ++seed) {
      sentence = live(seed, hits, bug, false).sentence;
      if (!sentence.empty()) {
        found = seed;
        break;
      }
    }
    if (found == 0) ++missed;
    std::printf("planted %-20s %s\n", name,
                found == 0 ? "NOT FOUND" : ("seed " + std::to_string(found) + ": " + sentence).c_str());
  }
  return missed == 0 ? 0 : 1;
}

int run_seeds(const Arguments& arguments) {
  Hits hits;
  std::size_t violations = 0, thin = 0, steps = 0, runs = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = arguments.first; seed < arguments.first + arguments.count; ++seed) {
    const Outcome1 outcome = live(seed, hits, arguments.planted, arguments.trace);
    if (!outcome.sentence.empty()) {
      ++violations;
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed),
                  outcome.sentence.c_str());
      if (violations == 10) break;
      continue;
    }
    if (outcome.steps < 200 || outcome.runs < 5 || outcome.spans < 2) ++thin;
    steps += outcome.steps;
    runs += outcome.runs;
    if (seed % 25 == 0 && arguments.planted == PlantedBug::none) {
      Hits again;
      if (live(seed, again, arguments.planted, false).digest != outcome.digest) {
        ++violations;
        std::printf("seed %llu: a second run was different\n", static_cast<unsigned long long>(seed));
      }
    }
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%llu seeds, %zu runs, %zu steps in %.1f s; %zu violations, %zu seeds too thin\n",
              static_cast<unsigned long long>(arguments.count), runs, steps, seconds, violations, thin);
  bool rare = false;
  for (const auto& [kind, times] : hits) {
    const bool low = arguments.count >= 500 && times < hits_min;
    rare = rare || low;
    std::printf("  %7lld  %s%s\n", static_cast<long long>(times), kind.c_str(),
                low ? "  TOO RARE" : "");
  }
  return violations == 0 && thin == 0 && !rare ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (!read(argc, argv, arguments)) return usage();
  return arguments.planted_all ? find_planted(arguments) : run_seeds(arguments);
}
