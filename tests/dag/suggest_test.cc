#include <catch2/catch.hpp>

#include "dag/suggest.h"

using namespace pipelined;
using Sentences = std::vector<std::string>;

namespace {

constexpr std::int64_t mebi = 1 << 20;

ResourceSpec asks(std::int64_t memory_bytes, std::int64_t scratch_bytes, double cpus) {
  ResourceSpec asked;
  asked.memory_bytes = memory_bytes, asked.scratch_bytes = scratch_bytes, asked.cpus = cpus;
  return asked;
}

}  // namespace

TEST_CASE("suggest: a peak gets a quarter of room, in sizes that people write", "[dag][suggest]") {
  CHECK(fitting_size(1) == "64MiB");
  CHECK(fitting_size(100 * mebi) == "128MiB");
  CHECK(fitting_size(1228 * mebi) == "1536MiB");
  CHECK(fitting_size(3200 * mebi) == "4GiB");
}

TEST_CASE("suggest: what was used is said with what would fit", "[dag][suggest]") {
  const StepUse use{"train", 9, 1228 * mebi, 0, 0, 0, 0};
  CHECK(suggest_resources(use, {}) ==
        Sentences{"peak 1.2 GiB over 9 attempts; memory = \"1536MiB\" would fit"});
  CHECK(suggest_resources(use, asks(8192 * mebi, 0, 0)) ==
        Sentences{"peak 1.2 GiB over 9 attempts; memory = \"1536MiB\" would fit, it asks for \"8GiB\""});
  CHECK(suggest_resources(use, asks(2048 * mebi, 0, 0)) ==
        Sentences{"peak 1.2 GiB over 9 attempts; memory = \"2GiB\" fits"});
  CHECK(suggest_resources(use, asks(1280 * mebi, 0, 0)) ==
        Sentences{"peak 1.2 GiB over 9 attempts; memory = \"1280MiB\" is narrow, \"1536MiB\" would "
                  "leave room"});
}

TEST_CASE("suggest: after running out the next size is named", "[dag][suggest]") {
  const StepUse use{"train", 2, 512 * mebi, 0, 2, 0, 0};
  CHECK(suggest_resources(use, asks(512 * mebi, 0, 0)) ==
        Sentences{"ran out of memory 2 times at 512.0 MiB; memory = \"960MiB\" is the next to try"});
}

TEST_CASE("suggest: idle processors are given back, busy ones are not spoken of", "[dag][suggest]") {
  StepUse use{"train", 1, 0, 0, 0, 0, 1.05};
  CHECK(suggest_resources(use, asks(0, 0, 4)) ==
        Sentences{"kept at most 1 processor busy over 1 attempt; cpus = 1 would do"});
  use.cpus_most = 3.4;
  CHECK(suggest_resources(use, asks(0, 0, 4)).empty());
  CHECK(suggest_resources({}, asks(1, 1, 1)).empty());
}
