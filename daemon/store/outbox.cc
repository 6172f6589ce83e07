// Alerts on their way to sinks: claimed, done, tried again, given up.
#include <algorithm>
#include <set>

#include "daemon/store/rows.h"
#include "daemon/store/store.h"
#include "daemon/store/store_state.h"

namespace pipelined {

namespace {

// A message about an alert that was told before stands under the sink's name with its phase.
constexpr char phase_mark = '#';

std::string claims_where(const char* which) {
  const std::string rest =
      std::string(", d.id, d.sink, d.kind, d.target, d.tries, d.not_before, d.error, "
                  "d.message_group, d.message, d.once FROM outbox d JOIN alerts a ON a.id = d.alert ") +
      which;
  return select(alert_columns, rest.c_str());
}

struct WaitingRow {
  Delivery delivery;
  std::string stored_sink, group;
  std::int64_t message = 0;
};

WaitingRow read_claim(Query& query, TimeMs now) {
  WaitingRow claim;
  Delivery& delivery = claim.delivery;
  delivery.alert = read_alert(query);
  delivery.id = query.integer(alert_column_count);
  claim.stored_sink = query.string(alert_column_count + 1);
  const std::size_t mark = claim.stored_sink.find(phase_mark);
  delivery.sink = claim.stored_sink.substr(0, mark);
  if (mark != std::string::npos) delivery.phase = claim.stored_sink.substr(mark + 1);
  delivery.kind = query.string(alert_column_count + 2);
  delivery.target = query.string(alert_column_count + 3);
  delivery.tries = query.integer(alert_column_count + 4) + 1;
  delivery.not_before = query.integer(alert_column_count + 5);
  delivery.error = query.string(alert_column_count + 6);
  claim.group = query.string(alert_column_count + 7);
  claim.message = query.integer(alert_column_count + 8);
  delivery.at_most_once = query.flag(alert_column_count + 9);
  delivery.state = DeliveryState::claimed;
  delivery.updated_at = now;
  return claim;
}

/// What goes in one message with the first: at its first try what waits in the group now, later the
/// same again, so that every try of a message says the same.
void gather(Database& database, WaitingRow& first) {
  static const std::string of_group =
      claims_where("WHERE d.sink = ?1 AND d.message_group = ?2 AND d.message = 0 "
                   "AND d.state = 'pending' AND d.id <> ?3 ORDER BY d.id LIMIT 100");
  static const std::string of_message =
      claims_where("WHERE d.message = ?1 AND d.id <> ?1 ORDER BY d.id");
  std::vector<std::int64_t> ids;
  const auto take = [&](Query& query) {
    while (query.next()) {
      WaitingRow other = read_claim(query, 0);
      ids.push_back(other.delivery.id);
      first.delivery.also.push_back(std::move(other.delivery.alert));
    }
  };
  const std::int64_t id = first.delivery.id;
  if (first.message == 0) {
    Query query(database, of_group.c_str(), first.stored_sink, first.group, id);
    take(query);
    ids.push_back(id);
    for (const std::int64_t member : ids) {
      database.run("UPDATE outbox SET message = ?2 WHERE id = ?1", member, id);
    }
  } else {
    Query query(database, of_message.c_str(), id);
    take(query);
  }
}

}  // namespace

void Store::State::queue(const std::string& alert, const QueuedMessage& message, TimeMs at) {
  const auto sink = std::find_if(options.sinks.begin(), options.sinks.end(),
                                 [&](const AlertSink& one) { return one.name == message.sink; });
  if (sink == options.sinks.end()) return;
  const std::string stored =
      message.phase.empty() ? sink->name : sink->name + phase_mark + message.phase;
  database->run(
      "INSERT INTO outbox (alert, sink, kind, target, state, tries, not_before, updated_at, error, "
      "message_group, once) VALUES (?1, ?2, ?3, ?4, 'pending', 0, ?5, ?6, '', ?7, ?8) "
      "ON CONFLICT DO NOTHING",
      alert, stored, sink->kind, sink->target, at + message.wait_ms, at, message.group,
      sink->at_most_once);
}

Result<bool> Store::queue_messages(
    const std::vector<std::pair<std::string, QueuedMessage>>& of_alerts, TimeMs now) {
  if (of_alerts.empty()) return false;
  TRY_VOID(state_->begin_alone());
  bool any = false;
  for (const auto& [alert, message] : of_alerts) {
    state_->queue(alert, message, now);
    any = any || state_->database->changes() > 0;
  }
  TRY_VOID(state_->commit_alone());
  return any;
}

Result<std::vector<Delivery>> Store::claim_deliveries(TimeMs now, int limit) {
  Database& database = *state_->database;
  // Members of a message come with its first row.
  static const std::string sql =
      claims_where("WHERE d.state = 'pending' AND d.not_before <= ?1 AND d.message IN (0, d.id) "
                   "ORDER BY d.not_before, d.id LIMIT ?2");
  std::vector<Delivery> claimed;
  // Most calls find nothing; they cost no transaction.
  const auto due = next_delivery();
  if (!due || *due > now) return claimed;
  TRY_VOID(state_->begin_alone());
  std::vector<WaitingRow> found;
  {
    Query query(database, sql.c_str(), now, limit);
    while (query.next()) found.push_back(read_claim(query, now));
  }
  std::set<std::int64_t> members;
  for (WaitingRow& claim : found) {
    const std::int64_t id = claim.delivery.id;
    if (members.count(id) != 0) continue;
    if (!claim.group.empty()) {
      gather(database, claim);
      Query query(database, "SELECT id FROM outbox WHERE message = ?1", id);
      while (query.next()) members.insert(query.integer(0));
    }
    database.run("UPDATE outbox SET state = 'claimed', tries = ?2, updated_at = ?3 "
                 "WHERE id = ?1 OR message = ?1", id, claim.delivery.tries, now);
    claimed.push_back(std::move(claim.delivery));
  }
  TRY_VOID(state_->commit_alone());
  return claimed;
}

Result<void> Store::mark_delivered(std::int64_t delivery, TimeMs now) {
  return state_->run_alone(
      "UPDATE outbox SET state = 'done', updated_at = ?2, error = '' WHERE id = ?1 OR message = ?1",
      delivery, now);
}

Result<void> Store::mark_undelivered(std::int64_t delivery, TimeMs now, TimeMs next_try,
                                     const std::string& error) {
  return state_->run_alone(
      "UPDATE outbox SET state = 'pending', updated_at = ?2, not_before = ?3, error = ?4 "
      "WHERE (id = ?1 OR message = ?1) AND state <> 'done'",
      delivery, now, next_try, error);
}

Result<void> Store::give_up_delivery(std::int64_t delivery, TimeMs now, const std::string& error) {
  return state_->run_alone(
      "UPDATE outbox SET state = 'given_up', updated_at = ?2, error = ?3 "
      "WHERE (id = ?1 OR message = ?1) AND state <> 'done'",
      delivery, now, error);
}

std::optional<TimeMs> Store::next_delivery() {
  Query query(*state_->database,
              "SELECT not_before FROM outbox WHERE state = 'pending' ORDER BY not_before LIMIT 1");
  if (!query.next()) return std::nullopt;
  return query.integer(0);
}

}  // namespace pipelined
