#include "daemon/api/target.h"

#include <catch2/catch.hpp>

#include "daemon/api/protocol.h"

using namespace pipelined::api;

TEST_CASE("target: path and query are decoded once", "[api][target]") {
  const auto target = parse_target("/api/v1/runs/4?step=a%20b&x=%252e&empty");
  REQUIRE(target);
  CHECK(target->parts == std::vector<std::string>{"api", "v1", "runs", "4"});
  CHECK(target->query.find("step")->second == "a b");
  CHECK(target->query.find("x")->second == "%2e");
  CHECK(target->query.find("empty")->second.empty());
}

TEST_CASE("target: what could be read in two ways is refused", "[api][target][security]") {
  const char* text = GENERATE(
      "", "api", "http://h/api", "//api", "/api//v1", "/api/", "/api/./v1", "/api/../etc",
      "/api/%2e%2e/etc", "/api/%2E%2e/etc", "/api/..%2fetc", "/api/%2fetc", "/api\\v1", "/api/%5cv1",
      "/api/..\\..", "/api/%00", "/api/a%0ab", "/api/%", "/api/%2", "/api/%zz", "/api/%c0%ae%c0%ae",
      "/api/%ff", "/api/a?x=%zz", "/api/a?x=1&x=2", "/api/a?x=%00", "/api/%e2%80", "*");
  CAPTURE(text);
  CHECK_FALSE(parse_target(text));
}

TEST_CASE("target: length and number of parts are bounded", "[api][target]") {
  CHECK_FALSE(parse_target("/" + std::string(9000, 'a')));
  std::string many;
  for (int i = 0; i < 40; ++i) many += "/a";
  CHECK_FALSE(parse_target(many));
  std::string query = "/a?";
  for (int i = 0; i < 40; ++i) query += "k" + std::to_string(i) + "=1&";
  CHECK_FALSE(parse_target(query));
}

TEST_CASE("target: encoding is undone by decoding", "[api][target]") {
  const std::string text = "a/b c%?&=ü\x01";
  CHECK(percent_decode(pipelined::protocol::percent_encode(text)).value() == text);
  CHECK(pipelined::protocol::percent_encode("a-b_c.d~e") == "a-b_c.d~e");
}
