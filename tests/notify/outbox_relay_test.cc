#include "daemon/notify/outbox_relay.h"

#include <stdlib.h>

#include <filesystem>
#include <optional>

#include <catch2/catch.hpp>

#include "operators/value_json.h"
#include "tests/notify/receiver.h"

namespace pipelined {
namespace {

using testing::Loop;
using testing::Receiver;
using testing::reply;

class SetClock : public Clock {
 public:
  Instant now() override { return {wall_ms, wall_ms}; }
  TimeMs wall_ms = 1'700'000'000'000;
};

/// A store in a folder of its own with one sink, and a relay over it.
struct Fixture {
  explicit Fixture(std::string address) : target(std::move(address)) {
    char name[] = "/tmp/relay-test-XXXXXX";
    folder = ::mkdtemp(name);
    open();
  }
  ~Fixture() {
    close();
    std::filesystem::remove_all(folder);
  }
  void open() {
    StoreOptions options;
    options.path = folder + "/state.db";
    options.sinks = {{"ops", "webhook", target}};
    options.ballast_bytes = 0;
    auto opened = Store::open(options);
    if (!opened) UNSCOPED_INFO(opened.error().message);
    REQUIRE(opened);
    store = std::move(*opened);
    client.emplace([this](std::function<void()> task) { loop.post(std::move(task)); });
    OutboxRelay::Callbacks calls;
    calls.wake = [this](std::optional<TimeMs> at) { wake = at; };
    calls.note = [this](const char* word, const Delivery&, const std::string& why) {
      words.push_back(word);
      reasons.push_back(why);
    };
    relay.emplace(*store, *client, clock, calls, settings);
  }
  void close() {
    relay.reset();
    client.reset();
    store.reset();
  }
  void queue(const std::string& id) {
    AlertRow alert;
    alert.id = id;
    alert.pipeline = "flights";
    alert.subject = "validate/2013-12";
    alert.severity = "error";
    alert.sentence = "late moved";
    alert.run = 4;
    alert.step = "validate";
    alert.element = "2013-12";
    alert.evidence = ValueTable{{"value", 0.1137}};
    alert.at = clock.wall_ms;
    alert.seq = ++seq;
    REQUIRE(store->begin());
    store->put(alert);
    REQUIRE(store->commit());
  }
  void pump_until(std::size_t count) {
    relay->pump();
    REQUIRE(loop.run_until([this, count] { return words.size() >= count; }));
  }

