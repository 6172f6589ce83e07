#include "daemon/api/access.h"

#include <catch2/catch.hpp>

using namespace pipelined::api;

TEST_CASE("access: root, the own user and group members may use the socket",
          "[api][access][security]") {
  const SocketPolicy policy{1000, {50, 60}};
  CHECK(caller_of(Peer{0, {0}, "root"}, policy).role == Role::writer);
  CHECK(caller_of(Peer{1000, {1000}, "me"}, policy).role == Role::writer);
  CHECK(caller_of(Peer{1001, {1001, 60}, "friend"}, policy).role == Role::writer);
  CHECK(caller_of(Peer{1001, {1001}, "stranger"}, policy).role == Role::anyone);
  CHECK(caller_of(Peer{1001, {}, ""}, policy).who == "uid 1001");
}

TEST_CASE("access: a token gives its role, anything else none", "[api][access][security]") {
  const std::string text = "0123456789abcdef0123456789abcdef";
  const std::vector<Token> tokens = {*make_token("ci", text, Role::reader)};
  CHECK(caller_of("Bearer " + text, tokens).role == Role::reader);
  CHECK(caller_of("Bearer " + text, tokens).who == "token ci");
  for (const std::string& wrong : {std::string(), text, "bearer " + text, "Basic " + text,
                                   "Bearer " + text + " ", "Bearer  " + text, std::string("Bearer ")}) {
    CAPTURE(wrong);
    CHECK(caller_of(wrong, tokens).role == Role::anyone);
  }
  CHECK(caller_of("Bearer ", {}).role == Role::anyone);
}

TEST_CASE("access: tokens with less than 128 bits are refused", "[api][access][security]") {
  for (const char* weak : {"", "secret", "0123456789abcdef", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                           "0123456789abcdef 123456789abcdef"}) {
    CAPTURE(weak);
    CHECK_FALSE(make_token("x", weak, Role::writer));
  }
  CHECK(make_token("x", "q83vEjRWeJCrze8SNFZ4kA", Role::writer));
}

TEST_CASE("access: only our own names are taken as Host", "[api][access][security]") {
  for (const char* ours : {"localhost:8080", "127.0.0.1:8080", "[::1]:8080"}) {
    CHECK(is_our_host(ours, 8080));
  }
  for (const char* other : {"", "localhost", "localhost:80", "evil.example:8080", "127.0.0.1:80801",
                            "localhost:8080.evil.example", "127.0.0.1.evil.example:8080"}) {
    CAPTURE(other);
    CHECK_FALSE(is_our_host(other, 8080));
  }
}
