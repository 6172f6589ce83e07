#include "daemon/store/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <utility>

#include "daemon/store/sqlite_faults.h"

namespace pipelined {
namespace {

// The cache holds the pages that a no-op run over 10,000 steps touches and stays far below what the
// whole daemon may use.  Exclusive locking keeps the log's index in our memory: no shared file, no
// lock calls a statement, and a second process is refused.
constexpr const char* pragmas =
    "PRAGMA locking_mode=EXCLUSIVE;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA foreign_keys=ON;"
    "PRAGMA trusted_schema=OFF;"
    "PRAGMA cell_size_check=ON;"
    "PRAGMA mmap_size=0;"
    "PRAGMA journal_size_limit=67108864;"
    "PRAGMA wal_autocheckpoint=2000;"
    "PRAGMA temp_store=MEMORY;"
    "PRAGMA cache_size=-16384;";

ErrorCode code_of(int code, int system_error) {
  switch (code & 0xff) {
    case SQLITE_FULL: return ErrorCode::exhausted;
    case SQLITE_NOMEM: return ErrorCode::exhausted;
    case SQLITE_IOERR:
      return system_error == ENOSPC || system_error == EDQUOT ? ErrorCode::exhausted
                                                              : ErrorCode::io;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ErrorCode::conflict;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return ErrorCode::corrupt;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN: return system_error == ENOSPC ? ErrorCode::exhausted : ErrorCode::io;
    default: return ErrorCode::internal;
  }
}

const char* advice_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::exhausted: return "free some space on its disk";
    case ErrorCode::io: return "check the disk and the permissions of the state folder";
    case ErrorCode::conflict: return "stop the other process that has it open";
    case ErrorCode::corrupt: return "restore the state folder from a backup";
    default: return "this is a defect of pipelined; please report it";
  }
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options) {
  std::unique_ptr<Database> database(new Database);
  database->path_ = options.path;
  std::error_code none;
  const bool fresh = std::filesystem::file_size(options.path, none) == 0 || none;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
  const int code = sqlite3_open_v2(options.path.c_str(), &database->handle_, flags,
                                   sqlite_layer_name());
  if (code != SQLITE_OK) return database->error_of(code, "opening");
  sqlite3_db_config(database->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // One: a copy of the whole file is written through it.
  sqlite3_limit(database->handle_, SQLITE_LIMIT_ATTACHED, 1);
  // Free pages can be given back later.  Only where the file is made: an existing one would be written, also on a
  // full disk.
  if (fresh) TRY_VOID(database->execute("PRAGMA auto_vacuum=INCREMENTAL;"));
  TRY_VOID(database->execute(pragmas));
  if (options.page_count_max > 0) {
    TRY_VOID(database->execute("PRAGMA max_page_count=" + std::to_string(options.page_count_max)));
  }
  return database;
}

Database::~Database() {
  for (auto& [sql, statement] : cache_) {
    if (statement) sqlite3_finalize(statement->handle);  // none: its text could not be prepared
  }
  sqlite3_close_v2(handle_);
}

Result<void> Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return error_of(code, "using");
  return {};
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }
std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

Result<void> Database::copy_to(const std::string& path) {
  Query query(*this, "VACUUM INTO ?1", path);
  while (query.next()) {
  }
  if (failure_) {
    const Error error = failure_->within("copying the records to " + path);
    clear_failure();
    return error;
  }
  return {};
}

Result<std::unique_ptr<DatabaseCopy>> DatabaseCopy::begin(Database& source,
                                                         const std::string& path) {
  std::unique_ptr<Database> target(new Database);
  target->path_ = path;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOFOLLOW;
  const int code = sqlite3_open_v2(path.c_str(), &target->handle_, flags, nullptr);
  if (code != SQLITE_OK) return target->error_of(code, "copying to");
  // Nobody relies on the copy before it is complete and synced.
  TRY_VOID(target->execute("PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF;"));
  std::unique_ptr<DatabaseCopy> copy(new DatabaseCopy(source, std::move(target)));
  copy->handle_ = sqlite3_backup_init(copy->target_->handle_, "main", source.handle_, "main");
  if (copy->handle_ == nullptr) {
    return copy->target_->error_of(sqlite3_errcode(copy->target_->handle_), "copying to");
  }
  return copy;
}

DatabaseCopy::~DatabaseCopy() {
  if (handle_ != nullptr) sqlite3_backup_finish(handle_);
}

Result<bool> DatabaseCopy::step(int pages) {
  CHECK(!source_.in_transaction());
  const int code = sqlite3_backup_step(handle_, pages);
  if (code == SQLITE_OK) return false;
  if (code == SQLITE_DONE) {
    const int finished = sqlite3_backup_finish(std::exchange(handle_, nullptr));
    if (finished == SQLITE_OK) return true;
    return target_->error_of(finished, "copying to");
  }
  return target_->error_of(code, "copying to").within(sqlite3_errstr(code));
}

