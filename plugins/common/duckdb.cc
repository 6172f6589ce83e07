#include "plugins/common/duckdb.h"

#include <arrow/c/abi.h>
#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <dlfcn.h>

#include <filesystem>

#include "plugins/common/arrow_result.h"
#include "plugins/common/sql_place.h"

namespace pipelined {
namespace {

using Handle = void*;
using State32 = int;  // 0 is success

/// What a query gives back; its fields are DuckDB's own business, only its size matters.
struct QueryResult {
  void* fields[6] = {};
};

/// The functions of libduckdb.so that are used here.
struct Functions {
  State32 (*open)(const char*, Handle*) = nullptr;
  void (*close)(Handle*) = nullptr;
  State32 (*connect)(Handle, Handle*) = nullptr;
  void (*disconnect)(Handle*) = nullptr;
  State32 (*query)(Handle, const char*, QueryResult*) = nullptr;
  void (*destroy_result)(QueryResult*) = nullptr;
  const char* (*result_error)(QueryResult*) = nullptr;
  std::uint64_t (*row_count)(QueryResult*) = nullptr;
  char* (*value_varchar)(QueryResult*, std::uint64_t, std::uint64_t) = nullptr;
  void (*free)(void*) = nullptr;
  std::uint64_t (*extract_statements)(Handle, const char*, Handle*) = nullptr;
  const char* (*extract_statements_error)(Handle) = nullptr;
  void (*destroy_extracted)(Handle*) = nullptr;
  State32 (*prepare)(Handle, const char*, Handle*) = nullptr;
  const char* (*prepare_error)(Handle) = nullptr;
  void (*destroy_prepare)(Handle*) = nullptr;
  int (*statement_type)(Handle) = nullptr;
  State32 (*execute_streaming)(Handle, QueryResult*) = nullptr;
  Handle (*fetch_chunk)(QueryResult) = nullptr;
  void (*destroy_chunk)(Handle*) = nullptr;
  std::uint64_t (*column_count)(QueryResult*) = nullptr;
  const char* (*column_name)(QueryResult*, std::uint64_t) = nullptr;
  Handle (*column_type)(QueryResult*, std::uint64_t) = nullptr;
  void (*destroy_type)(Handle*) = nullptr;
  Handle (*arrow_options)(QueryResult*) = nullptr;
  void (*destroy_arrow_options)(Handle*) = nullptr;
  Handle (*to_arrow_schema)(Handle, Handle*, const char**, std::uint64_t, ArrowSchema*) = nullptr;
  Handle (*chunk_to_arrow)(Handle, Handle, ArrowArray*) = nullptr;
  const char* (*error_message)(Handle) = nullptr;
  void (*destroy_error)(Handle*) = nullptr;
  const char* (*version)() = nullptr;
};

constexpr int select_statement = 1;

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, Functions& f) {
  return find(library, "duckdb_open", f.open) && find(library, "duckdb_close", f.close) &&
         find(library, "duckdb_connect", f.connect) &&
         find(library, "duckdb_disconnect", f.disconnect) &&
         find(library, "duckdb_query", f.query) &&
         find(library, "duckdb_destroy_result", f.destroy_result) &&
         find(library, "duckdb_result_error", f.result_error) &&
         find(library, "duckdb_row_count", f.row_count) &&
         find(library, "duckdb_value_varchar", f.value_varchar) &&
         find(library, "duckdb_free", f.free) &&
         find(library, "duckdb_extract_statements", f.extract_statements) &&
         find(library, "duckdb_extract_statements_error", f.extract_statements_error) &&
         find(library, "duckdb_destroy_extracted", f.destroy_extracted) &&
         find(library, "duckdb_prepare", f.prepare) &&
         find(library, "duckdb_prepare_error", f.prepare_error) &&
         find(library, "duckdb_destroy_prepare", f.destroy_prepare) &&
         find(library, "duckdb_prepared_statement_type", f.statement_type) &&
         find(library, "duckdb_execute_prepared_streaming", f.execute_streaming) &&
         find(library, "duckdb_fetch_chunk", f.fetch_chunk) &&
         find(library, "duckdb_destroy_data_chunk", f.destroy_chunk) &&
         find(library, "duckdb_column_count", f.column_count) &&
         find(library, "duckdb_column_name", f.column_name) &&
         find(library, "duckdb_column_logical_type", f.column_type) &&
         find(library, "duckdb_destroy_logical_type", f.destroy_type) &&
         find(library, "duckdb_result_get_arrow_options", f.arrow_options) &&
         find(library, "duckdb_destroy_arrow_options", f.destroy_arrow_options) &&
         find(library, "duckdb_to_arrow_schema", f.to_arrow_schema) &&
         find(library, "duckdb_data_chunk_to_arrow", f.chunk_to_arrow) &&
         find(library, "duckdb_error_data_message", f.error_message) &&
         find(library, "duckdb_destroy_error_data", f.destroy_error) &&
         find(library, "duckdb_library_version", f.version);
}

/// The library beside the folder that this code was loaded from.
std::string library_path() {
  Dl_info info{};
  if (!dladdr(reinterpret_cast<const void*>(&duckdb_version), &info) || !info.dli_fname) return {};
  std::error_code error;
  auto self = std::filesystem::canonical(info.dli_fname, error);
  if (error) self = std::filesystem::canonical("/proc/self/exe", error);
  return (self.parent_path().parent_path() / "lib" / "libduckdb.so").string();
}

Result<Functions> load() {
  const std::string path = library_path();
  // Never unloaded: the library keeps threads' storage that must outlive every call.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    return Error{ErrorCode::unsupported, "load DuckDB: " + std::string(dlerror()) +
                                             "; install it beside the plugins or run the bootstrap"};
  }
  Functions functions;
  if (!find_all(library, functions)) {
    return Error{ErrorCode::unsupported,
                 "load DuckDB: " + path + " lacks a function that is needed; 1.4 or newer is"};
  }
  return functions;
}

}  // namespace

