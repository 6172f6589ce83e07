// Carries alerts from the outbox to their sinks.
//
// claim (commit) → send → mark (commit): a crash in between sends the alert once more, with the same
// id, by which a receiver tells that it has it already.  Failed deliveries are tried again with
// back-off.  The relay decides nothing about alerts and keeps nothing that the store does not have,
// but for outcomes that could not be marked yet because the disk was full.
// Loop thread; `pump` must not be called inside a turn of the supervisor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/notify/webhook_client.h"
#include "daemon/ports.h"
#include "daemon/store/store.h"

namespace pipelined {

/// Bounds of the relay; tests shorten them.
struct RelaySettings {
  int in_flight_max = 8;
  std::int64_t backoff_first_ms = 1'000;   ///< doubled each time
  std::int64_t backoff_max_ms = 900'000;
  std::int64_t tries_max = 200;            ///< about two days, then it is given up
  std::int64_t store_retry_ms = 2'000;     ///< after the store could not take a mark
};

class OutboxRelay {
 public:
  struct Callbacks {
    /// Call `pump` at this wall time; replaces the earlier wish.  Nothing: no wish.
    std::function<void(std::optional<TimeMs> wall_ms)> wake;
    /// A fact for the log: "delivered", "not_delivered", "given_up".
    std::function<void(const char* word, const Delivery& delivery, const std::string& why)> note;
  };

  /// The references must outlive the relay.
  OutboxRelay(Store& store, WebhookTransport& transport, Clock& clock, Callbacks callbacks,
              RelaySettings settings = {});

  /// Takes what is due and sends it; marks what has come back.  Call it when alerts were queued, at
  /// the wished time and at the start.
  void pump();

  /// Deliveries that are with the transport.
  std::size_t in_flight() const { return in_flight_; }
  /// Figures since the start.
  std::int64_t delivered() const { return delivered_; }
  std::int64_t failed() const { return failed_; }

 private:
  struct Outcome {
    Delivery delivery;
    Result<int> status;
  };
  void send(const Delivery& delivery);
  void on_sent(Delivery delivery, Result<int> status);
  void mark_outcomes();
  Result<void> mark(const Outcome& outcome);
  void wish_wake();

  Store& store_;
  WebhookTransport& transport_;
  Clock& clock_;
  Callbacks callbacks_;
  RelaySettings settings_;
  std::vector<Outcome> unmarked_;
  std::size_t in_flight_ = 0;
  std::int64_t delivered_ = 0, failed_ = 0;
  bool store_refused_ = false;
  std::shared_ptr<OutboxRelay*> self_;  ///< late callbacks look here
};

/// What a receiver gets: `{"id","pipeline","subject","severity","sentence","run","step","element",
/// "evidence","at"}`, the time as ISO 8601 in UTC.
std::string alert_json(const AlertRow& alert);
/// The same for a message: beside the first alert `kind`, `status` ("new", "repeated", "recovered")
/// and under `also` the others of its group.
std::string message_json(const Delivery& delivery);
/// The message in one line.
std::string message_summary(const Delivery& delivery);

/// When to try again after `tries` tries in vain: doubled each time up to the bound, spread by up to
/// a fifth so that alerts of one moment do not come back together.
std::int64_t delivery_backoff_ms(const RelaySettings& settings, std::int64_t tries,
                                 std::int64_t delivery);

/// The value of the `Idempotency-Key` header: the alert's id, with bytes that a header cannot carry
/// percent-encoded.
std::string idempotency_key(const std::string& alert_id);

}  // namespace pipelined