std::int64_t DatabaseCopy::pages() const {
  return handle_ != nullptr ? sqlite3_backup_pagecount(handle_) : 0;
}

std::int64_t DatabaseCopy::remaining() const {
  return handle_ != nullptr ? sqlite3_backup_remaining(handle_) : 0;
}

Statement* Database::acquire(const char* sql) {
  std::unique_ptr<Statement>& cached = cache_[sql];
  if (cached && !cached->in_use) {
    cached->in_use = true;
    return cached.get();
  }
  auto statement = std::make_unique<Statement>();
  const unsigned flags = cached ? 0 : SQLITE_PREPARE_PERSISTENT;
  const int code = sqlite3_prepare_v3(handle_, sql, -1, flags, &statement->handle, nullptr);
  if (code != SQLITE_OK) {
    fail(code, "asking");
    return nullptr;
  }
  statement->in_use = true;
  if (cached) return statement.release();
  statement->cached = true;
  cached = std::move(statement);
  return cached.get();
}

void Database::release(Statement* statement) {
  sqlite3_reset(statement->handle);
  sqlite3_clear_bindings(statement->handle);
  statement->in_use = false;
}

bool Database::step(Statement* statement) {
  const int code = sqlite3_step(statement->handle);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail(code, "using");
  return false;
}

void Database::fail(int code, const char* doing) {
  if (!failure_) failure_ = error_of(code, doing);
}

Error Database::error_of(int code, const char* doing) const {
  const int system_error = handle_ != nullptr ? sqlite3_system_errno(handle_) : 0;
  const ErrorCode kind = code_of(code, system_error);
  std::string message = std::string(doing) + " the records in " + path_ + ": " +
                        (handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code));
  if (kind == ErrorCode::io && system_error != 0) {
    message += std::string(" (") + std::strerror(system_error) + ")";
  }
  return {kind, message + "; " + advice_for(kind)};
}

Query::Query(Database& database, const std::string& sql) : database_(database) {
  auto statement = std::make_unique<Statement>();
  const int code = sqlite3_prepare_v2(database.handle_, sql.c_str(), -1, &statement->handle,
                                      nullptr);
  if (code != SQLITE_OK) database.fail(code, "asking");
  statement_ = code == SQLITE_OK ? statement.release() : nullptr;
}

Query::~Query() {
  if (statement_ == nullptr) return;
  if (statement_->cached) {
    Database::release(statement_);
  } else {
    sqlite3_finalize(statement_->handle);
    delete statement_;
  }
}

bool Query::next() { return statement_ != nullptr && database_.step(statement_); }

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_->handle, column) == SQLITE_NULL;
}

std::int64_t Query::integer(int column) const {
  return sqlite3_column_int64(statement_->handle, column);
}

double Query::real(int column) const {
  // SQLite keeps no NaN: it stores NULL instead.
  if (is_null(column)) return std::numeric_limits<double>::quiet_NaN();
  return sqlite3_column_double(statement_->handle, column);
}

std::string_view Query::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_->handle, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_->handle, column))};
}

Digest Query::digest(int column) const {
  Digest digest;
  const void* data = sqlite3_column_blob(statement_->handle, column);
  const int size = sqlite3_column_bytes(statement_->handle, column);
  if (data != nullptr && size == static_cast<int>(digest.bytes.size())) {
    std::memcpy(digest.bytes.data(), data, digest.bytes.size());
  }
  return digest;
}

std::optional<Digest> Query::optional_digest(int column) const {
  if (is_null(column)) return std::nullopt;
  return digest(column);
}

void Query::bind(int position, std::int64_t value) {
  if (statement_ != nullptr) sqlite3_bind_int64(statement_->handle, position, value);
}

void Query::bind(int position, double value) {
  if (statement_ != nullptr) sqlite3_bind_double(statement_->handle, position, value);
}

void Query::bind(int position, std::string_view value) {
  if (statement_ == nullptr) return;
  // A null pointer would bind NULL where the table wants an empty text.
  const char* data = value.data() != nullptr ? value.data() : "";
  sqlite3_bind_text64(statement_->handle, position, data, value.size(),
                      copy_values_ ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8);
}

void Query::bind(int position, const Digest& value) {
  if (statement_ == nullptr) return;
  sqlite3_bind_blob64(statement_->handle, position, value.bytes.data(), value.bytes.size(),
                      copy_values_ ? SQLITE_TRANSIENT : SQLITE_STATIC);
}

void Query::bind(int position, const std::optional<Digest>& value) {
  if (value) {
    bind(position, *value);
  } else {
    bind(position, nullptr);
  }
}

void Query::bind(int position, const std::optional<std::string>& value) {
  if (value) {
    bind(position, std::string_view(*value));
  } else {
    bind(position, nullptr);
  }
}

void Query::bind(int position, std::nullptr_t) {
  if (statement_ != nullptr) sqlite3_bind_null(statement_->handle, position);
}

}  // namespace pipelined
