// The database's log: told when it stays large, once an episode.
#include "daemon/keeping/wal_watch.h"

#include <catch2/catch.hpp>

using namespace pipelined;

TEST_CASE("wal watch: a log that stays large is told once, and again after it came down",
          "[keeping][wal]") {
  WalWatch watch;
  const std::int64_t large = WalWatch::large_bytes, patience = WalWatch::patience_ms;
  CHECK_FALSE(watch.look(large - 1, 0));
  CHECK_FALSE(watch.look(large, 1000));
  CHECK_FALSE(watch.look(2 * large, 1000 + patience - 1));
  const auto told = watch.look(3 * large, 1000 + patience);
  REQUIRE(told);
  CHECK(told->find("has 288 MiB and has not shrunk for 10 minutes") != std::string::npos);
  CHECK_FALSE(watch.look(3 * large, 1000 + 2 * patience));
  CHECK_FALSE(watch.look(0, 1000 + 3 * patience));
  // What was large before counts no more.
  CHECK_FALSE(watch.look(large, 2000 + 3 * patience));
  CHECK(watch.look(large, 2000 + 4 * patience));
}
