// PostgreSQL as a query database, through libpq, which is loaded when it is first needed: a machine
// that asks no server needs no library for it.
#include <dlfcn.h>
#include <libpq-fe.h>

#include <cstring>

#include "plugins/ingest/query_database.h"

namespace pipelined {
namespace {

/// Seconds that connecting may take when the connection string says nothing.
constexpr const char* connect_seconds = "10";

/// Types by their numbers in pg_type, which never change.
enum TypeNumber : Oid {
  oid_bool = 16, oid_name = 19, oid_int8 = 20, oid_int2 = 21, oid_int4 = 23, oid_text = 25,
  oid_oid = 26, oid_float4 = 700, oid_float8 = 701, oid_bpchar = 1042, oid_varchar = 1043,
  oid_date = 1082, oid_timestamp = 1114, oid_timestamptz = 1184, oid_numeric = 1700,
};

/// The functions of libpq.so.5 that are used here.
struct Functions {
  decltype(&PQconnectdbParams) connect = nullptr;
  decltype(&PQstatus) status = nullptr;
  decltype(&PQfinish) finish = nullptr;
  decltype(&PQerrorMessage) error_message = nullptr;
  decltype(&PQexec) exec = nullptr;
  decltype(&PQprepare) prepare = nullptr;
  decltype(&PQdescribePrepared) describe_prepared = nullptr;
  decltype(&PQsendQueryParams) send_query_params = nullptr;
  decltype(&PQsetSingleRowMode) set_single_row_mode = nullptr;
  decltype(&PQgetResult) get_result = nullptr;
  decltype(&PQresultStatus) result_status = nullptr;
  decltype(&PQresultErrorField) result_error_field = nullptr;
  decltype(&PQresultErrorMessage) result_error_message = nullptr;
  decltype(&PQnfields) nfields = nullptr;
  decltype(&PQntuples) ntuples = nullptr;
  decltype(&PQfname) fname = nullptr;
  decltype(&PQftype) ftype = nullptr;
  decltype(&PQgetisnull) getisnull = nullptr;
  decltype(&PQgetvalue) getvalue = nullptr;
  decltype(&PQgetlength) getlength = nullptr;
  decltype(&PQclear) clear = nullptr;
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, Functions& f) {
  return find(library, "PQconnectdbParams", f.connect) && find(library, "PQstatus", f.status) &&
         find(library, "PQfinish", f.finish) &&
         find(library, "PQerrorMessage", f.error_message) && find(library, "PQexec", f.exec) &&
         find(library, "PQprepare", f.prepare) &&
         find(library, "PQdescribePrepared", f.describe_prepared) &&
         find(library, "PQsendQueryParams", f.send_query_params) &&
         find(library, "PQsetSingleRowMode", f.set_single_row_mode) &&
         find(library, "PQgetResult", f.get_result) &&
         find(library, "PQresultStatus", f.result_status) &&
         find(library, "PQresultErrorField", f.result_error_field) &&
         find(library, "PQresultErrorMessage", f.result_error_message) &&
         find(library, "PQnfields", f.nfields) && find(library, "PQntuples", f.ntuples) &&
         find(library, "PQfname", f.fname) && find(library, "PQftype", f.ftype) &&
         find(library, "PQgetisnull", f.getisnull) && find(library, "PQgetvalue", f.getvalue) &&
         find(library, "PQgetlength", f.getlength) && find(library, "PQclear", f.clear);
}

Result<Functions> load() {
  void* library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return Error{ErrorCode::unsupported,
                 std::string("PostgreSQL needs libpq.so.5, which cannot be loaded: ") + dlerror() +
                     "; install the package libpq5"};
  }
  Functions functions;
  if (!find_all(library, functions)) {
    return Error{ErrorCode::unsupported, "libpq.so.5 of this machine is too old"};
  }
  return functions;
}

QueryColumn column_of(const char* name, Oid type) {
  switch (type) {
    case oid_int2:
    case oid_int4:
    case oid_int8:
    case oid_oid: return {name, "integer", ColumnType::integer, true};
    case oid_float4:
    case oid_float8: return {name, "float", ColumnType::number, false};
    case oid_numeric: return {name, "numeric", ColumnType::number, false};
    case oid_bool: return {name, "boolean", ColumnType::boolean, false};
    case oid_date: return {name, "date", ColumnType::date, true};
    case oid_timestamp: return {name, "timestamp", ColumnType::time, true};
    case oid_timestamptz: return {name, "timestamp with time zone", ColumnType::time, true};
    case oid_name:
    case oid_text:
    case oid_bpchar:
    case oid_varchar: return {name, "text", ColumnType::text, true};
    default: return {name, "type " + std::to_string(type), ColumnType::text, false};
  }
}

std::string first_line(std::string text) {
  const std::size_t end = text.find('\n');
  if (end != std::string::npos) text.resize(end);
  return text;
}

/// Whether the server or the way to it may be better later, by the class of an SQLSTATE.
bool passes(std::string_view state) {
  for (const char* of : {"08", "25P0", "40", "53", "55P03", "57"}) {
    if (state.starts_with(of)) return true;
  }
  return state.empty();
}

class PostgresqlDatabase : public QueryDatabase {
 public:
  explicit PostgresqlDatabase(const Functions& functions) : pq_(functions) {}
  ~PostgresqlDatabase() override {
    if (connection_ != nullptr) pq_.finish(connection_);
  }

