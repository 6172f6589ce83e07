// SQLite as a query database.  A file in write-ahead mode that nobody has open cannot be locked by a
// reader that may write nothing beside it; it is then read as it lies, and it is an error if it changed.
#include <sqlite3.h>
#include <sys/stat.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "plugins/ingest/query_database.h"

namespace pipelined {
namespace {

constexpr int busy_wait_ms = 5000;
constexpr int coarse_ms = 50;

/// What tells that a file was written to.
struct FileMark {
  bool there = false;
  long long inode = 0, size = 0, changed_s = 0, changed_ns = 0;
  bool operator==(const FileMark&) const = default;
};

FileMark mark_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  return {true, static_cast<long long>(found.st_ino), static_cast<long long>(found.st_size),
          static_cast<long long>(found.st_ctim.tv_sec),
          static_cast<long long>(found.st_ctim.tv_nsec)};
}

/// The file with the two in which changes of it may stand.
std::vector<FileMark> marks_of(const std::string& path) {
  return {mark_of(path), mark_of(path + "-wal"), mark_of(path + "-journal")};
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

/// The type that a declaration means, by SQLite's own rules and the habits around them.
std::optional<ColumnType> type_declared(const std::string& declared) {
  const std::string word = upper(declared);
  const auto has = [&word](const char* part) { return word.find(part) != std::string::npos; };
  if (has("INT")) return ColumnType::integer;
  if (has("CHAR") || has("CLOB") || has("TEXT") || has("BLOB")) return ColumnType::text;
  if (has("REAL") || has("FLOA") || has("DOUB") || has("NUMERIC") || has("DECIMAL")) {
    return ColumnType::number;
  }
  if (has("BOOL")) return ColumnType::boolean;
  if (has("DATETIME") || has("TIMESTAMP")) return ColumnType::time;
  if (word == "DATE") return ColumnType::date;
  return std::nullopt;
}

std::string quoted_name(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string hex_of(const unsigned char* bytes, int size) {
  static constexpr const char* digits = "0123456789abcdef";
  std::string out;
  for (int i = 0; i < size; ++i) {
    out += digits[bytes[i] >> 4];
    out += digits[bytes[i] & 15];
  }
  return out;
}

class SqliteDatabase : public QueryDatabase {
 public:
  explicit SqliteDatabase(std::string path) : path_(std::move(path)) {}
  ~SqliteDatabase() override { sqlite3_close(handle_); }

  Result<void> open() {
    if (!mark_of(path_).there) {
      return Error{ErrorCode::not_found, "there is no SQLite file " + path_};
    }
    TRY_VOID(open_as("mode=ro"));
    auto begun = begin();
    if (begun || begun.error().code != ErrorCode::denied) return begun;
    // Nobody has it open: no lock can be taken, and none would be seen.
    TRY(marks, settled_marks());
    before_ = std::move(marks);
    if (before_[1].there && before_[1].size > 0) {
      return Error{ErrorCode::unavailable,
                   path_ + " has changes in its write-ahead log that only a writer can take in; "
                   "its application does that when it opens it"};
    }
    sqlite3_close(handle_);
    handle_ = nullptr;
    TRY_VOID(open_as("mode=ro&immutable=1"));
    return begin();
  }

  Result<std::vector<QueryColumn>> columns(const std::string& sql,
                                           const std::vector<QueryValue>& values) override {
    TRY(statement, prepare(sql, values));
    std::vector<QueryColumn> columns;
    std::vector<std::size_t> unknown;
    for (int i = 0; i < sqlite3_column_count(statement.get()); ++i) {
      QueryColumn column;
      column.name = sqlite3_column_name(statement.get(), i);
      const char* declared = sqlite3_column_decltype(statement.get(), i);
      if (declared != nullptr) column.declared = declared;
      if (const auto type = type_declared(column.declared)) {
        column.type = *type;
      } else {
        unknown.push_back(columns.size());
      }
      columns.push_back(std::move(column));
    }
    if (!unknown.empty()) TRY_VOID(look_at_values(sql, values, columns, unknown));
    return columns;
  }

  Result<void> rows(const std::string& sql, const std::vector<QueryValue>& values,
                    const std::vector<QueryColumn>& columns, const TakeRow& take) override {
    TRY(statement, prepare(sql, values));
    std::vector<std::string> texts(columns.size());
    std::vector<TextCell> cells(columns.size());
    for (;;) {
      const int step = sqlite3_step(statement.get());
      if (step == SQLITE_DONE) return {};
      if (step != SQLITE_ROW) return failed();
      for (std::size_t i = 0; i < columns.size(); ++i) {
        cells[i] = cell(statement.get(), static_cast<int>(i), columns[i].type, texts[i]);
      }
      TRY_VOID(take(cells));
    }
  }

  Result<void> finish() override {
    if (before_.empty() || marks_of(path_) == before_) return {};
    return Error{ErrorCode::unavailable, path_ + " was written to while it was read"};
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  Result<void> open_as(const std::string& how) {
    std::string uri = "file:";
    for (const char c : path_) {
      if (c == '%') uri += "%25";
      else if (c == '?') uri += "%3f";
      else if (c == '#') uri += "%23";
      else uri += c;
    }
    uri += "?" + how;
    if (sqlite3_open_v2(uri.c_str(), &handle_, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr) !=
        SQLITE_OK) {
      return failed();
    }
    sqlite3_busy_timeout(handle_, busy_wait_ms);
    return {};
  }

  /// Marks of a moment behind which every change makes other ones: clocks of file systems are coarse.
  Result<std::vector<FileMark>> settled_marks() const {
    constexpr int tries = 100;
    for (int i = 0; i < tries; ++i) {
      std::vector<FileMark> marks = marks_of(path_);
      const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                              std::chrono::system_clock::now().time_since_epoch()).count();
      if (marks[0].changed_s * 1000 + marks[0].changed_ns / 1'000'000 + coarse_ms < now_ms) {
        return marks;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(coarse_ms));
    }
    return Error{ErrorCode::unavailable, path_ + " is being written to"};
  }

  /// The transaction sees one state from its first read on.  `denied`: no lock can be taken.
  Result<void> begin() {
    if (sqlite3_exec(handle_, "BEGIN; SELECT count(*) FROM sqlite_schema", nullptr, nullptr,
                     nullptr) == SQLITE_OK) {
      return {};
    }
    const int code = sqlite3_errcode(handle_) & 0xff;
    if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY) {
      return Error{ErrorCode::denied, sqlite3_errmsg(handle_)};
    }
    return failed();
  }

  Error failed() const {
    const int code = sqlite3_errcode(handle_) & 0xff;
    const bool passes = code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_CANTOPEN ||
                        code == SQLITE_READONLY || code == SQLITE_IOERR;
    return {passes ? ErrorCode::unavailable : ErrorCode::invalid,
            "ask " + path_ + ": " + sqlite3_errmsg(handle_)};
  }

  Result<Statement> prepare(const std::string& sql, const std::vector<QueryValue>& values) {
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &raw, &rest) != SQLITE_OK) return failed();
    Statement statement(raw);
    const std::string_view behind = rest;
    if (raw == nullptr || behind.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
      return Error{ErrorCode::invalid, "the query must be one SELECT"};
    }
    if (sqlite3_stmt_readonly(raw) == 0) {
      return Error{ErrorCode::invalid, "the query must only read"};
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      const int place = static_cast<int>(i) + 1;
      std::int64_t number = 0;
      const std::string& text = values[i].text;
      if (values[i].integer) {
        std::from_chars(text.data(), text.data() + text.size(), number);
        sqlite3_bind_int64(raw, place, number);
      } else {
        sqlite3_bind_text(raw, place, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
      }
    }
    return statement;
  }

  /// What is stored in columns without a declaration decides their types.
  Result<void> look_at_values(const std::string& sql, const std::vector<QueryValue>& values,
                              std::vector<QueryColumn>& columns,
                              const std::vector<std::size_t>& unknown) {
    std::string look;
    for (const std::size_t i : unknown) {
      for (const char* kind : {"integer", "real", "text", "blob"}) {
        look += (look.empty() ? "SELECT max(typeof(" : ", max(typeof(") +
                quoted_name(columns[i].name) + ") = '" + kind + "')";
      }
    }
    TRY(statement, prepare(look + " FROM (\n" + sql + "\n)", values));
    if (sqlite3_step(statement.get()) != SQLITE_ROW) return failed();
    for (std::size_t u = 0; u < unknown.size(); ++u) {
      const auto any = [&statement, u](int kind) {
        return sqlite3_column_int(statement.get(), static_cast<int>(u) * 4 + kind) != 0;
      };
      const bool texts = any(2) || any(3);
      columns[unknown[u]].type = texts   ? ColumnType::text
                                 : any(1) ? ColumnType::number
                                 : any(0) ? ColumnType::integer
                                          : ColumnType::text;
    }
    return {};
  }

  /// A stored value as text; `kept` holds what SQLite itself does not.
  static TextCell cell(sqlite3_stmt* statement, int place, ColumnType type, std::string& kept) {
    switch (sqlite3_column_type(statement, place)) {
      case SQLITE_NULL: return {{}, TextCell::Kind::absent};
      case SQLITE_FLOAT: {
        char digits[32];  // all of them: SQLite's own text leaves the last two out
        const auto end = std::to_chars(digits, digits + sizeof digits,
                                       sqlite3_column_double(statement, place));
        kept.assign(digits, end.ptr);
        return {kept, TextCell::Kind::plain};
      }
      case SQLITE_BLOB:
        kept = hex_of(static_cast<const unsigned char*>(sqlite3_column_blob(statement, place)),
                      sqlite3_column_bytes(statement, place));
        return {kept, TextCell::Kind::plain};
      case SQLITE_INTEGER:
        if (type == ColumnType::boolean) {
          const std::int64_t number = sqlite3_column_int64(statement, place);
          kept = number == 0 ? "false" : number == 1 ? "true" : std::to_string(number);
          return {kept, TextCell::Kind::plain};
        }
        [[fallthrough]];
      default: {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, place));
        kept.assign(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, place)));
        return {kept, TextCell::Kind::plain};
      }
    }
  }

  std::string path_;
  sqlite3* handle_ = nullptr;
  std::vector<FileMark> before_;  // of a file that is read without a lock
};

}  // namespace

Result<std::unique_ptr<QueryDatabase>> open_sqlite(const std::string& path) {
  auto database = std::make_unique<SqliteDatabase>(path);
  TRY_VOID(database->open());
  return std::unique_ptr<QueryDatabase>(std::move(database));
}

}  // namespace pipelined
