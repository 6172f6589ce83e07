// Alerts and their deliveries for people.
#include <algorithm>

#include "daemon/store/rows.h"
#include "daemon/store/told_alerts.h"
#include "daemon/store/views.h"

namespace pipelined {
namespace {

// An alert about a step is open while that step still stands where it stopped and no later run of
// its pipeline has got past it; one about a run while the run stands so; one about neither until a
// later alert speaks of the same subject.
constexpr const char* is_open =
    "CASE WHEN a.severity = 'info' THEN 0 "
    "WHEN a.run <> 0 AND a.step <> '' THEN EXISTS (SELECT 1 FROM steps s WHERE s.run = a.run "
    "AND s.step = a.step AND s.element = a.element "
    "AND s.state IN ('failed', 'halted', 'in_review') AND NOT EXISTS (SELECT 1 FROM steps l "
    "INDEXED BY steps_finished WHERE l.pipeline = s.pipeline AND l.step = s.step "
    "AND l.element = s.element AND l.state IN ('succeeded', 'cached') AND l.run > s.run)) "
    "AND EXISTS (SELECT 1 FROM runs r WHERE r.number = a.run "
    "AND r.state NOT IN ('cancelled', 'rejected')) "
    "WHEN a.run <> 0 THEN EXISTS (SELECT 1 FROM runs r WHERE r.number = a.run "
    "AND r.state IN ('failed', 'halted', 'in_review')) "
    "ELSE NOT EXISTS (SELECT 1 FROM alerts n WHERE n.pipeline = a.pipeline "
    "AND n.subject = a.subject AND n.seq > a.seq) END";

std::vector<Delivery> deliveries_of(Store& store, const std::string& alert) {
  Query query(store.database(),
              "SELECT id, sink, kind, target, state, tries, not_before, updated_at, error "
              "FROM outbox WHERE alert = ?1 ORDER BY id LIMIT ?2", alert, view_limit_max);
  std::vector<Delivery> deliveries;
  while (query.next()) {
    Delivery delivery;
    delivery.id = query.integer(0);
    delivery.sink = query.string(1);
    delivery.kind = query.string(2);
    delivery.target = query.string(3);
    for (const DeliveryState state : {DeliveryState::pending, DeliveryState::claimed,
                                      DeliveryState::done, DeliveryState::given_up}) {
      if (query.text(4) == name_of(state)) delivery.state = state;
    }
    delivery.tries = query.integer(5);
    delivery.not_before = query.integer(6);
    delivery.updated_at = query.integer(7);
    delivery.error = query.string(8);
    deliveries.push_back(std::move(delivery));
  }
  return deliveries;
}

}  // namespace

std::vector<AlertView> list_alerts(Store& store, const AlertFilter& filter) {
  static const std::string sql =
      "SELECT * FROM (" + select(alert_columns, ", ") + is_open +
      " AS is_open FROM alerts a WHERE (?1 = '' OR a.pipeline = ?1) AND a.seq < ?2) "
      "WHERE ?3 = 0 OR is_open ORDER BY seq DESC LIMIT ?4";
  std::vector<AlertView> views;
  {
    Query query(store.database(), sql.c_str(), filter.pipeline,
                filter.before > 0 ? filter.before : INT64_MAX, filter.open_only,
                std::clamp(filter.limit, 0, view_limit_max));
    while (query.next()) {
      views.push_back({read_alert(query), query.flag(alert_column_count), {}});
    }
  }
  for (AlertView& view : views) view.deliveries = deliveries_of(store, view.row.id);
  return views;
}

std::vector<ToldAlert> told_alerts(Store& store) {
  static const std::string sql =
      select(alert_columns, ", ") + is_open +
      " AS is_open, d.sink, d.state, max(d.updated_at, coalesce((SELECT max(r.updated_at) FROM "
      "outbox r WHERE r.alert = d.alert AND r.sink LIKE d.sink || '#repeat-%'), 0)), (SELECT "
      "count(*) FROM outbox r WHERE r.alert = d.alert AND r.sink LIKE d.sink || '#repeat-%') "
      "FROM outbox d JOIN alerts a ON a.id = d.alert WHERE d.id > (SELECT coalesce(max(id), 0) "
      "FROM outbox) - 5000 AND instr(d.sink, '#') = 0 AND d.state = 'done' AND a.severity <> 'info' "
      "AND NOT EXISTS (SELECT 1 FROM outbox r WHERE r.alert = d.alert "
      "AND r.sink = d.sink || '#recovered') ORDER BY d.id";
  std::vector<ToldAlert> told;
  Query query(store.database(), sql.c_str());
  while (query.next()) {
    ToldAlert one;
    one.alert = read_alert(query);
    one.stands = query.flag(alert_column_count);
    one.sink = query.string(alert_column_count + 1);
    one.delivered = query.text(alert_column_count + 2) == "done";
    one.last_at = query.integer(alert_column_count + 3);
    one.repeats = query.integer(alert_column_count + 4);
    told.push_back(std::move(one));
  }
  return told;
}

std::set<std::pair<std::string, std::string>> standing_conditions(Store& store) {
  AlertFilter filter;
  filter.open_only = true, filter.limit = view_limit_max;
  std::set<std::pair<std::string, std::string>> standing;
  for (const AlertView& view : list_alerts(store, filter)) {
    if (view.row.run == 0) standing.emplace(view.row.pipeline, view.row.subject);
  }
  return standing;
}

std::vector<HoldRow> list_holds(Store& store, const std::string& pipeline) {
  static const std::string sql = select(
      hold_columns, "FROM holds h WHERE h.active AND (?1 = '' OR h.pipeline = ?1) ORDER BY h.seq");
  std::vector<HoldRow> found;
  Query query(store.database(), sql.c_str(), pipeline);
  while (query.next()) found.push_back(read_hold(query));
  return found;
}

OutboxCounts count_outbox(Store& store) {
  OutboxCounts counts;
  Query query(store.database(), "SELECT state, count(*) FROM outbox GROUP BY state");
  while (query.next()) {
    const std::string_view state = query.text(0);
    const std::int64_t number = query.integer(1);
    if (state == "pending") counts.pending = number;
    if (state == "claimed") counts.claimed = number;
    if (state == "done") counts.done = number;
    if (state == "given_up") counts.given_up = number;
  }
  return counts;
}

std::vector<Delivery> list_outbox(Store& store, int limit) {
  static const std::string sql =
      select(alert_columns, ", d.id FROM outbox d JOIN alerts a ON a.id = d.alert "
                            "WHERE d.state <> 'done' ORDER BY d.id LIMIT ?1");
  std::vector<Delivery> found;
  Query query(store.database(), sql.c_str(), std::clamp(limit, 0, view_limit_max));
  while (query.next()) {
    const std::int64_t id = query.integer(alert_column_count);
    AlertRow alert = read_alert(query);
    for (Delivery& delivery : deliveries_of(store, alert.id)) {
      if (delivery.id != id) continue;
      delivery.alert = std::move(alert);
      found.push_back(std::move(delivery));
      break;
    }
  }
  return found;
}

}  // namespace pipelined