  Result<void> open(const std::string& connection, std::int64_t deadline_ms) {
    const char* keys[] = {"connect_timeout", "fallback_application_name", "dbname",
                          "client_encoding", nullptr};
    const char* values[] = {connect_seconds, "pipelined", connection.c_str(), "UTF8", nullptr};
    connection_ = pq_.connect(keys, values, 1);
    if (connection_ == nullptr || pq_.status(connection_) != CONNECTION_OK) {
      const std::string said = connection_ == nullptr ? "out of memory"
                                                      : first_line(pq_.error_message(connection_));
      // The server itself said no, rather than not being there or being busy.
      const auto has = [&said](const char* word) { return said.find(word) != std::string::npos; };
      const bool refused = has("FATAL") && !has("starting up") && !has("shutting down") &&
                           !has("too many") && !has("recovery");
      const bool wrong = refused || has("invalid") || has("missing \"=\"");
      return Error{wrong ? ErrorCode::invalid : ErrorCode::unavailable,
                   "connect to PostgreSQL: " + said};
    }
    for (const std::string& statement :
         {std::string("SET TimeZone = 'UTC'"), std::string("SET DateStyle = 'ISO'"),
          std::string("SET extra_float_digits = 1"), std::string("SET bytea_output = 'hex'"),
          // The same rows in the same order as long as nothing changes.
          std::string("SET synchronize_seqscans = off"),
          std::string("SET max_parallel_workers_per_gather = 0"),
          "SET statement_timeout = " + std::to_string(deadline_ms > 0 ? deadline_ms : 0),
          std::string("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")}) {
      TRY_VOID(run(statement));
    }
    return {};
  }

  Result<std::vector<QueryColumn>> columns(const std::string& sql,
                                           const std::vector<QueryValue>&) override {
    Answer prepared(pq_, pq_.prepare(connection_, "", sql.c_str(), 0, nullptr));
    if (pq_.result_status(prepared.get()) != PGRES_COMMAND_OK) return failed(prepared);
    Answer described(pq_, pq_.describe_prepared(connection_, ""));
    if (pq_.result_status(described.get()) != PGRES_COMMAND_OK) return failed(described);
    std::vector<QueryColumn> columns;
    for (int i = 0; i < pq_.nfields(described.get()); ++i) {
      columns.push_back(column_of(pq_.fname(described.get(), i), pq_.ftype(described.get(), i)));
    }
    if (columns.empty()) return Error{ErrorCode::invalid, "the query must be one SELECT"};
    return columns;
  }

