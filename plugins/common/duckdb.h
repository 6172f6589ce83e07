// The door to DuckDB: its C functions, declared by us and found at run time in libduckdb.so.
//
// A Database is in memory, has one connection and one thread.  Result rows come as Arrow batches.
// Knows nothing of operators or of which SQL may run.  One thread.
#pragma once

#include <arrow/type_fwd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "operators/sdk.h"

namespace pipelined {

/// A session of DuckDB.
class Database {
 public:
  /// Loads `lib/libduckdb.so` beside the folder of this plugin and opens an empty database.
  static Result<Database> open();

  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;
  ~Database();

  /// Runs statements of ours whose result does not matter.
  Result<void> run(const std::string& sql);

  /// Runs a query of ours and gives its first column as text, null as "".
  Result<std::vector<std::string>> first_column(const std::string& sql);

  /// Checks that the text is one SELECT and runs it; batches go to `sink` as they come, after
  /// `begin` saw their schema.
  Result<void> select(const std::string& sql,
                      const std::function<Result<void>(const arrow::Schema&)>& begin,
                      const std::function<Result<void>(std::shared_ptr<arrow::RecordBatch>)>& sink);

  /// Checks that the text is one SELECT that can be bound; runs nothing.
  Result<void> check_select(const std::string& sql);

 private:
  struct State;
  explicit Database(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Version of the library, "v1.5.6", or "missing"; for the operator's description.
const char* duckdb_version();

/// `text` as an SQL string literal.
std::string sql_literal(const std::string& text);

/// `name` as a quoted SQL name.
std::string sql_name(const std::string& name);

}  // namespace pipelined
