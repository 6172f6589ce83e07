#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "cli/commands/commands.h"
#include "dag/nearest_name.h"

namespace pipelined::cli {
namespace {

constexpr std::int64_t cells_max = 1000;

/// "a,b" → a and b.
std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

std::string name_in_sql(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

std::int64_t number_in(const std::string& text) { return std::atoll(text.c_str()); }

/// The queries over two tables, `data` and `other`, that make a comparison.
class Comparison {
 public:
  Comparison(Session& session, protocol::ArtifactDiff& diff) : session_(session), diff_(diff) {}

  Result<void> columns();
  Result<void> rows();
  Result<void> statistics();
  Result<void> examples(std::int64_t lines);

 private:
  Result<std::vector<protocol::TableRow>> ask(const std::string& query, std::int64_t rows = 1) {
    protocol::QueryRequest request;
    request.query = query, request.rows = rows, request.other = diff_.other;
    TRY(reply, session_.ask<protocol::TableReply>(
        "POST", "/api/v1/artifacts/" + diff_.digest + "/query", protocol::to_json(request)));
    return reply.rows;
  }
  Result<std::vector<std::pair<std::string, std::string>>> columns_of(const std::string& table);
  Result<void> count_whole();
  Result<void> count_by_key();
  bool in_both(const protocol::ColumnDifference& column) const {
    return !column.type.empty() && !column.other_type.empty();
  }
  bool is_key(const std::string& column) const {
    return std::find(diff_.key.begin(), diff_.key.end(), column) != diff_.key.end();
  }
  /// Whether the column differs in a joined row.
  std::string differs(const protocol::ColumnDifference& column) const {
    const std::string name = name_in_sql(column.column);
    if (column.type == column.other_type) return "a." + name + " IS DISTINCT FROM b." + name;
    return "CAST(a." + name + " AS VARCHAR) IS DISTINCT FROM CAST(b." + name + " AS VARCHAR)";
  }
  std::string join() const;
  std::string any_differs() const;

  Session& session_;
  protocol::ArtifactDiff& diff_;
};

Result<std::vector<std::pair<std::string, std::string>>> Comparison::columns_of(
    const std::string& table) {
  TRY(rows, ask("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM " + table + ")",
                cells_max));
  std::vector<std::pair<std::string, std::string>> columns;
  for (const protocol::TableRow& row : rows) {
    if (row.cells.size() >= 2) columns.emplace_back(row.cells[0], row.cells[1]);
  }
  return columns;
}

Result<void> Comparison::columns() {
  TRY(first, columns_of("data"));
  TRY(second, columns_of("other"));
  std::map<std::string, std::string> others(second.begin(), second.end());
  std::vector<std::string> both;
  for (const auto& [name, type] : first) {
    protocol::ColumnDifference column;
    column.column = name, column.type = type;
    if (const auto found = others.find(name); found != others.end()) {
      column.other_type = found->second;
      others.erase(found);
      both.push_back(name);
    }
    diff_.columns_differ |= column.type != column.other_type;
    diff_.columns.push_back(std::move(column));
  }
  for (const auto& [name, type] : second) {
    if (others.count(name) == 0) continue;
    protocol::ColumnDifference column;
    column.column = name, column.other_type = type;
    diff_.columns_differ = true;
    diff_.columns.push_back(std::move(column));
  }
  for (const std::string& key : diff_.key) {
    if (std::find(both.begin(), both.end(), key) != both.end()) continue;
    return Error{ErrorCode::invalid, "--key: the tables have no common column '" + key + "'" +
                                         did_you_mean(key, both)};
  }
  return {};
}

std::string Comparison::join() const {
  std::vector<std::string> on;
  for (const std::string& key : diff_.key) {
    on.push_back("a." + name_in_sql(key) + " IS NOT DISTINCT FROM b." + name_in_sql(key));
  }
  return " FROM (SELECT 1 AS pl_here, * FROM data) a FULL JOIN (SELECT 1 AS pl_here, * FROM other) b "
         "ON " + joined(on, " AND ");
}

std::string Comparison::any_differs() const {
  std::vector<std::string> parts = {"false"};
  for (const protocol::ColumnDifference& column : diff_.columns) {
    if (in_both(column) && !is_key(column.column)) parts.push_back(differs(column));
  }
  return "(" + joined(parts, " OR ") + ")";
}

// Without a key two rows are the same when all common columns are; each counts as often as it stands.
Result<void> Comparison::count_whole() {
  std::vector<std::string> names;
  for (const protocol::ColumnDifference& column : diff_.columns) {
    if (in_both(column)) names.push_back("CAST(" + name_in_sql(column.column) + " AS VARCHAR)");
  }
  if (names.empty()) names.push_back("1");
  const std::string list = joined(names, ", ");
  const auto without = [&](const char* one, const char* rest) {
    return "(SELECT count(*) FROM (SELECT " + list + " FROM " + one + " EXCEPT ALL SELECT " + list +
           " FROM " + rest + "))";
  };
  TRY(counted, ask("SELECT " + without("other", "data") + ", " + without("data", "other")));
  if (counted.empty() || counted[0].cells.size() < 2) {
    return Error{ErrorCode::internal, "comparing the rows: the daemon's worker counted none"};
  }
  diff_.added = number_in(counted[0].cells[0]), diff_.removed = number_in(counted[0].cells[1]);
  diff_.same = diff_.rows - diff_.removed;
  return {};
}

Result<void> Comparison::count_by_key() {
  std::vector<std::string> names;
  for (const std::string& key : diff_.key) names.push_back(name_in_sql(key));
  const std::string key = joined(names, ", ");
  const auto twice = [&](const char* table) {
    return std::string("(SELECT count(*) FROM (SELECT ") + key + " FROM " + table + " GROUP BY " + key +
           " HAVING count(*) > 1))";
  };
  TRY(repeated, ask("SELECT " + twice("data") + ", " + twice("other")));
  for (std::size_t i = 0; i < 2 && !repeated.empty(); ++i) {
    if (repeated[0].cells.at(i) == "0") continue;
    return Error{ErrorCode::invalid, "--key: " + repeated[0].cells[i] + " keys stand in several rows of " +
                                         (i == 0 ? diff_.digest : diff_.other).substr(0, 12) +
                                         "; name columns that tell every row from the others"};
  }
  std::vector<std::string> parts = {
      "count(*) FILTER (WHERE a.pl_here IS NULL)", "count(*) FILTER (WHERE b.pl_here IS NULL)",
      "count(*) FILTER (WHERE a.pl_here = 1 AND b.pl_here = 1 AND " + any_differs() + ")"};
  for (const protocol::ColumnDifference& column : diff_.columns) {
    const bool compared = in_both(column) && !is_key(column.column);
    parts.push_back(compared ? "count(*) FILTER (WHERE a.pl_here = 1 AND b.pl_here = 1 AND " +
                                   differs(column) + ")"
                             : "0");
  }
  TRY(counted, ask("SELECT " + joined(parts, ", ") + join()));
  if (counted.empty() || counted[0].cells.size() < parts.size()) {
    return Error{ErrorCode::internal, "comparing the rows: the daemon's worker counted none"};
  }
  const std::vector<std::string>& cells = counted[0].cells;
  diff_.added = number_in(cells[0]), diff_.removed = number_in(cells[1]);
  diff_.changed = number_in(cells[2]);
  diff_.same = diff_.rows - diff_.removed - diff_.changed;
  for (std::size_t i = 0; i < diff_.columns.size(); ++i) {
    diff_.columns[i].changed = number_in(cells[3 + i]);
  }
  return {};
}

Result<void> Comparison::rows() {
  TRY(counted, ask("SELECT (SELECT count(*) FROM data), (SELECT count(*) FROM other)"));
  if (!counted.empty() && counted[0].cells.size() >= 2) {
    diff_.rows = number_in(counted[0].cells[0]), diff_.other_rows = number_in(counted[0].cells[1]);
  }
  return diff_.key.empty() ? count_whole() : count_by_key();
}

bool is_number(const std::string& type) {
  return type == "DOUBLE" || type == "FLOAT" || type.find("INT") != std::string::npos ||
         type.rfind("DECIMAL", 0) == 0;
}

Result<void> Comparison::statistics() {
  for (const bool second : {false, true}) {
    std::vector<std::string> parts;
    for (const protocol::ColumnDifference& column : diff_.columns) {
      const std::string& type = second ? column.other_type : column.type;
      const std::string name = name_in_sql(column.column);
      if (type.empty()) {
        parts.insert(parts.end(), 5, "''");
        continue;
      }
      parts.push_back("count(*) - count(" + name + ")");
      parts.push_back("count(DISTINCT " + name + ")");
      parts.push_back(is_number(type) ? "format('{:.6g}', avg(" + name + "))" : "''");
      parts.push_back("CAST(min(" + name + ") AS VARCHAR)");
      parts.push_back("CAST(max(" + name + ") AS VARCHAR)");
    }
    TRY(row, ask("SELECT " + joined(parts, ", ") + " FROM " + (second ? "other" : "data")));
    if (row.empty() || row[0].cells.size() < parts.size()) continue;
    for (std::size_t i = 0; i < diff_.columns.size(); ++i) {
      protocol::ColumnDifference& column = diff_.columns[i];
      const std::string* cells = &row[0].cells[5 * i];
      (second ? column.other_nulls : column.nulls) = cells[0];
      (second ? column.other_distinct : column.distinct) = cells[1];
      (second ? column.other_mean : column.mean) = cells[2];
      (second ? column.other_lowest : column.lowest) = cells[3];
      (second ? column.other_highest : column.highest) = cells[4];
    }
  }
  return {};
}

Result<void> Comparison::examples(std::int64_t lines) {
  if (diff_.key.empty() || lines == 0) return {};
  std::vector<std::string> cells = {"CASE WHEN a.pl_here IS NULL THEN 'added' WHEN b.pl_here IS NULL "
                                    "THEN 'removed' ELSE 'changed' END AS pl_how"};
  for (const std::string& key : diff_.key) {
    cells.push_back("coalesce(CAST(a." + name_in_sql(key) + " AS VARCHAR), CAST(b." +
                    name_in_sql(key) + " AS VARCHAR)) AS " + name_in_sql(key));
  }
  TRY(rows, ask("SELECT " + joined(cells, ", ") + join() + " WHERE a.pl_here IS NULL OR b.pl_here IS "
                "NULL OR " + any_differs() + " ORDER BY ALL LIMIT " + std::to_string(lines), lines));
  diff_.examples = std::move(rows);
  return {};
}

/// "12" where both are so, else "12 → 13".
std::string both_of(const std::string& one, const std::string& other) {
  return one == other ? one : (one.empty() ? "-" : one) + " → " + (other.empty() ? "-" : other);
}

void tell(Session& session, const protocol::ArtifactDiff& diff) {
  const auto count = [](std::int64_t rows, const std::string& what) {
    return std::to_string(rows) + (rows == 1 ? " row is " : " rows are ") + what;
  };
  std::ostream& out = session.terminal.out;
  out << diff.digest.substr(0, 12) << " has " << diff.rows << " rows, " << diff.other.substr(0, 12)
      << " has " << diff.other_rows << ".\n";
  out << count(diff.added, "new") << ", " << count(diff.removed, "gone") << ", ";
  if (!diff.key.empty()) out << count(diff.changed, "changed") << ", ";
  out << count(diff.same, "the same");
  out << (diff.key.empty() ? " (whole rows; name a key with --key to see what changed).\n"
                           : " (by " + session.safe(joined(diff.key, ", ")) + ").\n");
  for (const protocol::ColumnDifference& column : diff.columns) {
    if (column.type == column.other_type) continue;
    out << "column " << session.safe(column.column)
        << (column.other_type.empty() ? " is gone"
            : column.type.empty()     ? " is new, of type " + session.safe(column.other_type)
                                      : " was " + session.safe(column.type) + " and is " +
                                            session.safe(column.other_type))
        << ".\n";
  }
  Table table = session.table({{"COLUMN"}, {"CHANGED", false, true}, {"NULLS"}, {"DISTINCT"}, {"MEAN"},
                               {"LOWEST"}, {"HIGHEST"}});
  for (const protocol::ColumnDifference& column : diff.columns) {
    table.add({column.column, diff.key.empty() ? "-" : std::to_string(column.changed),
               both_of(column.nulls, column.other_nulls),
               both_of(column.distinct, column.other_distinct), both_of(column.mean, column.other_mean),
               both_of(column.lowest, column.other_lowest),
               both_of(column.highest, column.other_highest)});
  }
  session.print(table);
  for (const protocol::TableRow& row : diff.examples) {
    out << session.safe(joined(row.cells, " ")) << "\n";
  }
}

}  // namespace

int run_artifact_diff(Session& session) {
  protocol::ArtifactDiff diff;
  for (auto [word, digest] : {std::pair{"ARTIFACT", &diff.digest}, {"OTHER", &diff.other}}) {
    const auto artifact = session.get<protocol::ArtifactDetail>(
        "/api/v1/artifacts/" + protocol::percent_encode(session.arguments.text(word)));
    if (!artifact) return session.fail(artifact.error());
    *digest = artifact->digest;
  }
  diff.key = words_of(session.arguments.text("key"));
  const std::string lines = session.arguments.text("lines", "10");
  if (lines.empty() || lines.size() > 4 || lines.find_first_not_of("0123456789") != std::string::npos ||
      number_in(lines) > cells_max) {
    return session.fail({ErrorCode::invalid, "--lines takes a whole number from 0 to 1000, not '" +
                                                 lines + "'"});
  }
  Comparison comparison(session, diff);
  for (const auto& part : std::vector<std::function<Result<void>()>>{
           [&] { return comparison.columns(); }, [&] { return comparison.rows(); },
           [&] { return comparison.statistics(); },
           [&] { return comparison.examples(number_in(lines)); }}) {
    if (const auto done = part(); !done) return session.fail(done.error());
  }
  session.replace_reply(diff);
  return session.show([&] { tell(session, diff); });
}

}  // namespace pipelined::cli
