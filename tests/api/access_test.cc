#include "daemon/api/access.h"

#include <catch2/catch.hpp>
#include <set>

using namespace pipelined::api;

TEST_CASE("access: the socket gives the highest role of user and groups",
          "[api][access][security]") {
  const SocketPolicy policy{
      1000, {{1002, Role::viewer}}, {{50, Role::viewer}, {60, Role::reviewer}}};
  CHECK(caller_of(Peer{0, {0}, "root", 0}, policy).role == Role::admin);
  CHECK(caller_of(Peer{1000, {1000}, "me", 0}, policy).role == Role::admin);
  CHECK(caller_of(Peer{1001, {1001, 60}, "friend", 0}, policy).role == Role::reviewer);
  CHECK(caller_of(Peer{1002, {1002}, "reads", 0}, policy).role == Role::viewer);
  CHECK(caller_of(Peer{1002, {1002, 50, 60}, "both", 0}, policy).role == Role::reviewer);
  CHECK(caller_of(Peer{1001, {1001}, "stranger", 0}, policy).role == Role::anyone);
  CHECK(caller_of(Peer{1001, {}, "", 0}, policy).who == "uid 1001");
  CHECK(caller_of(Peer{1001, {}, "", 17}, policy).from == "socket pid 17");
}

TEST_CASE("access: a token gives its role, anything else none", "[api][access][security]") {
  const std::string text = "0123456789abcdef0123456789abcdef";
  const TokenBook tokens({*make_token("ci", text, Role::viewer)});
  CHECK(tokens.caller_of("Bearer " + text, 0).role == Role::viewer);
  CHECK(tokens.caller_of("Bearer " + text, 0).who == "token ci");
  for (const std::string& wrong : {std::string(), text, "bearer " + text, "Basic " + text,
                                   "Bearer " + text + " ", "Bearer  " + text, std::string("Bearer ")}) {
    CAPTURE(wrong);
    CHECK(tokens.caller_of(wrong, 0).role == Role::anyone);
  }
  CHECK(TokenBook().caller_of("Bearer ", 0).role == Role::anyone);
}

TEST_CASE("access: a token is good until the moment at which it expires",
          "[api][access][security]") {
  const std::string text = "0123456789abcdef0123456789abcdef";
  Token token = *make_token("ci", text, Role::admin);
  token.expires_at = 1000;
  const TokenBook tokens({token});
  CHECK(tokens.caller_of("Bearer " + text, 999).role == Role::admin);
  CHECK(tokens.caller_of("Bearer " + text, 1000).role == Role::anyone);
  CHECK(tokens.has_good(999));
  CHECK_FALSE(tokens.has_good(1000));
}

TEST_CASE("access: a new token's text holds all of its 256 bits", "[api][access][security]") {
  std::array<std::uint8_t, 32> random{};
  CHECK(token_text(random) == "plt_" + std::string(43, 'A'));
  std::set<std::string> texts;
  for (std::size_t bit = 0; bit < 256; ++bit) {
    std::array<std::uint8_t, 32> other{};
    other[bit / 8] = static_cast<std::uint8_t>(1u << bit % 8);
    texts.insert(token_text(other));
  }
  CHECK(texts.size() == 256);
  for (std::size_t i = 0; i < random.size(); ++i) random[i] = static_cast<std::uint8_t>(i * 37);
  CHECK(make_token("x", token_text(random), Role::admin));
}

TEST_CASE("access: tokens with less than 128 bits are refused", "[api][access][security]") {
  for (const char* weak : {"", "secret", "0123456789abcdef", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                           "0123456789abcdef 123456789abcdef"}) {
    CAPTURE(weak);
    CHECK_FALSE(make_token("x", weak, Role::operator_));
  }
  CHECK(make_token("x", "q83vEjRWeJCrze8SNFZ4kA", Role::operator_));
}

TEST_CASE("access: only our own names are taken as Host", "[api][access][security]") {
  for (const char* ours : {"localhost:8080", "127.0.0.1:8080", "[::1]:8080"}) {
    CHECK(is_our_host(ours, 8080, {}));
  }
  for (const char* other : {"", "localhost", "localhost:80", "evil.example:8080", "127.0.0.1:80801",
                            "localhost:8080.evil.example", "127.0.0.1.evil.example:8080"}) {
    CAPTURE(other);
    CHECK_FALSE(is_our_host(other, 8080, {}));
  }
}

TEST_CASE("access: names of the configuration are taken as Host with any port",
          "[api][access][security]") {
  const std::vector<std::string> names = {"ml.example.org"};
  for (const char* ours : {"ml.example.org", "ML.example.org:443", "ml.example.org:8443"}) {
    CHECK(is_our_host(ours, 8080, names));
  }
  for (const char* other : {"ml.example.org.evil.example", "xml.example.org", "ml.example.org:",
                            "ml.example.org:80:80", "ml.example.org:x", "ml.example.org/"}) {
    CAPTURE(other);
    CHECK_FALSE(is_our_host(other, 8080, names));
  }
}
