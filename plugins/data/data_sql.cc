// data.sql: SELECTs over the step's inputs with DuckDB, the same bytes each time.
//
// One thread, because joins and floating sums on several change the order of rows and the last digits.
// Inputs are views over Parquet parts; delivered CSV and other files are turned into parts in the
// scratch folder first, by the rules of ingest.files.  The paths of the parts are all that the query
// could reach; functions whose answer does not follow from the inputs are refused.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "plugins/common/column_types.h"
#include "plugins/common/examples.h"
#include "plugins/data/operators.h"
#include "plugins/common/sql_session.h"

namespace pipelined {
namespace {

/// Queries by the name of their parameter.
using Queries = std::map<std::string, std::string>;

/// A session that can answer these queries and nothing else.
Result<Database> open_for(sdk::Context& context, const Queries& queries) {
  TRY(session, SqlSession::open(context));
  for (const auto& [name, query] : queries) TRY_VOID(session.permit(name, query));
  std::map<std::string, std::string> views;
  for (const std::string& port : context.input_ports()) views[port] = port;
  TRY_VOID(session.bind(context, views));
  return std::move(session).database();
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
  TRY(database, open_for(context, {{"query", query}}));
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

namespace {

/// Runs one query into the examples of an output port; how many rows it gave.
Result<std::int64_t> write_answer(sdk::Context& context, Database& database,
                                  const std::string& query, const std::string& port) {
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
    TRY(made, ExamplesWriter::create(context.output_path(port).string(), schema));
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
  return writer->row_count();
}

}  // namespace

Result<void> run_data_sql(sdk::Context& context) {
  Queries queries{{"query", context.text("query")}};
  for (const std::string& port : context.keys("queries")) {
    if (port == "examples") {
      return Error{ErrorCode::invalid, "queries.examples: the output examples is what query gives; "
                                       "name this one otherwise"};
    }
    queries["queries." + port] = context.text("queries." + port);
  }
  TRY(database, open_for(context, queries));
  for (const auto& [name, query] : queries) {
    const bool main = name == "query";
    const std::string port = main ? "examples" : name.substr(std::string("queries.").size());
    auto rows = write_answer(context, database, query, port);
    if (!rows) return main ? rows.error() : rows.error().within(name);
    context.note(main ? "rows" : "rows." + port, std::to_string(*rows));
  }
  return {};
}

}  // namespace pipelined