  std::string folder, target;
  RelaySettings settings;
  SetClock clock;
  Loop loop;
  std::unique_ptr<Store> store;
  std::optional<WebhookClient> client;
  std::optional<OutboxRelay> relay;
  std::optional<TimeMs> wake;
  std::vector<std::string> words, reasons;
  std::int64_t seq = 0;
};

}  // namespace

TEST_CASE("relay: an alert reaches its sink once, with id and evidence", "[notify]") {
  Receiver receiver([](std::size_t) { return reply(200); });
  Fixture fixture(receiver.url());
  fixture.queue("flights/2013-12/validate/ab");
  fixture.pump_until(1);
  CHECK(fixture.words == std::vector<std::string>{"delivered"});
  CHECK_FALSE(fixture.wake.has_value());
  fixture.relay->pump();
  fixture.queue("flights/2013-12/validate/ab");  // the same alert again is none
  fixture.relay->pump();
  const auto requests = receiver.requests();
  REQUIRE(requests.size() == 1);
  CHECK(requests[0].header("Idempotency-Key") == "flights/2013-12/validate/ab");
  const auto body = value_from_json(requests[0].body);
  REQUIRE(body);
  const ValueTable& fields = *body->as_table();
  CHECK(fields.at("id") == Value("flights/2013-12/validate/ab"));
  CHECK(fields.at("pipeline") == Value("flights"));
  CHECK(fields.at("run") == Value(4));
  CHECK(fields.at("step") == Value("validate"));
  CHECK(fields.at("element") == Value("2013-12"));
  CHECK(fields.at("severity") == Value("error"));
  CHECK(fields.at("sentence") == Value("late moved"));
  CHECK(fields.at("evidence") == Value(ValueTable{{"value", 0.1137}}));
  CHECK(fields.at("at") == Value("2023-11-14T22:13:20.000Z"));
}

TEST_CASE("relay: what fails is sent again with the same id, later each time", "[notify]") {
  Receiver receiver([](std::size_t number) { return number < 2 ? reply(503) : reply(200); });
  Fixture fixture(receiver.url());
  fixture.queue("a");
  fixture.pump_until(1);
  CHECK(fixture.words.back() == "not_delivered");
  CHECK(fixture.reasons.back().find("503") != std::string::npos);
  REQUIRE(fixture.wake.has_value());
  const TimeMs first = *fixture.wake - fixture.clock.wall_ms;
  CHECK(first >= 1'000);
  CHECK(first < 1'300);
  fixture.relay->pump();  // too early: nothing is sent
  CHECK(fixture.relay->in_flight() == 0);

  fixture.clock.wall_ms = *fixture.wake;
  fixture.pump_until(2);
  CHECK(*fixture.wake - fixture.clock.wall_ms >= 2'000);
  fixture.clock.wall_ms = *fixture.wake;
  fixture.pump_until(3);
  CHECK(fixture.words.back() == "delivered");
  const auto requests = receiver.requests();
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].header("Idempotency-Key") == requests[2].header("Idempotency-Key"));
  CHECK(requests[0].body == requests[2].body);
}

TEST_CASE("relay: a crash between sending and marking sends once more, with the same id",
          "[notify]") {
  Receiver receiver([](std::size_t) { return reply(200); });
  Fixture fixture(receiver.url());
  fixture.queue("a");
  fixture.relay->pump();
  REQUIRE(receiver.wait_for(1));
  fixture.close();  // nothing was marked: the loop has not run since
  fixture.open();
  fixture.pump_until(1);
  const auto requests = receiver.requests();
  REQUIRE(requests.size() == 2);
  CHECK(requests[0].header("Idempotency-Key") == requests[1].header("Idempotency-Key"));
}

TEST_CASE("relay: after many tries it is given up", "[notify]") {
  Receiver receiver([](std::size_t) { return reply(500); });
  Fixture fixture(receiver.url());
  fixture.close();
  fixture.settings.tries_max = 2;
  fixture.open();
  fixture.queue("a");
  fixture.pump_until(1);
  fixture.clock.wall_ms = *fixture.wake;
  fixture.pump_until(2);
  CHECK(fixture.words.back() == "given_up");
  CHECK_FALSE(fixture.wake.has_value());
}

TEST_CASE("relay: many alerts go out, a few at a time", "[notify]") {
  Receiver receiver([](std::size_t) { return reply(200); });
  Fixture fixture(receiver.url());
  for (int i = 0; i < 40; ++i) fixture.queue("alert-" + std::to_string(i));
  fixture.relay->pump();
  CHECK(fixture.relay->in_flight() == 8);
  fixture.pump_until(40);
  CHECK(receiver.requests().size() == 40);
  CHECK(fixture.relay->delivered() == 40);
}

TEST_CASE("relay: back-off doubles up to its bound and is spread", "[notify]") {
  const RelaySettings settings;
  CHECK(delivery_backoff_ms(settings, 1, 0) >= 1'000);
  CHECK(delivery_backoff_ms(settings, 1, 0) < 1'200);
  CHECK(delivery_backoff_ms(settings, 5, 3) >= 16'000);
  CHECK(delivery_backoff_ms(settings, 5, 3) < 19'200);
  CHECK(delivery_backoff_ms(settings, 1'000'000, 3) <= 900'000 * 6 / 5);
  CHECK(delivery_backoff_ms(settings, 8, 1) != delivery_backoff_ms(settings, 8, 2));
}

TEST_CASE("relay: ids that a header cannot carry are encoded", "[notify]") {
  CHECK(idempotency_key("flights/2013-12/a") == "flights/2013-12/a");
  CHECK(idempotency_key("a b\r\nX: y") == "a%20b%0D%0AX:%20y");
  CHECK(idempotency_key("100%") == "100%25");
  CHECK(idempotency_key("\xc3\xa4") == "%C3%A4");
}

}  // namespace pipelined