struct Database::State {
  Functions f;
  Handle database = nullptr;
  Handle connection = nullptr;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (connection) f.disconnect(&connection);
    if (database) f.close(&database);
  }

  Error query_error(QueryResult& result, const std::string& what) const {
    const char* message = f.result_error(&result);
    return {ErrorCode::invalid, what + ": " + (message ? message : "DuckDB gave no reason")};
  }

  /// The error of somebody else's query, with its place.
  Error placed_error(QueryResult& result, const std::string& sql) const {
    const char* message = f.result_error(&result);
    return {ErrorCode::invalid, placed_message(message ? message : "DuckDB gave no reason", sql)};
  }

  /// Nothing, or the error that DuckDB's error data holds.
  Result<void> checked(Handle error) const {
    if (!error) return {};
    const char* message = f.error_message(error);
    const std::string text = message ? message : "";
    f.destroy_error(&error);
    if (text.empty()) return {};
    return Error{ErrorCode::invalid, "take the query's result: " + text};
  }

  Result<Handle> prepare(const std::string& sql) {
    Handle statements = nullptr;
    const std::uint64_t count = f.extract_statements(connection, sql.c_str(), &statements);
    const char* message = count == 0 ? f.extract_statements_error(statements) : nullptr;
    const std::string problem = message ? message : "";
    f.destroy_extracted(&statements);
    if (count != 1) {
      return Error{ErrorCode::invalid,
                   placed_message(!problem.empty() ? problem
                                  : count == 0     ? "it is empty; one SELECT is expected"
                                                   : std::to_string(count) +
                                                         " statements; one SELECT is expected",
                                  sql)};
    }
    Handle prepared = nullptr;
    const bool failed = f.prepare(connection, sql.c_str(), &prepared) != 0;
    const char* reason = failed ? f.prepare_error(prepared) : nullptr;
    std::string text = reason ? reason : "";
    if (!failed && f.statement_type(prepared) != select_statement) {
      text = "only SELECT may run here; the result is written by the operator";
    }
    if (!failed && text.empty()) return prepared;
    f.destroy_prepare(&prepared);
    return Error{ErrorCode::invalid, placed_message(text, sql)};
  }

  Result<std::shared_ptr<arrow::Schema>> schema_of(QueryResult& result, Handle options) {
    const std::uint64_t count = f.column_count(&result);
    std::vector<Handle> types;
    std::vector<const char*> names;
    for (std::uint64_t i = 0; i < count; ++i) {
      types.push_back(f.column_type(&result, i));
      names.push_back(f.column_name(&result, i));
    }
    ArrowSchema raw{};
    const Result<void> made =
        checked(f.to_arrow_schema(options, types.data(), names.data(), count, &raw));
    for (Handle& type : types) f.destroy_type(&type);
    if (!made) return made.error();
    return from_arrow("take the query's result", arrow::ImportSchema(&raw));
  }

  Result<void> stream(QueryResult& result, const std::string& sql, Handle options,
                      const std::function<Result<void>(const arrow::Schema&)>& begin,
                      const std::function<Result<void>(std::shared_ptr<arrow::RecordBatch>)>& sink) {
    TRY(schema, schema_of(result, options));
    TRY_VOID(begin(*schema));
    for (;;) {
      Handle chunk = f.fetch_chunk(result);
      if (!chunk) {
        const char* message = f.result_error(&result);
        if (message && *message) return placed_error(result, sql);
        return {};
      }
      ArrowArray raw{};
      const Result<void> made = checked(f.chunk_to_arrow(options, chunk, &raw));
      f.destroy_chunk(&chunk);
      if (!made) return made.error();
      TRY(batch, from_arrow("take the query's result", arrow::ImportRecordBatch(&raw, schema)));
      TRY_VOID(sink(std::move(batch)));
    }
  }
};

