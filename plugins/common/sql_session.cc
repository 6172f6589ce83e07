#include "plugins/common/sql_session.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <filesystem>

#include "plugins/common/examples.h"
#include "plugins/common/table_source.h"
#include "plugins/common/sql_words.h"

namespace pipelined {
namespace {

/// Delivered files of one artifact as parts in the scratch folder.
Result<std::vector<std::string>> parts_of_files(const sdk::Context& context,
                                                const std::string& port, std::int64_t index) {
  std::vector<std::string> files;
  for (const auto& path : context.input_files(port, index)) files.push_back(path.string());
  TableOptions options;
  options.format = context.text("format", "auto");
  options.text.null_words = context.list("null", {""});
  options.scratch = context.scratch_path().string();
  options.text.threads = context.threads();
  auto table = open_table(std::move(files), std::move(options));
  if (!table) return table.error().within("input '" + port + "'");
  const std::string folder =
      (context.scratch_path() / (port + "-" + std::to_string(index))).string();
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Error{ErrorCode::io, "make " + folder + ": " + error.message()};
  TRY(writer, ExamplesWriter::create(folder, (*table)->schema()));
  const auto take = [&](std::shared_ptr<arrow::RecordBatch> batch) {
    return writer.write(std::move(batch));
  };
  const auto refuse = [](const RejectedRow&) { return Result<void>(); };
  TRY_VOID((*table)->read(take, refuse));
  TRY_VOID(writer.close());
  return example_parts(folder);
}

Result<std::vector<std::string>> parts_of_port(const sdk::Context& context,
                                               const std::string& port) {
  std::vector<std::string> all;
  for (std::int64_t i = 0; i < context.input_count(port); ++i) {
    const std::string type = context.input_type(port, i);
    auto parts = type == "examples/1" ? example_parts(context.input_path(port, i).string())
                                      : parts_of_files(context, port, i);
    if (!parts) return parts.error();
    all.insert(all.end(), parts->begin(), parts->end());
  }
  return all;
}

std::string list_of(const std::vector<std::string>& paths) {
  std::string list = "[";
  for (const std::string& path : paths) {
    if (list.size() > 1) list += ", ";
    list += sql_literal(path);
  }
  return list + "]";
}

/// The functions that a query must not call: those that answer differently each time or each query,
/// macros made of them, and table functions that look at anything but their arguments.
Result<std::set<std::string>> refused_functions(Database& database) {
  TRY(volatile_names, database.first_column(
      "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE "
      "stability IN ('VOLATILE', 'CONSISTENT_WITHIN_QUERY') AND function_type IN "
      "('scalar', 'aggregate')"));
  std::set<std::string> refused(volatile_names.begin(), volatile_names.end());
  TRY(tables, database.first_column(
      "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE function_type IN "
      "('table', 'pragma', 'table_macro') AND lower(function_name) NOT IN "
      "('range', 'generate_series', 'unnest', 'repeat', 'repeat_row', 'json_each', 'json_tree')"));
  refused.insert(tables.begin(), tables.end());
  TRY(macros, database.first_column(
      "SELECT DISTINCT lower(function_name) || ' ' || coalesce(macro_definition, '') FROM "
      "duckdb_functions() WHERE function_type = 'macro'"));
  for (const std::string& macro : macros) {
    const std::size_t blank = macro.find(' ');
    if (!check_sql_words(std::string_view(macro).substr(blank), refused)) {
      refused.insert(macro.substr(0, blank));
    }
  }
  for (const char* name : {"current_setting", "getenv", "read_text", "read_blob", "nextval",
                           "currval", "getvariable", "query", "query_table"}) {
    refused.insert(name);
  }
  return refused;
}

Result<void> configure(Database& database, const sdk::Context& context) {
  std::string settings =
      "SET threads = 1; SET preserve_insertion_order = true; SET TimeZone = 'UTC'; "
      "SET autoinstall_known_extensions = false; SET autoload_known_extensions = false; "
      "SET enable_progress_bar = false; SET temp_directory = " +
      sql_literal((context.scratch_path() / "duckdb").string()) + ";";
  if (context.memory_bytes() > 0) {
    // What the process and Arrow need beside DuckDB's own buffers.
    constexpr std::int64_t own = 96 << 20;
    const std::int64_t left = std::max<std::int64_t>(context.memory_bytes() - own,
                                                     context.memory_bytes() / 2);
    settings += "SET memory_limit = '" + std::to_string(left / 1024) + "KiB';";
  }
  return database.run(settings);
}

}  // namespace

Result<TextRows> text_rows(Database& database, const std::string& sql, std::size_t rows_max) {
  TextRows found;
  const auto begin = [&](const arrow::Schema& schema) -> Result<void> {
    for (const auto& field : schema.fields()) found.columns.push_back(field->name());
    return {};
  };
  const auto take = [&](std::shared_ptr<arrow::RecordBatch> batch) -> Result<void> {
    found.count += batch->num_rows();
    for (std::int64_t row = 0; row < batch->num_rows() && found.rows.size() < rows_max; ++row) {
      auto& cells = found.rows.emplace_back();
      for (const auto& column : batch->columns()) {
        const auto scalar = column->GetScalar(row);
        const bool known = scalar.ok() && (*scalar)->is_valid;
        cells.push_back(known ? std::optional((*scalar)->ToString()) : std::nullopt);
      }
    }
    return {};
  };
  TRY_VOID(database.select(sql, begin, take));
  return found;
}

Result<SqlSession> SqlSession::open(const sdk::Context& context) {
  TRY(database, Database::open());
  TRY_VOID(configure(database, context));
  TRY(refused, refused_functions(database));
  return SqlSession(std::move(database), std::move(refused));
}

Result<void> SqlSession::permit(const std::string& name, const std::string& sql) const {
  auto checked = check_sql_words(sql, refused_);
  if (checked || name == "query") return checked;
  return checked.error().within(name);
}

Result<void> SqlSession::bind(const sdk::Context& context,
                              const std::map<std::string, std::string>& views) {
  std::vector<std::string> paths;
  for (const auto& [view, port] : views) {
    TRY(parts, parts_of_port(context, port));
    TRY_VOID(database_.run("CREATE VIEW " + sql_name(view) + " AS SELECT * FROM read_parquet(" +
                           list_of(parts) + ", union_by_name = true)"));
    paths.insert(paths.end(), parts.begin(), parts.end());
  }
  return database_.run("SET allowed_paths = " + list_of(paths) +
                       "; SET enable_external_access = false; SET lock_configuration = true;");
}

}  // namespace pipelined
