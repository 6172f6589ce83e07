#include "daemon/notify/outbox_relay.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

#include "daemon/posix/fault.h"
#include "dag/alert_rules.h"
#include "operators/value_json.h"

namespace pipelined {
namespace {

std::string iso_time(TimeMs at) {
  const std::time_t seconds = static_cast<std::time_t>(at / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> millis{};
  std::snprintf(millis.data(), millis.size(), ".%03dZ", static_cast<int>(at % 1000));
  return std::string(text.data(), length) + millis.data();
}

/// Whether the receiver has it.
bool taken(const Result<int>& status) { return status && *status >= 200 && *status < 300; }

std::string why_not(const Result<int>& status) {
  if (!status) return status.error().message;
  std::string why = "the receiver answered with status " + std::to_string(*status);
  if (*status >= 300 && *status < 400) why += "; redirects are not followed";
  return why;
}

}  // namespace

namespace {

/// Whom the pipeline names as its owner; empty: nobody.
std::string owner_of(const AlertRow& alert) {
  const ValueTable* evidence = alert.evidence.as_table();
  if (evidence == nullptr || !evidence->contains("owner")) return "";
  const std::string* owner = evidence->at("owner").as_text();
  return owner == nullptr ? "" : *owner;
}

ValueTable alert_table(const AlertRow& alert) {
  return {{"id", alert.id},
          {"pipeline", alert.pipeline},
          {"subject", alert.subject},
          {"severity", alert.severity},
          {"sentence", alert.sentence},
          {"run", alert.run == 0 ? Value() : Value(alert.run)},
          {"step", alert.step.empty() ? Value() : Value(alert.step)},
          {"element", alert.element.empty() ? Value() : Value(alert.element)},
          {"evidence", alert.evidence},
          {"owner", owner_of(alert)},
          {"kind", alert_kind(alert)},
          {"at", iso_time(alert.at)}};
}

/// The id that every try of a message has.
std::string message_id(const Delivery& delivery) {
  return delivery.phase.empty() ? delivery.alert.id : delivery.alert.id + "#" + delivery.phase;
}

const char* status_of(const Delivery& delivery) {
  return delivery.phase.empty() ? "new" : delivery.phase == "recovered" ? "recovered" : "repeated";
}

}  // namespace

std::string alert_json(const AlertRow& alert) { return json_text(alert_table(alert)); }

std::string message_json(const Delivery& delivery) {
  ValueTable message = alert_table(delivery.alert);
  message["status"] = status_of(delivery);
  ValueList also;
  for (const AlertRow& alert : delivery.also) also.push_back(alert_table(alert));
  message["also"] = std::move(also);
  return json_text(message);
}

std::string message_summary(const Delivery& delivery) {
  std::string line = delivery.phase == "recovered" ? "recovered: " : delivery.alert.severity + ": ";
  if (!delivery.alert.pipeline.empty()) line += delivery.alert.pipeline + ": ";
  line += delivery.alert.sentence;
  const std::string owner = owner_of(delivery.alert);
  if (!owner.empty()) line += " (owner: " + owner + ")";
  if (!delivery.also.empty()) line += " (and " + std::to_string(delivery.also.size()) + " more)";
  return line;
}

std::string idempotency_key(const std::string& alert_id) {
  std::string key;
  for (const char c : alert_id) {
    if (c > ' ' && c < 0x7f && c != '%') {
      key += c;
      continue;
    }
    std::array<char, 4> code{};
    std::snprintf(code.data(), code.size(), "%%%02X", static_cast<unsigned>(c) & 0xffU);
    key += code.data();
  }
  return key;
}

std::int64_t delivery_backoff_ms(const RelaySettings& settings, std::int64_t tries,
                                 std::int64_t delivery) {
  std::int64_t wait = settings.backoff_first_ms;
  for (std::int64_t i = 1; i < tries && wait < settings.backoff_max_ms; ++i) wait *= 2;
  wait = std::min(wait, settings.backoff_max_ms);
  const std::int64_t spread = wait / 5;
  return spread == 0 ? wait : wait + (delivery * 7919 + tries * 104729) % spread;
}

OutboxRelay::OutboxRelay(Store& store, WebhookTransport& transport, Clock& clock,
                         Callbacks callbacks, RelaySettings settings)
    : store_(store),
      transport_(transport),
      clock_(clock),
      callbacks_(std::move(callbacks)),
      settings_(settings),
      self_(std::make_shared<OutboxRelay*>(this)) {}

void OutboxRelay::pump() {
  store_refused_ = false;
  mark_outcomes();
  const std::size_t room_max = static_cast<std::size_t>(settings_.in_flight_max);
  const std::size_t busy = in_flight_ + unmarked_.size();
  if (busy < room_max && !store_refused_) {
    const bool refused = fault::at(fault::Place::outbox_claim) > 0;
    auto claimed = refused ? Result<std::vector<Delivery>>(Error{ErrorCode::io, "claiming"})
                           : store_.claim_deliveries(clock_.now().wall_ms,
                                                     static_cast<int>(room_max - busy));
    if (claimed) {
      if (!claimed->empty()) fault::at(fault::Place::outbox_claimed);
      for (const Delivery& delivery : *claimed) send(delivery);
    } else {
      store_refused_ = true;
    }
  }
  wish_wake();
}

void OutboxRelay::send(const Delivery& delivery) {
  ++in_flight_;
  if (fault::at(fault::Place::outbox_send) > 0) {
    return on_sent(delivery, Error{ErrorCode::io, "sending the alert failed"});
  }
  WebhookRequest request;
  request.url = delivery.target;
  request.idempotency_key = idempotency_key(message_id(delivery));
  request.body = message_json(delivery);
  request.sink = delivery.sink, request.summary = message_summary(delivery);
  transport_.send(std::move(request), [self = std::weak_ptr(self_), delivery](Result<int> status) {
    if (auto here = self.lock()) (*here)->on_sent(delivery, std::move(status));
  });
}

void OutboxRelay::on_sent(Delivery delivery, Result<int> status) {
  --in_flight_;
  fault::at(fault::Place::outbox_sent);
  unmarked_.push_back({std::move(delivery), std::move(status)});
  pump();
}

void OutboxRelay::mark_outcomes() {
  auto outcomes = std::exchange(unmarked_, {});
  for (Outcome& outcome : outcomes) {
    if (!store_refused_ && mark(outcome)) continue;
    store_refused_ = true;
    unmarked_.push_back(std::move(outcome));
  }
}

Result<void> OutboxRelay::mark(const Outcome& outcome) {
  const Delivery& delivery = outcome.delivery;
  if (fault::at(fault::Place::outbox_mark) > 0) return Error{ErrorCode::io, "marking a delivery"};
  const TimeMs now = clock_.now().wall_ms;
  const char* word = "delivered";
  std::string why;
  if (taken(outcome.status)) {
    TRY_VOID(store_.mark_delivered(delivery.id, now));
    ++delivered_;
  } else if (why = why_not(outcome.status); delivery.at_most_once || delivery.tries >= settings_.tries_max) {
    TRY_VOID(store_.give_up_delivery(delivery.id, now, why));
    ++failed_;
    word = "given_up";
  } else {
    const std::int64_t wait = delivery_backoff_ms(settings_, delivery.tries, delivery.id);
    TRY_VOID(store_.mark_undelivered(delivery.id, now, now + wait, why));
    ++failed_;
    word = "not_delivered";
  }
  fault::at(fault::Place::outbox_marked);
  if (callbacks_.note) callbacks_.note(word, delivery, why);
  return {};
}

void OutboxRelay::wish_wake() {
  if (!callbacks_.wake) return;
  std::optional<TimeMs> at;
  const bool room = in_flight_ + unmarked_.size() < static_cast<std::size_t>(settings_.in_flight_max);
  if (room) at = store_.next_delivery();
  if (store_refused_) {
    const TimeMs retry = clock_.now().wall_ms + settings_.store_retry_ms;
    at = at ? std::max(*at, retry) : retry;
  }
  callbacks_.wake(at);
}

}  // namespace pipelined
