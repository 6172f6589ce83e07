#include "daemon/store/named_digests.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipelined {
namespace {

/// Tables whose artifacts are protected by rules of their own (collect.cc), or that name none.
constexpr std::string_view with_rules[] = {
    "arrivals", "artifacts", "attempts", "audit",   "backfills", "bindings",  "counters",
    "decisions", "holds",    "invalidations", "meta", "metrics", "outbox",    "pins",
    "pipelines", "resolutions", "results", "run_spans", "runs",  "slots",     "spans",
    "steps",     "tokens",   "unused_objects"};

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

/// Calls `take` for every 64 hexadecimal digits that stand between other characters.
template <class Take>
void each_digest(std::string_view text, Take take) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_hex(text[end])) ++end;
    if (end - at == 64) {
      if (const auto digest = parse_digest(std::string(text.substr(at, 64)))) take(*digest);
    }
    at = end + 1;
  }
}

std::string quoted_name(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::vector<std::pair<std::string, std::string>> columns_without_rules(Database& records) {
  std::vector<std::pair<std::string, std::string>> columns;
  Query query(records, "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c "
              "WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND c.type IN ('BLOB', 'TEXT', "
              "'ANY', '')");
  while (query.next()) {
    const std::string table = query.string(0);
    if (std::find(std::begin(with_rules), std::end(with_rules), table) != std::end(with_rules)) {
      continue;
    }
    columns.emplace_back(table, query.string(1));
  }
  return columns;
}

}  // namespace

std::unordered_set<std::int64_t> artifacts_named(Database& records) {
  std::unordered_set<Digest> digests;
  for (const auto& [table, column] : columns_without_rules(records)) {
    const std::string name = quoted_name(column);
    Query query(records, "SELECT " + name + ", typeof(" + name + ") = 'blob' FROM " +
                             quoted_name(table) + " WHERE (typeof(" + name + ") = 'blob' AND length(" +
                             name + ") = 32) OR (typeof(" + name + ") = 'text' AND length(" + name +
                             ") >= 64)");
    while (query.next()) {
      if (query.flag(1)) {
        digests.insert(query.digest(0));
      } else {
        each_digest(query.text(0), [&](const Digest& digest) { digests.insert(digest); });
      }
    }
  }
  std::unordered_set<std::int64_t> artifacts;
  for (const Digest& digest : digests) {
    Query found(records, "SELECT id FROM artifacts WHERE digest = ?1", digest);
    if (found.next()) artifacts.insert(found.integer(0));
  }
  return artifacts;
}

}  // namespace pipelined
