#include "dag/digest.h"

#include <catch2/catch.hpp>
#include <unordered_set>

using namespace pipelined;

// From the standard's own examples.
constexpr const char* digest_of_nothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* digest_of_abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST_CASE("digest: known values", "[digest]") {
  CHECK(sha256("").hex() == digest_of_nothing);
  CHECK(sha256("abc").hex() == digest_of_abc);
  CHECK(sha256("abc").brief() == "ba7816bf8f01");
}

TEST_CASE("digest: pieces make the same as the whole", "[digest]") {
  const std::string text(100'000, 'x');
  Sha256 pieces;
  for (std::size_t at = 0; at < text.size(); at += 777) {
    pieces.update(std::string_view(text).substr(at, 777));
  }
  CHECK(pieces.finish() == sha256(text));
}

TEST_CASE("digest: reading takes 64 small hexadecimal digits and nothing else", "[digest]") {
  const auto digest = parse_digest(digest_of_abc);
  REQUIRE(digest);
  CHECK(*digest == sha256("abc"));
  CHECK(digest->hex() == digest_of_abc);
  const std::string text = digest_of_abc;
  CHECK_FALSE(parse_digest(""));
  CHECK_FALSE(parse_digest(text.substr(1)));
  CHECK_FALSE(parse_digest(text + "0"));
  CHECK_FALSE(parse_digest("B" + text.substr(1)));
  CHECK_FALSE(parse_digest("g" + text.substr(1)));
  CHECK_FALSE(parse_digest(" " + text.substr(1)));
}

TEST_CASE("digest: all zero names nothing", "[digest]") {
  CHECK_FALSE(Digest{});
  CHECK(sha256(""));
  CHECK(Digest{} < sha256(""));
  const std::unordered_set<Digest> set = {sha256("a"), sha256("b"), sha256("a")};
  CHECK(set.size() == 2);
}
