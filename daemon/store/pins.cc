#include "daemon/store/pins.h"

#include <charconv>

#include "daemon/store/sqlite.h"

namespace pipelined {
namespace {

/// Whether there is something to keep.
bool stands(Database& database, const Pin& pin) {
  if (pin.kind == "artifact") {
    const auto digest = parse_digest(pin.subject);
    if (!digest) return false;
    Query query(database, "SELECT 1 FROM artifacts WHERE digest = ?1 AND tombstone_at IS NULL",
                *digest);
    return query.next();
  }
  std::int64_t number = 0;
  const char* end = pin.subject.data() + pin.subject.size();
  const auto read = std::from_chars(pin.subject.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end) return false;
  Query query(database, "SELECT 1 FROM runs WHERE number = ?1", number);
  return query.next();
}

}  // namespace

std::vector<Pin> list_pins(Store& store) {
  std::vector<Pin> pins;
  Query query(store.database(), "SELECT kind, subject, who, why, at FROM pins ORDER BY at, subject");
  while (query.next()) {
    pins.push_back({query.string(0), query.string(1), query.string(2), query.string(3),
                    query.integer(4)});
  }
  return pins;
}

Result<void> put_pin(Store& store, const Pin& pin) {
  const std::string what = pin.kind + " " + pin.subject;
  if (pin.kind != "artifact" && pin.kind != "run") {
    return Error{ErrorCode::invalid, "pinning " + what + ": only artifacts and runs can be pinned"};
  }
  if (!stands(store.database(), pin)) {
    return Error{ErrorCode::not_found, "pinning " + what + ": there is no such " + pin.kind +
                                           ", or its bytes were removed already"};
  }
  TRY_VOID(store.begin());
  store.database().run(
      "INSERT INTO pins (kind, subject, who, why, at) VALUES (?1, ?2, ?3, ?4, ?5) "
      "ON CONFLICT (kind, subject) DO UPDATE SET who = excluded.who, why = excluded.why",
      pin.kind, pin.subject, pin.who, pin.why, pin.at);
  return store.commit();
}

Result<void> remove_pin(Store& store, const std::string& kind, const std::string& subject) {
  TRY_VOID(store.begin());
  store.database().run("DELETE FROM pins WHERE kind = ?1 AND subject = ?2", kind, subject);
  const bool removed = store.database().changes() > 0;
  TRY_VOID(store.commit());
  if (removed) return {};
  return Error{ErrorCode::not_found,
               "unpinning " + kind + " " + subject + ": it is not pinned; see `pipectl pins`"};
}

}  // namespace pipelined