  Result<void> rows(const std::string& sql, const std::vector<QueryValue>& values,
                    const std::vector<QueryColumn>& columns, const TakeRow& take) override {
    std::vector<const char*> texts;
    for (const QueryValue& value : values) texts.push_back(value.text.c_str());
    if (pq_.send_query_params(connection_, sql.c_str(), static_cast<int>(texts.size()), nullptr,
                              texts.data(), nullptr, nullptr, 0) == 0 ||
        pq_.set_single_row_mode(connection_) == 0) {
      return lost();
    }
    std::vector<std::string> kept(columns.size());
    std::vector<TextCell> cells(columns.size());
    while (PGresult* raw = pq_.get_result(connection_)) {
      const Answer answer(pq_, raw);
      const ExecStatusType status = pq_.result_status(raw);
      if (status == PGRES_TUPLES_OK) continue;  // the end, without a row
      if (status != PGRES_SINGLE_TUPLE) return failed(answer);
      for (std::size_t i = 0; i < columns.size(); ++i) {
        cells[i] = cell(raw, static_cast<int>(i), columns[i].type, kept[i]);
      }
      TRY_VOID(take(cells));
    }
    if (pq_.status(connection_) != CONNECTION_OK) return lost();
    return {};
  }

  Result<void> finish() override { return run("COMMIT"); }

 private:
  class Answer {
   public:
    Answer(const Functions& functions, PGresult* result) : pq_(functions), result_(result) {}
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;
    ~Answer() { pq_.clear(result_); }
    PGresult* get() const { return result_; }

   private:
    const Functions& pq_;
    PGresult* result_;
  };

  Error lost() const {
    return {ErrorCode::unavailable,
            "the connection to PostgreSQL was lost: " + first_line(pq_.error_message(connection_))};
  }

  Error failed(const Answer& answer) const {
    const auto field = [&](int code) {
      const char* text = answer.get() == nullptr ? nullptr
                                                 : pq_.result_error_field(answer.get(), code);
      return std::string(text == nullptr ? "" : text);
    };
    const std::string state = field(PG_DIAG_SQLSTATE);
    if (state.empty()) return lost();
    std::string sentence = "ask PostgreSQL: " + field(PG_DIAG_MESSAGE_PRIMARY);
    if (const std::string hint = field(PG_DIAG_MESSAGE_HINT); !hint.empty()) sentence += "; " + hint;
    return {passes(state) ? ErrorCode::unavailable : ErrorCode::invalid,
            sentence + " (SQLSTATE " + state + ")"};
  }

  Result<void> run(const std::string& statement) {
    const Answer answer(pq_, pq_.exec(connection_, statement.c_str()));
    if (pq_.result_status(answer.get()) != PGRES_COMMAND_OK) return failed(answer);
    return {};
  }

  TextCell cell(const PGresult* row, int place, ColumnType type, std::string& kept) const {
    if (pq_.getisnull(row, 0, place) != 0) return {{}, TextCell::Kind::absent};
    const std::string_view text(pq_.getvalue(row, 0, place),
                                static_cast<std::size_t>(pq_.getlength(row, 0, place)));
    if (type == ColumnType::boolean) {
      return {text == "t" ? "true" : text == "f" ? "false" : text, TextCell::Kind::plain};
    }
    if (type == ColumnType::number && text == "NaN") return {"nan", TextCell::Kind::plain};
    if (type == ColumnType::number && text.ends_with("Infinity")) {
      return {text.front() == '-' ? "-inf" : "inf", TextCell::Kind::plain};
    }
    if (type == ColumnType::time && text.ends_with("+00")) {
      kept = std::string(text.substr(0, text.size() - 3)) + "Z";
      return {kept, TextCell::Kind::plain};
    }
    return {text, TextCell::Kind::plain};
  }

  const Functions pq_;
  PGconn* connection_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<QueryDatabase>> open_postgresql(const std::string& connection,
                                                       std::int64_t deadline_ms) {
  TRY(functions, load());
  auto database = std::make_unique<PostgresqlDatabase>(functions);
  TRY_VOID(database->open(connection, deadline_ms));
  return std::unique_ptr<QueryDatabase>(std::move(database));
}

}  // namespace pipelined
