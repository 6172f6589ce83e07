// Calls of webhooks: who fires a trigger, and who does not.
#include <catch2/catch.hpp>
#include <chrono>

#include "dag/hook_signature.h"
#include "tests/api/fake_backend.h"
#include "tests/api/raw_client.h"

using namespace pipelined;
using namespace pipelined::test;

namespace {

constexpr const char* secret = "hush-hush-hush";
constexpr const char* hook = "/api/v1/hooks/flights/push";

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch()).count();
}

struct Call {
  std::string target = hook, id = "d1", body = R"({"params":{"depth":7},"sender":"a shop"})";
  std::int64_t at = seconds_now();
  std::string signature = "", authorization = "";

  Call& sign(const std::string& with = secret) {
    signature = hook_signature(with, id, at, body);
    return *this;
  }
  std::string text(std::uint16_t port) const {
    std::string made = "POST " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                       "\r\nContent-Type: application/json\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\n";
    if (!id.empty()) made += "Webhook-Id: " + id + "\r\n";
    if (!signature.empty()) {
      made += "webhook-timestamp: " + std::to_string(at) + "\r\nwebhook-signature: " + signature +
              "\r\n";
    }
    if (!authorization.empty()) made += "Authorization: " + authorization + "\r\n";
    return made + "Connection: close\r\n\r\n" + body;
  }
};

int answer(TestDaemon& daemon, const Call& call) {
  RawConnection connection(daemon.port());
  connection.send(call.text(daemon.port()));
  return status_of(connection.rest());
}

}  // namespace

TEST_CASE("hooks: the signature is that of the specification", "[api][hooks]") {
  // RFC 4231, test cases 2 and 6 (a key longer than a block).
  CHECK(hmac_sha256("Jefe", "what do ya want for nothing?").hex() ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac_sha256(std::string(131, '\xaa'),
                    "Test Using Larger Than Block-Size Key - Hash Key First").hex() ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(same_secret("a", "a"));
  CHECK_FALSE(same_secret("a", "ab"));
}

TEST_CASE("hooks: a signed call fires its trigger with the parameters in it", "[api][hooks]") {
  TestDaemon daemon;
  CHECK(answer(daemon, Call().sign()) == 200);
  Call token;
  token.authorization = std::string("Bearer ") + secret;
  CHECK(answer(daemon, token) == 200);
  Call rotated;  // while a secret is changed, a call may have two signatures
  rotated.sign("the old one").signature += " " + hook_signature(secret, "d1", rotated.at, rotated.body);
  CHECK(answer(daemon, rotated) == 200);
  Call bare;
  bare.body = "";
  CHECK(answer(daemon, bare.sign()) == 200);
  std::vector<Event> submitted;
  daemon.on_loop([&](FakeBackend& backend) { submitted = backend.submitted; });
  REQUIRE(submitted.size() == 4);
  const auto& call = std::get<event::HookCalled>(submitted.front());
  CHECK(call.pipeline == "flights");
  CHECK(call.hook == "push");
  CHECK(call.delivery == "d1");
  CHECK(call.params == ValueTable{{"depth", 7}});
  CHECK(call.who == "webhook push");
}

TEST_CASE("hooks: who does not know the secret fires nothing and learns nothing",
          "[api][hooks][security]") {
  TestDaemon daemon;
  std::vector<Call> wrong(12);
  wrong[1].sign("another secret");
  wrong[2].sign(), wrong[2].body[12] = 'x';       // another body of the same length
  wrong[3].sign(), wrong[3].id = "d2";            // an id that was not signed
  wrong[4].at -= 301, wrong[4].sign();            // a call that was kept
  wrong[5].at += 301, wrong[5].sign();
  wrong[6].sign(), wrong[6].at += 1;              // a time that was not signed
  wrong[7].target = "/api/v1/hooks/flights/pull", wrong[7].sign();
  wrong[8].target = "/api/v1/hooks/nobody/push", wrong[8].sign();
  wrong[9].authorization = "Bearer hush-hush-hus";
  wrong[10].sign(""), wrong[10].authorization = std::string("Bearer ") + secret;
  wrong[11].authorization = std::string("Bearer ") + writer_token;  // a role is no signature
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    INFO(i);
    CHECK(answer(daemon, wrong[i]) == 401);
  }
  daemon.on_loop([](FakeBackend& backend) { CHECK(backend.submitted.empty()); });
}

TEST_CASE("hooks: a call without an id, too large or not JSON is refused", "[api][hooks]") {
  TestDaemon daemon;
  Call nameless;
  nameless.id = "";
  nameless.authorization = std::string("Bearer ") + secret;
  CHECK(answer(daemon, nameless) == 400);
  Call large;
  large.body = "{\"params\":{\"p\":\"" + std::string(64 << 10, 'x') + "\"}}";
  CHECK(answer(daemon, large.sign()) == 413);
  Call text;
  text.body = "hello";
  CHECK(answer(daemon, text.sign()) == 400);
  daemon.on_loop([](FakeBackend& backend) { CHECK(backend.submitted.empty()); });
}
