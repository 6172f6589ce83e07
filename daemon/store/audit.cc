#include "daemon/store/audit.h"

#include <algorithm>

#include "daemon/store/store_state.h"

namespace pipelined {
namespace {

constexpr std::size_t problems_max = 100;
constexpr const char* head_key = "audit_head";

AuditRow read_row(Query& query) {
  AuditRow row;
  row.number = query.integer(0);
  row.at = query.integer(1);
  row.who = query.string(2);
  row.role = query.string(3);
  row.from = query.string(4);
  row.action = query.string(5);
  row.subject = query.string(6);
  row.outcome = query.string(7);
  row.body = query.optional_digest(8).value_or(Digest{});
  row.previous = query.digest(9);
  row.digest = query.digest(10);
  return row;
}

#define AUDIT_COLUMNS \
  "number, at, who, role, origin, action, subject, outcome, body, previous, digest"

std::string head_text(std::int64_t number, const Digest& digest) {
  return std::to_string(number) + " " + digest.hex();
}

}  // namespace

void Store::append_audit(AuditRow row) {
  CHECK(state_->in_turn);
  Database& database = *state_->database;
  if (!state_->audit_head) {
    Query last(database, "SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1");
    state_->audit_head = last.next() ? std::pair{last.integer(0), last.digest(1)}
                                     : std::pair{std::int64_t{0}, Digest{}};
  }
  row.number = state_->audit_head->first + 1;
  row.previous = state_->audit_head->second;
  row.digest = audit_digest(row);
  database.run("INSERT INTO audit (" AUDIT_COLUMNS ") "
               "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
               row.number, row.at, row.who, row.role, row.from, row.action, row.subject,
               row.outcome, row.body ? std::optional(row.body) : std::nullopt, row.previous,
               row.digest);
  database.run("INSERT INTO meta VALUES (?1, ?2) "
               "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
               head_key, head_text(row.number, row.digest));
  state_->audit_head = std::pair{row.number, row.digest};
}

Result<void> Store::record_audit(AuditRow row) {
  TRY_VOID(begin());
  append_audit(std::move(row));
  return commit();
}

std::vector<AuditRow> list_audit(Store& store, const AuditFilter& filter) {
  std::vector<AuditRow> rows;
  Query query(store.database(),
              "SELECT " AUDIT_COLUMNS " FROM audit WHERE (?1 = '' OR who = ?1) AND number < ?2 "
              "ORDER BY number DESC LIMIT ?3",
              filter.who, filter.before > 0 ? filter.before : INT64_MAX,
              std::clamp(filter.limit, 0, 1000));
  while (query.next()) rows.push_back(read_row(query));
  return rows;
}

AuditCheck verify_audit(Store& store) { return verify_audit(store.database()); }

AuditCheck verify_audit(Database& records) {
  AuditCheck check;
  Query query(records, "SELECT " AUDIT_COLUMNS " FROM audit ORDER BY number");
  std::int64_t number = 0;
  while (query.next()) {
    const AuditRow row = read_row(query);
    const auto breach = audit_breach(row, number, check.head);
    if (breach && check.problems.size() < problems_max) check.problems.push_back(*breach);
    ++check.rows;
    number = row.number;
    check.head = row.digest;
  }
  Query kept(records, "SELECT value FROM meta WHERE key = ?1", head_key);
  const std::string head = kept.next() ? kept.string(0) : std::string();
  if (head != (check.rows == 0 ? std::string() : head_text(number, check.head))) {
    check.problems.push_back("the audit log ends at row " + std::to_string(number) +
                             ", but its last row was recorded as " +
                             (head.empty() ? "none" : head) + ": rows were taken from its end");
  }
  return check;
}

}  // namespace pipelined
