// A small RAII door to SQLite: one connection, cached statements, errors as values.
//
// The only files that include sqlite3.h are this header's .cc.  `Database` remembers the first
// failure since it was last asked, so that callers may read and write in plain lines and look once
// at the end.  It knows nothing of our tables.  One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "dag/digest.h"
#include "dag/result.h"

struct sqlite3;
struct sqlite3_stmt;
struct sqlite3_backup;

namespace pipelined {

/// How a connection is opened.
struct DatabaseOptions {
  std::string path;
  std::int64_t page_count_max = 0;  ///< 0: not bounded
};

/// One prepared statement and whether a Query is using it.
struct Statement {
  sqlite3_stmt* handle = nullptr;
  bool in_use = false;
  bool cached = false;  ///< else it belongs to its query alone
};

/// A connection in WAL mode, locked for this process alone.
class Database {
 public:
  /// Opens or creates the file and sets every pragma that we rely on.
  static Result<std::unique_ptr<Database>> open(const DatabaseOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements that return no rows, `;` between them.
  Result<void> execute(const std::string& sql);
  /// Binds the values to ?1, ?2, … and runs a statement to its end.  `sql` must be a literal: its
  /// address is its name in the cache.  False: it failed (see `failure`).
  template <class... Values>
  bool run(const char* sql, const Values&... values);

  /// The first failure since `clear_failure`.
  const std::optional<Error>& failure() const { return failure_; }
  void clear_failure() { failure_.reset(); }
  /// Rows that the last `run` inserted, changed or deleted.
  std::int64_t changes() const;
  std::int64_t last_insert_id() const;
  /// Whether a transaction is open.
  bool in_transaction() const;
  /// Copies the whole database into a new file, consistently.
  Result<void> copy_to(const std::string& path);
  const std::string& path() const { return path_; }

 private:
  friend class Query;
  friend class DatabaseCopy;
  Database() = default;
  Statement* acquire(const char* sql);
  static void release(Statement* statement);
  bool step(Statement* statement);
  void fail(int code, const char* doing);
  Error error_of(int code, const char* doing) const;

  sqlite3* handle_ = nullptr;
  std::string path_;
  std::unordered_map<const char*, std::unique_ptr<Statement>> cache_;
  std::optional<Error> failure_;
};

/// A consistent copy of a database that is made a few pages at a time while its connection goes on
/// working: what is written meanwhile comes along.  The file is not durable yet when it is complete.
class DatabaseCopy {
 public:
  /// REQUIRES: `path` does not exist; `source` outlives the copy.
  static Result<std::unique_ptr<DatabaseCopy>> begin(Database& source, const std::string& path);
  /// Gives the copy up unless it is complete; the file stays.
  ~DatabaseCopy();
  DatabaseCopy(const DatabaseCopy&) = delete;
  DatabaseCopy& operator=(const DatabaseCopy&) = delete;

  /// Copies that many pages; true: the copy is complete.  REQUIRES: no open transaction.
  Result<bool> step(int pages);
  /// Pages of the database, as the last step saw it, and how many are still to come.
  std::int64_t pages() const;
  std::int64_t remaining() const;

 private:
  DatabaseCopy(Database& source, std::unique_ptr<Database> target)
      : source_(source), target_(std::move(target)) {}
  Database& source_;
  std::unique_ptr<Database> target_;
  sqlite3_backup* handle_ = nullptr;
};

/// The rows of one SELECT.  Values are copied when bound; the statement is free again when the
/// query dies.  The same text may be used by two queries at a time.
class Query {
 public:
  /// `sql` must be a literal (see Database::run).
  template <class... Values>
  Query(Database& database, const char* sql, const Values&... values)
      : database_(database), statement_(database.acquire(sql)) {
    int position = 0;
    (bind(++position, values), ...);
  }
  /// Text made at run time; prepared for this query alone.
  Query(Database& database, const std::string& sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Goes to the next row; false at the end or on a failure.
  bool next();

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  bool flag(int column) const { return integer(column) != 0; }
  double real(int column) const;
  /// Valid until the next call of `next`.
  std::string_view text(int column) const;
  std::string string(int column) const { return std::string(text(column)); }
  /// A 32-byte blob; anything else is the empty digest.
  Digest digest(int column) const;
  std::optional<Digest> optional_digest(int column) const;

  void bind(int position, std::int64_t value);
  void bind(int position, int value) { bind(position, static_cast<std::int64_t>(value)); }
  void bind(int position, bool value) { bind(position, static_cast<std::int64_t>(value)); }
  void bind(int position, double value);
  void bind(int position, std::string_view value);
  void bind(int position, const std::string& value) { bind(position, std::string_view(value)); }
  void bind(int position, const char* value) { bind(position, std::string_view(value)); }
  void bind(int position, const Digest& value);
  void bind(int position, const std::optional<Digest>& value);
  void bind(int position, const std::optional<std::string>& value);
  void bind(int position, std::nullptr_t);

 private:
  friend class Database;
  Database& database_;
  Statement* statement_;
  bool copy_values_ = true;  ///< false inside Database::run, where the values outlive the step
};

template <class... Values>
bool Database::run(const char* sql, const Values&... values) {
  Query query(*this, sql);
  query.copy_values_ = false;
  int position = 0;
  (query.bind(++position, values), ...);
  while (query.next()) {
  }
  return !failure_;
}

}  // namespace pipelined
