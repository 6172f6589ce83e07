// Alerts on their way to sinks: claimed, done, tried again, given up.
#include <algorithm>

#include "daemon/store/rows.h"
#include "daemon/store/store.h"
#include "daemon/store/store_state.h"

namespace pipelined {

Result<std::vector<Delivery>> Store::claim_deliveries(TimeMs now, int limit) {
  Database& database = *state_->database;
  static const std::string sql =
      select(alert_columns,
             ", d.id, d.sink, d.kind, d.target, d.tries, d.not_before, d.error FROM outbox d "
             "JOIN alerts a ON a.id = d.alert WHERE d.state = 'pending' AND d.not_before <= ?1 "
             "ORDER BY d.not_before, d.id LIMIT ?2");
  std::vector<Delivery> claimed;
  // Most calls find nothing; they cost no transaction.
  const auto due = next_delivery();
  if (!due || *due > now) return claimed;
  TRY_VOID(state_->begin_alone());
  {
    Query query(database, sql.c_str(), now, limit);
    while (query.next()) {
      Delivery delivery;
      delivery.alert = read_alert(query);
      delivery.id = query.integer(alert_column_count);
      delivery.sink = query.string(alert_column_count + 1);
      delivery.kind = query.string(alert_column_count + 2);
      delivery.target = query.string(alert_column_count + 3);
      delivery.tries = query.integer(alert_column_count + 4) + 1;
      delivery.not_before = query.integer(alert_column_count + 5);
      delivery.error = query.string(alert_column_count + 6);
      delivery.state = DeliveryState::claimed;
      delivery.updated_at = now;
      claimed.push_back(std::move(delivery));
    }
  }
  for (const Delivery& delivery : claimed) {
    database.run("UPDATE outbox SET state = 'claimed', tries = ?2, updated_at = ?3 WHERE id = ?1",
                 delivery.id, delivery.tries, now);
  }
  TRY_VOID(state_->commit_alone());
  return claimed;
}

Result<void> Store::mark_delivered(std::int64_t delivery, TimeMs now) {
  return state_->run_alone(
      "UPDATE outbox SET state = 'done', updated_at = ?2, error = '' WHERE id = ?1", delivery, now);
}

Result<void> Store::mark_undelivered(std::int64_t delivery, TimeMs now, TimeMs next_try,
                                     const std::string& error) {
  return state_->run_alone(
      "UPDATE outbox SET state = 'pending', updated_at = ?2, not_before = ?3, error = ?4 "
      "WHERE id = ?1 AND state <> 'done'",
      delivery, now, next_try, error);
}

Result<void> Store::give_up_delivery(std::int64_t delivery, TimeMs now, const std::string& error) {
  return state_->run_alone(
      "UPDATE outbox SET state = 'given_up', updated_at = ?2, error = ?3 "
      "WHERE id = ?1 AND state <> 'done'",
      delivery, now, error);
}

std::optional<TimeMs> Store::next_delivery() {
  Query query(*state_->database,
              "SELECT not_before FROM outbox WHERE state = 'pending' ORDER BY not_before LIMIT 1");
  if (!query.next()) return std::nullopt;
  return query.integer(0);
}

}  // namespace pipelined
