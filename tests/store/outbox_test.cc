#include <catch2/catch.hpp>

#include "daemon/store/told_alerts.h"
#include "daemon/store/views.h"
#include "tests/store/store_world.h"

using namespace pipelined;

namespace {

AlertRow alert_row(const std::string& id, std::int64_t seq, TimeMs at = 1000) {
  AlertRow row;
  row.id = id, row.pipeline = "flights", row.subject = id, row.severity = "error";
  row.sentence = id + " failed", row.at = at, row.seq = seq;
  return row;
}

/// A store whose alerts wait for each other for a second, in one group.
std::unique_ptr<Store> grouping(const TestFolder& folder, bool at_most_once = false) {
  StoreOptions options = options_in(folder);
  options.sinks.front().at_most_once = at_most_once;
  options.router = [](const AlertRow&) {
    return std::vector<QueuedMessage>{{"hook", "", "rule/flights", 1000}};
  };
  auto store = Store::open(options);
  REQUIRE(store);
  return *std::move(store);
}

}  // namespace

TEST_CASE("outbox: what waits in one group goes as one message", "[store][alerts]") {
  const TestFolder folder;
  const auto store = grouping(folder);
  REQUIRE(put_all(*store, alert_row("a", 1), alert_row("b", 2, 1400), alert_row("c", 3, 1500)));
  CHECK(store->claim_deliveries(1999, 10)->empty());
  const auto claimed = store->claim_deliveries(2000, 10);
  REQUIRE(claimed->size() == 1);
  CHECK(claimed->front().alert.id == "a");
  REQUIRE(claimed->front().also.size() == 2);
  CHECK(claimed->front().also[1].id == "c");
  CHECK(store->claim_deliveries(9999, 10)->empty());
  REQUIRE(store->mark_delivered(claimed->front().id, 2100));
  CHECK(count_outbox(*store).done == 3);
}

TEST_CASE("outbox: every try of a message has the same alerts, also after a crash",
          "[store][alerts]") {
  const TestFolder folder;
  std::int64_t id = 0;
  {
    const auto store = grouping(folder);
    REQUIRE(put_all(*store, alert_row("a", 1), alert_row("b", 2)));
    const auto claimed = store->claim_deliveries(2000, 10);
    REQUIRE(claimed->size() == 1);
    id = claimed->front().id;
    REQUIRE(store->mark_undelivered(id, 2001, 3000, "no answer"));
    REQUIRE(put_all(*store, alert_row("later", 3, 1900)));
    const auto again = store->claim_deliveries(3000, 10);
    REQUIRE(again->size() == 2);  // the later one is a message of its own
    CHECK((*again)[0].alert.id != (*again)[1].alert.id);
  }
  const auto store = grouping(folder);  // both were being sent when it ended
  const auto claimed = store->claim_deliveries(9000, 10);
  REQUIRE(claimed->size() == 2);
  for (const Delivery& delivery : *claimed) {
    const bool first = delivery.alert.id == "a";
    CHECK(delivery.id == (first ? id : delivery.id));
    CHECK(delivery.also.size() == (first ? 1u : 0u));
  }
}

TEST_CASE("outbox: a sink that is told at most once is not told again after a crash",
          "[store][alerts]") {
  const TestFolder folder;
  {
    const auto store = grouping(folder, true);
    REQUIRE(put_all(*store, alert_row("a", 1)));
    REQUIRE(store->claim_deliveries(2000, 10)->front().at_most_once);
  }
  const auto store = grouping(folder, true);
  CHECK(store->claim_deliveries(9000, 10)->empty());
  const auto alerts = list_alerts(*store, {});
  REQUIRE(alerts.size() == 1);
  REQUIRE(alerts[0].deliveries.size() == 1);
  CHECK(alerts[0].deliveries[0].state == DeliveryState::given_up);
  CHECK(alerts[0].deliveries[0].error.find("not known") == 0);
}

TEST_CASE("outbox: repeats and recoveries are queued once each", "[store][alerts]") {
  const TestFolder folder;
  const auto store = open_in(folder);
  REQUIRE(put_all(*store, alert_row("a", 1)));
  CHECK(told_alerts(*store).empty());  // nobody has heard of it yet
  auto claimed = store->claim_deliveries(1000, 10);
  REQUIRE(claimed->size() == 1);
  REQUIRE(store->mark_delivered(claimed->front().id, 1100));
  auto told = told_alerts(*store);
  REQUIRE(told.size() == 1);
  CHECK(told[0].stands);
  CHECK(told[0].sink == "hook");
  CHECK(told[0].last_at == 1100);
  CHECK(*store->queue_messages({{"a", {"hook", "repeat-1", "", 0}}}, 2000));
  CHECK_FALSE(*store->queue_messages({{"a", {"hook", "repeat-1", "", 0}}}, 2001));
  CHECK_FALSE(*store->queue_messages({{"a", {"nobody", "repeat-1", "", 0}}}, 2001));
  told = told_alerts(*store);
  REQUIRE(told.size() == 1);
  CHECK(told[0].repeats == 1);
  CHECK(told[0].last_at == 2000);
  claimed = store->claim_deliveries(2000, 10);
  REQUIRE(claimed->size() == 1);
  CHECK(claimed->front().phase == "repeat-1");
  CHECK(claimed->front().sink == "hook");
  CHECK(standing_conditions(*store).count({"flights", "a"}) == 1);
  CHECK(*store->queue_messages({{"a", {"hook", "recovered", "", 0}}}, 3000));
  CHECK(told_alerts(*store).empty());
}
