// data.sql: one SELECT over the step's inputs with DuckDB, the same bytes each time.
//
// One thread, because joins and floating sums on several change the order of rows and the last digits.
// Inputs are views over Parquet parts; delivered CSV and other files are turned into parts in the
// scratch folder first, by the rules of ingest.files.  The paths of the parts are all that the query
// could reach; functions whose answer does not follow from the inputs are refused.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "plugins/common/column_types.h"
#include "plugins/common/examples.h"
#include "plugins/common/table_source.h"
#include "plugins/data/duckdb.h"
#include "plugins/data/operators.h"
#include "plugins/data/sql_words.h"

namespace pipelined {
namespace {

/// Delivered files of one artifact as parts in the scratch folder.
Result<std::vector<std::string>> parts_of_files(const sdk::Context& context,
                                                const std::string& port, std::int64_t index) {
  std::vector<std::string> files;
  for (const auto& path : context.input_files(port, index)) files.push_back(path.string());
  TableOptions options;
  options.text.null_words = context.list("null", {""});
  options.scratch = context.scratch_path().string();
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
  TRY_VOID((*table)->read(row_group_rows((*table)->schema()->num_fields()), take, refuse));
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

/// Makes a view a port and closes everything else; paths that the views read stay open.
Result<void> bind_inputs(Database& database, const sdk::Context& context) {
  std::vector<std::string> paths;
  for (const std::string& port : context.input_ports()) {
    TRY(parts, parts_of_port(context, port));
    TRY_VOID(database.run("CREATE VIEW " + sql_name(port) + " AS SELECT * FROM read_parquet(" +
                          list_of(parts) + ", union_by_name = true)"));
    paths.insert(paths.end(), parts.begin(), parts.end());
  }
  return database.run("SET allowed_paths = " + list_of(paths) +
                      "; SET enable_external_access = false; SET lock_configuration = true;");
}

}  // namespace

namespace {

/// A session that can answer this query and nothing else.
Result<Database> open_for(sdk::Context& context, const std::string& query) {
  TRY(database, Database::open());
  TRY_VOID(configure(database, context));
  TRY(refused, refused_functions(database));
  TRY_VOID(check_sql_words(query, refused));
  TRY_VOID(bind_inputs(database, context));
  return database;
}

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// The cells of a row as JSON texts.
void append_row(std::string& json, const arrow::RecordBatch& batch, std::int64_t row) {
  json += json.back() == '[' ? "{\"cells\":[" : ",{\"cells\":[";
  for (int column = 0; column < batch.num_columns(); ++column) {
    const auto scalar = batch.column(column)->GetScalar(row);
    const bool known = scalar.ok() && (*scalar)->is_valid;
    json += (column > 0 ? "," : "") + json_text(known ? (*scalar)->ToString() : std::string());
  }
  json += "]}";
}

}  // namespace

// The answer is cut here, not by the query, which may have an order and a limit of its own.
Result<void> run_data_table(sdk::Context& context) {
  const std::string query = context.text("query");
  TRY(database, open_for(context, query));
  std::string columns = "[", rows = "[";
  std::int64_t count = 0, rows_max = context.integer("rows");
  const auto begin = [&](const arrow::Schema& schema) -> Result<void> {
    for (const auto& field : schema.fields()) {
      columns += (columns.size() > 1 ? "," : "") + json_text(field->name());
    }
    return {};
  };
  const auto take = [&](std::shared_ptr<arrow::RecordBatch> batch) -> Result<void> {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "the query was asked to stop"};
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      if (count++ < rows_max) append_row(rows, *batch, row);
    }
    return {};
  };
  TRY_VOID(database.select(query, begin, take));
  return write_text((context.output_path("table") / "table.json").string(),
                    "{\"columns\":" + columns + "],\"rows\":" + rows + "],\"more\":" +
                        (count > rows_max ? "true" : "false") + "}");
}

Result<void> run_data_sql(sdk::Context& context) {
  const std::string query = context.text("query");
  TRY(database, open_for(context, query));
  std::optional<ExamplesWriter> writer;
  std::shared_ptr<arrow::Schema> schema;
  const auto begin = [&](const arrow::Schema& raw) -> Result<void> {
    for (const auto& field : raw.fields()) {
      if (raw.GetFieldIndex(field->name()) < 0) {
        return Error{ErrorCode::invalid, "query: two columns of the result are named '" +
                                             field->name() + "'; name one otherwise with AS"};
      }
    }
    TRY(shape, examples_schema(raw));
    schema = std::move(shape);
    TRY(made, ExamplesWriter::create(context.output_path("examples").string(), schema));
    writer = std::move(made);
    return {};
  };
  const auto take = [&](std::shared_ptr<arrow::RecordBatch> batch) -> Result<void> {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "the query was asked to stop"};
    TRY(rows, conform(*batch, schema));
    TRY_VOID(writer->write(std::move(rows)));
    context.progress(writer->row_count());
    return {};
  };
  TRY_VOID(database.select(query, begin, take));
  TRY_VOID(writer->close());
  context.note("rows", std::to_string(writer->row_count()));
  return {};
}

}  // namespace pipelined
