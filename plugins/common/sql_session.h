// A session of DuckDB that sees some inputs of an attempt as views and nothing else.
//
// One thread, UTC and a fixed order, so that the same inputs give the same bytes.  What other people
// wrote is looked through for functions whose answer does not follow from the inputs before it runs.
// Delivered files are turned into parts in the scratch folder first.  One thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plugins/common/duckdb.h"

namespace pipelined {

/// Rows of a result as text, null as nothing.
struct TextRows {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::int64_t count = 0;  ///< of all rows, those beyond the limit too
};

/// Runs one SELECT and keeps its first rows.
Result<TextRows> text_rows(Database& database, const std::string& sql, std::size_t rows_max);

class SqlSession {
 public:
  /// An empty session with the attempt's limits.
  static Result<SqlSession> open(const sdk::Context& context);

  /// Success if the text depends on nothing but the inputs; else where and why not, after `name`.
  Result<void> permit(const std::string& name, const std::string& sql) const;

  /// Makes views (name to port) and closes everything else; to be called once.
  Result<void> bind(const sdk::Context& context, const std::map<std::string, std::string>& views);

  Database& database() & { return database_; }
  Database database() && { return std::move(database_); }

 private:
  SqlSession(Database database, std::set<std::string> refused)
      : database_(std::move(database)), refused_(std::move(refused)) {}

  Database database_;
  std::set<std::string> refused_;
};

}  // namespace pipelined