Database::Database(std::unique_ptr<State> state) : state_(std::move(state)) {}
Database::Database(Database&&) noexcept = default;
Database& Database::operator=(Database&&) noexcept = default;
Database::~Database() = default;

Result<Database> Database::open() {
  TRY(functions, load());
  auto state = std::make_unique<State>();
  state->f = functions;
  if (functions.open(nullptr, &state->database) != 0 ||
      functions.connect(state->database, &state->connection) != 0) {
    return Error{ErrorCode::internal, "open DuckDB: it refused"};
  }
  return Database(std::move(state));
}

Result<void> Database::run(const std::string& sql) {
  QueryResult result;
  const bool failed = state_->f.query(state_->connection, sql.c_str(), &result) != 0;
  Result<void> outcome;
  if (failed) outcome = state_->query_error(result, "prepare DuckDB");
  state_->f.destroy_result(&result);
  return outcome;
}

Result<std::vector<std::string>> Database::first_column(const std::string& sql) {
  const Functions& f = state_->f;
  QueryResult result;
  if (f.query(state_->connection, sql.c_str(), &result) != 0) {
    const Error error = state_->query_error(result, "ask DuckDB");
    f.destroy_result(&result);
    return error;
  }
  std::vector<std::string> values;
  const std::uint64_t rows = f.row_count(&result);
  for (std::uint64_t row = 0; row < rows; ++row) {
    char* text = f.value_varchar(&result, 0, row);
    values.emplace_back(text ? text : "");
    f.free(text);
  }
  f.destroy_result(&result);
  return values;
}

Result<void> Database::check_select(const std::string& sql) {
  TRY(prepared, state_->prepare(sql));
  state_->f.destroy_prepare(&prepared);
  return {};
}

Result<void> Database::select(
    const std::string& sql, const std::function<Result<void>(const arrow::Schema&)>& begin,
    const std::function<Result<void>(std::shared_ptr<arrow::RecordBatch>)>& sink) {
  const Functions& f = state_->f;
  TRY(prepared, state_->prepare(sql));
  QueryResult result;
  Result<void> outcome;
  if (f.execute_streaming(prepared, &result) != 0) {
    outcome = state_->placed_error(result, sql);
  } else {
    Handle options = f.arrow_options(&result);
    outcome = state_->stream(result, sql, options, begin, sink);
    f.destroy_arrow_options(&options);
  }
  f.destroy_result(&result);
  f.destroy_prepare(&prepared);
  return outcome;
}

const char* duckdb_version() {
  const Result<Functions> functions = load();
  return functions ? functions->version() : "missing";
}

std::string sql_literal(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + "'";
}

std::string sql_name(const std::string& name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace pipelined
