#include "daemon/notify/webhook_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include <catch2/catch.hpp>

#include "tests/notify/receiver.h"

namespace pipelined {
namespace {

using testing::Loop;
using testing::Receiver;
using testing::reply;

/// Sends one request and gives what came of it.
Result<int> post_once(const std::string& url, WebhookLimits limits = {}) {
  Loop loop;
  std::optional<Result<int>> outcome;
  WebhookClient client([&loop](std::function<void()> task) { loop.post(std::move(task)); }, limits);
  client.send({url, "flights/2013-12/validate", "{\"id\":1}"},
              [&outcome](Result<int> status) { outcome = std::move(status); });
  CHECK_FALSE(outcome.has_value());  // never inside the call
  REQUIRE(loop.run_until([&outcome] { return outcome.has_value(); }));
  return *outcome;
}

bool is_private(const std::string& text) {
  sockaddr_in four{};
  four.sin_family = AF_INET;
  if (inet_pton(AF_INET, text.c_str(), &four.sin_addr) == 1) {
    return is_private_address(reinterpret_cast<const sockaddr&>(four));
  }
  sockaddr_in6 six{};
  six.sin6_family = AF_INET6;
  REQUIRE(inet_pton(AF_INET6, text.c_str(), &six.sin6_addr) == 1);
  return is_private_address(reinterpret_cast<const sockaddr&>(six));
}

}  // namespace

TEST_CASE("webhook client: a request arrives with its key and its JSON", "[notify]") {
  Receiver receiver([](std::size_t) { return reply(204); });
  const auto status = post_once(receiver.url());
  REQUIRE(status);
  CHECK(*status == 204);
  const auto requests = receiver.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].head.rfind("POST /hook HTTP/1.1", 0) == 0);
  CHECK(requests[0].header("Idempotency-Key") == "flights/2013-12/validate");
  CHECK(requests[0].header("Content-Type") == "application/json");
  CHECK(requests[0].body == "{\"id\":1}");
}

TEST_CASE("webhook client: a receiver that hangs is given up in time", "[notify]") {
  Receiver receiver([](std::size_t) { return ""; });
  WebhookLimits limits;
  limits.timeout_ms = 200;
  const auto status = post_once(receiver.url(), limits);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::unavailable);
  CHECK(status.error().message.find("no reply in time") != std::string::npos);
}

TEST_CASE("webhook client: a redirect is an answer, not a way", "[notify]") {
  Receiver other([](std::size_t) { return reply(200); });
  Receiver receiver([&other](std::size_t) {
    return "HTTP/1.1 302 Found\r\nLocation: " + other.url() +
           "\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
  });
  const auto status = post_once(receiver.url());
  REQUIRE(status);
  CHECK(*status == 302);
  CHECK(other.requests().empty());
}

TEST_CASE("webhook client: a long reply is cut, its status counts", "[notify]") {
  Receiver receiver([](std::size_t) { return reply(200, std::string(1 << 20, 'x')); });
  const auto status = post_once(receiver.url());
  REQUIRE(status);
  CHECK(*status == 200);
}

TEST_CASE("webhook client: a name that leads to this machine is refused, its address is not",
          "[notify]") {
  Receiver receiver([](std::size_t) { return reply(200); });
  const auto by_name = post_once(receiver.url("sink.localhost"));
  REQUIRE_FALSE(by_name);
  CHECK(by_name.error().code == ErrorCode::denied);
  CHECK(receiver.requests().empty());
  CHECK(post_once(receiver.url("localhost")));
  CHECK(post_once(receiver.url("127.0.0.1")));
  CHECK(receiver.requests().size() == 2);
}

TEST_CASE("webhook client: nobody listening is an error in words", "[notify]") {
  std::string url;
  {
    Receiver receiver([](std::size_t) { return reply(200); });
    url = receiver.url();
  }
  const auto status = post_once(url);
  REQUIRE_FALSE(status);
  CHECK(status.error().message.find(url) != std::string::npos);
  CHECK_FALSE(post_once("file:///etc/passwd"));
  CHECK_FALSE(post_once("not a url"));
}

TEST_CASE("webhook client: one that hangs does not hold up another", "[notify]") {
  Receiver hangs([](std::size_t) { return ""; });
  Receiver answers([](std::size_t) { return reply(200); });
  Loop loop;
  int done = 0;
  WebhookClient client([&loop](std::function<void()> task) { loop.post(std::move(task)); });
  for (int i = 0; i < 5; ++i) client.send({hangs.url(), "a", "{}"}, [](Result<int>) {});
  for (int i = 0; i < 5; ++i) {
    client.send({answers.url(), "b", "{}"}, [&done](Result<int> status) {
      if (status) ++done;
    });
  }
  CHECK(loop.run_until([&done] { return done == 5; }));
}  // the client ends with five requests on their way

TEST_CASE("webhook client: addresses of no receiver are known", "[notify]") {
  for (const char* text :
       {"127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "172.31.255.255", "169.254.169.254",
        "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1", "::1", "::",
        "fe80::1", "fc00::1", "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1"}) {
    INFO(text);
    CHECK(is_private(text));
  }
  for (const char* text : {"8.8.8.8", "172.32.0.1", "172.15.0.1", "100.128.0.1", "192.0.2.1",
                           "2001:4860:4860::8888", "::ffff:8.8.8.8"}) {
    INFO(text);
    CHECK_FALSE(is_private(text));
  }
}

}  // namespace pipelined
