#include "plugins/ingest/ingest_query.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

#include "plugins/common/examples.h"
#include "plugins/common/text_columns.h"
#include "plugins/ingest/query_database.h"

namespace pipelined {
namespace {

constexpr std::int64_t batch_rows = 8192;

/// What the parameters ask for.
struct Wish {
  std::string query, watermark, after, after_type, upto;
  std::map<std::string, ColumnType> types;
  bool take = true;
};

std::string quoted_name(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string json(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<Wish> read_wish(const sdk::Context& context) {
  Wish wish;
  wish.query = context.text("query");
  // A query in a file ends with a semicolon; in brackets it must not.
  const std::size_t end = wish.query.find_last_not_of(" \t\r\n;");
  wish.query.resize(end == std::string::npos ? 0 : end + 1);
  if (wish.query.empty()) return Error{ErrorCode::invalid, "the query is empty"};
  wish.watermark = context.text("watermark");
  wish.after = context.text("after");
  wish.after_type = context.text("after_type");
  wish.upto = context.text("upto");
  wish.take = context.flag("take", true);
  for (const std::string& column : context.keys("types")) {
    const std::string name = context.text("types." + column);
    const auto type = column_type_named(name);
    if (!type) {
      return Error{ErrorCode::invalid, "types." + column + ": '" + name +
                                           "' is no type; int, float, bool, string, date and time "
                                           "are"};
    }
    wish.types[column] = *type;
  }
  return wish;
}

Result<std::unique_ptr<QueryDatabase>> open_database(const sdk::Context& context) {
  if (context.text("database") == "sqlite") {
    const std::string path = context.text("path");
    if (path.empty()) return Error{ErrorCode::invalid, "SQLite needs the parameter path"};
    return open_sqlite(path);
  }
  const std::string name = context.text("secret");
  if (name.empty()) return Error{ErrorCode::invalid, "PostgreSQL needs the parameter secret"};
  TRY(connection, context.secret(name));
  return open_postgresql(connection, context.deadline_ms());
}

/// One answer on its way into examples.
class Snapshot {
 public:
  Snapshot(sdk::Context& context, const Wish& wish, QueryDatabase& database)
      : context_(context), wish_(wish), database_(database) {}

  Result<void> take() {
    std::vector<QueryValue> values;
    std::string sql = wish_.query;
    if (!wish_.watermark.empty()) {
      sql = base(values);
      TRY_VOID(find_columns(sql, values));
      TRY_VOID(check_watermark());
      TRY(seen, greatest(sql, values));
      if (seen.empty()) return note_rows();
      context_.note("seen", json(seen));
      if (!wish_.take) return note_rows();
      values.push_back({wish_.upto.empty() ? seen : wish_.upto, is_integer()});
      sql = "SELECT * FROM (\n" + sql + "\n) AS pl_new WHERE " + quoted_name(wish_.watermark) +
            " <= $" + std::to_string(values.size()) + " ORDER BY " + quoted_name(wish_.watermark);
    } else {
      TRY_VOID(find_columns(sql, values));
    }
    TRY_VOID(read_rows(sql, values));
    return note_rows();
  }

 private:
  bool is_integer() const { return columns_[place_].type == ColumnType::integer; }

  /// The rows behind the last watermark.
  std::string base(std::vector<QueryValue>& values) const {
    std::string sql = "SELECT * FROM (\n" + wish_.query + "\n) AS pl_query";
    if (wish_.after.empty()) return sql;
    values.push_back({wish_.after, wish_.after_type == "int"});
    return sql + " WHERE " + quoted_name(wish_.watermark) + " > $1";
  }

  Result<void> find_columns(const std::string& sql, const std::vector<QueryValue>& values) {
    TRY(columns, database_.columns(sql, values));
    columns_ = std::move(columns);
    std::set<std::string> names;
    for (QueryColumn& column : columns_) {
      if (!names.insert(column.name).second) {
        return Error{ErrorCode::invalid, "the query has two columns '" + column.name +
                                             "'; name one of them otherwise with AS"};
      }
      const auto stated = wish_.types.find(column.name);
      if (stated != wish_.types.end()) column.type = stated->second;
    }
    for (const auto& [name, type] : wish_.types) {
      if (!names.contains(name)) {
        return Error{ErrorCode::invalid, "types." + name + ": the query has no such column"};
      }
    }
    return {};
  }

  Result<void> check_watermark() {
    const auto found = std::find_if(columns_.begin(), columns_.end(), [this](const auto& column) {
      return column.name == wish_.watermark;
    });
    const std::string start = "the watermark '" + wish_.watermark + "' ";
    if (found == columns_.end()) {
      return Error{ErrorCode::invalid, start + "is no column of the query"};
    }
    place_ = static_cast<std::size_t>(found - columns_.begin());
    const bool orders = found->ordered && found->type != ColumnType::number &&
                        found->type != ColumnType::boolean;
    if (!orders) {
      const std::string& declared = found->declared;
      return Error{ErrorCode::invalid,
                   start + "is of type " + (declared.empty() ? name_of(found->type) : declared) +
                       ", which has no exact order to go on by; take a column of whole numbers, "
                       "dates, times or text, or CAST it in the query"};
    }
    const std::string type = name_of(found->type);
    if (!wish_.after_type.empty() && wish_.after_type != type) {
      return Error{ErrorCode::invalid, start + "was of type " + wish_.after_type + " and is now of "
                                           "type " + type + "; state it with types"};
    }
    context_.note("type", json(type));
    return check_nulls();
  }

  Result<void> check_nulls() {
    std::string count;
    const QueryColumn column{"count", "integer", ColumnType::integer, true};
    TRY_VOID(database_.rows("SELECT count(*) FROM (\n" + wish_.query + "\n) AS pl_query WHERE " +
                                quoted_name(wish_.watermark) + " IS NULL",
                            {}, {column}, [&count](const std::vector<TextCell>& cells) {
                              count = cells[0].text;
                              return Result<void>();
                            }));
    if (count == "0") return {};
    return Error{ErrorCode::invalid,
                 count + (count == "1" ? " row has" : " rows have") + " no value in the watermark '" +
                     wish_.watermark + "', so no poll would ever take them; fill them, or leave "
                     "them out with WHERE " + wish_.watermark + " IS NOT NULL"};
  }

  Result<std::string> greatest(const std::string& sql, const std::vector<QueryValue>& values) {
    std::string seen;
    TRY_VOID(database_.rows("SELECT max(" + quoted_name(wish_.watermark) + ") FROM (\n" + sql +
                                "\n) AS pl_new",
                            values, {columns_[place_]}, [&seen](const std::vector<TextCell>& cells) {
                              if (cells[0].kind != TextCell::Kind::absent) seen = cells[0].text;
                              return Result<void>();
                            }));
    return seen;
  }

  Result<void> read_rows(const std::string& sql, const std::vector<QueryValue>& values) {
    std::vector<ColumnType> types;
    arrow::FieldVector fields;
    std::vector<std::size_t> places;
    for (const QueryColumn& column : columns_) {
      places.push_back(types.size());
      types.push_back(column.type);
      fields.push_back(arrow::field(column.name, arrow_type_of(column.type)));
    }
    const auto schema = arrow::schema(std::move(fields));
    const std::vector<std::string> no_null_words;
    TextColumns gathered(schema, types, no_null_words);
    TRY_VOID(gathered.begin());
    std::optional<ExamplesWriter> writer;
    std::int64_t pending = 0;
    const auto flush = [&]() -> Result<void> {
      pending = 0;
      TRY(batch, gathered.finish());
      if (!batch) return {};
      if (!writer) {
        TRY(made, ExamplesWriter::create(context_.output_path("examples").string(), schema));
        writer.emplace(std::move(made));
      }
      return writer->write(std::move(batch));
    };
    TextRow row;
    const auto take = [&](const std::vector<TextCell>& cells) -> Result<void> {
      row.cells = cells;
      TRY_VOID(take_row(row, places, gathered));
      return ++pending < batch_rows ? Result<void>() : flush();
    };
    TRY_VOID(database_.rows(sql, values, columns_, take));
    TRY_VOID(flush());
    TRY_VOID(database_.finish());
    return writer ? writer->close() : Result<void>();
  }

  Result<void> take_row(const TextRow& row, const std::vector<std::size_t>& places,
                        TextColumns& gathered) {
    ++rows_;
    if (rows_ % batch_rows == 0) {
      if (context_.cancelled()) return Error{ErrorCode::cancelled, "the poll was asked to stop"};
      context_.progress(rows_);
    }
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (columns_[i].type != ColumnType::text || is_text(row.cells[i].text)) continue;
      return Error{ErrorCode::invalid, place_of(row) + "column '" + columns_[i].name +
                                           "' holds text that is not UTF-8"};
    }
    TRY(problem, gathered.add(row, places));
    if (!problem.reason.empty()) {
      return Error{ErrorCode::invalid,
                   place_of(row) + problem.reason + "; state what it is with types." +
                       problem.column + " = \"string\""};
    }
    if (wish_.watermark.empty()) return {};
    last_ = row.cells[place_].text;
    if (rows_ == 1) first_ = last_;
    return {};
  }

  static bool is_text(std::string_view text) {
    return arrow::util::ValidateUTF8(reinterpret_cast<const std::uint8_t*>(text.data()),
                                     static_cast<std::int64_t>(text.size()));
  }

  std::string place_of(const TextRow& row) const {
    if (wish_.watermark.empty()) return "row " + std::to_string(rows_) + ": ";
    return "the row with " + wish_.watermark + " " + std::string(row.cells[place_].text) + ": ";
  }

  Result<void> note_rows() {
    context_.note("rows", std::to_string(rows_));
    if (rows_ == 0 || wish_.watermark.empty()) return {};
    context_.note("first", json(first_));
    context_.note("last", json(last_));
    return {};
  }

  sdk::Context& context_;
  const Wish& wish_;
  QueryDatabase& database_;
  std::vector<QueryColumn> columns_;
  std::size_t place_ = 0;  // of the watermark among them
  std::int64_t rows_ = 0;
  std::string first_, last_;
};

}  // namespace

Result<void> run_ingest_query(sdk::Context& context) {
  arrow::util::InitializeUTF8();
  TRY(wish, read_wish(context));
  TRY(database, open_database(context));
  return Snapshot(context, wish, *database).take();
}

}  // namespace pipelined
