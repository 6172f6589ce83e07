#include "dag/nearest_name.h"

#include <catch2/catch.hpp>

using namespace pipelined;

TEST_CASE("nearest name: slips of the keyboard are recognised", "[nearest]") {
  const std::vector<std::string> known = {"foreach", "operator", "params", "timeout", "in", "out"};
  CHECK(nearest_name("forech", known) == "foreach");     // left out
  CHECK(nearest_name("forreach", known) == "foreach");   // doubled
  CHECK(nearest_name("oeprator", known) == "operator");  // swapped
  CHECK(nearest_name("prams", known) == "params");
  CHECK(nearest_name("timeuot", known) == "timeout");
  CHECK(nearest_name("ou", known) == "out");
}

TEST_CASE("nearest name: what is not near is not offered", "[nearest]") {
  CHECK(nearest_name("colour", {"foreach", "retry"}).empty());
  CHECK(nearest_name("ab", {"xy"}).empty());
  CHECK(nearest_name("x", {}).empty());
  CHECK(nearest_name(std::string(100'000, 'a'), {"a"}).empty());
}

TEST_CASE("nearest name: the nearest wins, the first of equals", "[nearest]") {
  CHECK(nearest_name("trains", {"trail", "train"}) == "train");
  CHECK(nearest_name("bat", {"cat", "hat"}) == "cat");
  CHECK(did_you_mean("trian", {"train"}) == "; did you mean 'train'?");
  CHECK(did_you_mean("zzz", {"train"}).empty());
}
