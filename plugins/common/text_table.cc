#include "plugins/common/text_table.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "plugins/common/arrow_result.h"
#include "plugins/common/text_rows.h"
#include "plugins/common/text_values.h"

namespace pipelined {
namespace {

Result<std::unique_ptr<TextRowSource>> open_source(const std::string& path,
                                                   const TextTableOptions& options,
                                                   const Dialect& dialect) {
  if (options.format == TextFormat::json_lines) return open_json_lines(path, options.encoding);
  return open_delimited(path, options.encoding, dialect, options.dialect.columns);
}

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string as_utf8(std::string_view text) {
  if (arrow::util::ValidateUTF8(text)) return std::string(text);
  std::string plain(text);
  for (char& c : plain) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return plain;
}

/// What is wrong with a row.
struct Problem {
  std::string column, reason;
};

RejectedRow rejected_row(const std::string& path, const TextRow& row, Problem problem) {
  return {file_name(path), row.line, std::move(problem.column), std::move(problem.reason),
          as_utf8(row.raw)};
}

/// The first characters of a value, for a sentence.
std::string beginning(std::string_view text) {
  constexpr std::size_t shown_max = 60;
  std::size_t end = std::min(text.size(), shown_max);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + (end < text.size() ? "…" : "");
}

bool is_null(const TextCell& cell, const std::vector<std::string>& null_words) {
  if (cell.kind != TextCell::Kind::plain) return cell.kind == TextCell::Kind::absent;
  for (const std::string& word : null_words) {
    if (cell.text == word) return true;
  }
  return false;
}

/// Which column of the table each column of a file is; text files of one delivery must agree.
Result<std::vector<std::size_t>> places_of(const std::vector<std::string>& columns,
                                           const std::vector<std::string>& table,
                                           const std::string& path) {
  std::vector<std::size_t> places;
  for (const std::string& column : columns) {
    const auto found = std::find(table.begin(), table.end(), column);
    if (found == table.end()) {
      return Error{ErrorCode::invalid, file_name(path) + ": column '" + column +
                                           "' is not in the first file of this delivery"};
    }
    places.push_back(static_cast<std::size_t>(found - table.begin()));
  }
  return places;
}

Result<void> check_header(const std::vector<std::string>& columns,
                          const std::vector<std::string>& table, const std::string& path) {
  TRY_VOID(places_of(columns, table, path));
  for (const std::string& column : table) {
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) {
      return Error{ErrorCode::invalid, file_name(path) + " has no column '" + column +
                                           "', which the first file of this delivery has"};
    }
  }
  return {};
}

/// The columns of all files and a guess for each.
struct Survey {
  std::vector<std::string> columns;
  std::vector<TypeGuess> guesses;
  void widen(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
    }
    guesses.resize(columns.size());
  }
};

Result<void> survey_file(const std::string& path, const TextTableOptions& options,
                         const Dialect& dialect, const std::vector<bool>& declared,
                         Survey& survey) {
  TRY(source, open_source(path, options, dialect));
  const bool json = options.format == TextFormat::json_lines;
  if (!json && !survey.columns.empty()) {
    TRY_VOID(check_header(source->columns(), survey.columns, path));
  }
  std::vector<std::size_t> places;
  TextRow row;
  for (;;) {
    TRY(found, source->next(row));
    if (!found) break;
    if (!row.problem.empty()) {
      if (options.quarantine) continue;
      return Error{ErrorCode::invalid, sentence_of(rejected_row(path, row, {"", row.problem}))};
    }
    if (places.size() < row.cells.size()) {
      survey.widen(source->columns());
      TRY(found_places, places_of(source->columns(), survey.columns, path));
      places = std::move(found_places);
    }
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (places[i] < declared.size() && declared[places[i]]) continue;
      TypeGuess& guess = survey.guesses[places[i]];
      if (is_null(row.cells[i], options.null_words)) continue;
      if (row.cells[i].kind == TextCell::Kind::text) {
        guess.add_text();
      } else {
        guess.add(row.cells[i].text);
      }
    }
  }
  survey.widen(source->columns());
  return {};
}

/// One converted cell, before the row as a whole is known to be good.
struct Converted {
  bool null = true;
  std::int64_t integer = 0;
  double number = 0;
  std::string_view text;
};

bool convert(std::string_view text, ColumnType type, Converted& out) {
  out.null = false;
  switch (type) {
    case ColumnType::text: out.text = text; return true;
    case ColumnType::number: {
      const auto value = parse_number(text);
      out.number = value.value_or(0);
      return value.has_value();
    }
    case ColumnType::integer: {
      const auto value = parse_integer(text);
      out.integer = value.value_or(0);
      return value.has_value();
    }
    case ColumnType::boolean: {
      const auto value = parse_boolean(text);
      out.integer = value.value_or(false);
      return value.has_value();
    }
    case ColumnType::date: {
      const auto value = parse_date(text);
      out.integer = value.value_or(0);
      return value.has_value();
    }
    case ColumnType::time: {
      const auto value = parse_time(text);
      out.integer = value.value_or(0);
      return value.has_value();
    }
  }
  return false;
}

arrow::Status append(arrow::ArrayBuilder& builder, ColumnType type, const Converted& cell) {
  if (cell.null) return builder.AppendNull();
  switch (type) {
    case ColumnType::text: return static_cast<arrow::StringBuilder&>(builder).Append(cell.text);
    case ColumnType::number:
      return static_cast<arrow::DoubleBuilder&>(builder).Append(cell.number);
    case ColumnType::integer:
      return static_cast<arrow::Int64Builder&>(builder).Append(cell.integer);
    case ColumnType::boolean:
      return static_cast<arrow::BooleanBuilder&>(builder).Append(cell.integer != 0);
    case ColumnType::date:
      return static_cast<arrow::Date32Builder&>(builder).Append(
          static_cast<std::int32_t>(cell.integer));
    case ColumnType::time:
      return static_cast<arrow::TimestampBuilder&>(builder).Append(cell.integer);
  }
  return arrow::Status::Invalid("no such type");
}

/// Gathers rows into batches.
class BatchMaker {
 public:
  BatchMaker(std::shared_ptr<arrow::Schema> schema, const std::vector<ColumnType>& types,
             std::int64_t batch_rows, const TextTable::BatchSink& sink)
      : schema_(std::move(schema)), types_(types), batch_rows_(batch_rows), sink_(sink),
        cells_(types.size()) {}

  Result<void> begin() {
    for (const auto& field : schema_->fields()) {
      TRY(builder, from_arrow("make column '" + field->name() + "'",
                              arrow::MakeBuilder(field->type())));
      builders_.push_back(std::move(builder));
    }
    return {};
  }

  /// What is wrong with the row, or nothing after it was taken.
  Result<Problem> add(const TextRow& row, const std::vector<std::size_t>& places,
                      const std::vector<std::string>& null_words) {
    for (Converted& cell : cells_) cell.null = true;
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      if (is_null(row.cells[i], null_words)) continue;
      const std::size_t place = places[i];
      if (!convert(row.cells[i].text, types_[place], cells_[place])) {
        const std::string& column = schema_->field(static_cast<int>(place))->name();
        return Problem{column, "'" + beginning(row.cells[i].text) + "' in column '" + column +
                                   "' is no " + name_of(types_[place])};
      }
    }
    for (std::size_t i = 0; i < cells_.size(); ++i) {
      TRY_VOID(from_arrow("take a row", append(*builders_[i], types_[i], cells_[i])));
    }
    if (++rows_ == batch_rows_) TRY_VOID(flush());
    return Problem{};
  }

  Result<void> flush() {
    if (rows_ == 0) return {};
    arrow::ArrayVector columns;
    for (auto& builder : builders_) {
      TRY(array, from_arrow("finish a batch", builder->Finish()));
      columns.push_back(std::move(array));
    }
    const std::int64_t rows = rows_;
    rows_ = 0;
    return sink_(arrow::RecordBatch::Make(schema_, rows, std::move(columns)));
  }

 private:
  std::shared_ptr<arrow::Schema> schema_;
  const std::vector<ColumnType>& types_;
  std::int64_t batch_rows_;
  const TextTable::BatchSink& sink_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  std::vector<Converted> cells_;
  std::int64_t rows_ = 0;
};

}  // namespace

std::string sentence_of(const RejectedRow& row) {
  constexpr std::size_t shown_max = 120;
  std::string text = row.text;
  if (text.size() > shown_max) {
    std::size_t end = shown_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end) + "…";
  }
  return row.file + " line " + std::to_string(row.line) + ": " + row.reason + ": '" + text + "'";
}

Result<std::optional<ColumnType>> declared_type(const TextTableOptions& options,
                                                const std::string& column) {
  for (const auto* types : {&options.types, &options.known}) {
    const auto stated = types->find(column);
    if (stated != types->end()) return std::optional(stated->second);
  }
  if (options.infer) return std::optional<ColumnType>();
  return Error{ErrorCode::invalid, "column '" + column + "' has no declared type, and infer is off: "
                                       "add types." + column + " or leave the column out of the "
                                       "delivery"};
}

Result<TextTable> TextTable::open(std::vector<std::string> files, TextTableOptions options) {
  TextTable table;
  Survey survey;
  std::vector<bool> declared;
  if (options.format == TextFormat::delimited && !files.empty()) {
    TRY(dialect, find_dialect(files.front(), options.encoding, options.dialect));
    table.dialect_ = dialect;
    TRY(first, open_source(files.front(), options, dialect));
    survey.widen(first->columns());
    for (const std::string& column : survey.columns) {
      TRY(type, declared_type(options, column));
      declared.push_back(type.has_value());
    }
  }
  const bool settled = !declared.empty() &&
                       std::find(declared.begin(), declared.end(), false) == declared.end();
  for (const std::string& file : files) {
    if (settled) {
      TRY(source, open_source(file, options, table.dialect_));
      TRY_VOID(check_header(source->columns(), survey.columns, file));
    } else {
      TRY_VOID(survey_file(file, options, table.dialect_, declared, survey));
    }
  }
  TRY_VOID(table.settle(survey.columns, survey.guesses, options, files));
  table.files_ = std::move(files);
  table.options_ = std::move(options);
  return table;
}

Result<void> TextTable::settle(const std::vector<std::string>& columns,
                               const std::vector<TypeGuess>& guesses,
                               const TextTableOptions& options,
                               const std::vector<std::string>& files) {
  const std::string first = files.empty() ? "the delivery" : file_name(files[0]);
  arrow::FieldVector fields;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    TRY(stated, declared_type(options, columns[i]));
    types_.push_back(stated ? *stated : guesses[i].result());
    fields.push_back(arrow::field(columns[i], arrow_type_of(types_.back())));
  }
  for (const auto& [column, type] : options.types) {
    if (std::find(columns.begin(), columns.end(), column) == columns.end()) {
      return Error{ErrorCode::invalid, "types." + column + ": there is no such column in " + first};
    }
  }
  if (fields.empty()) {
    return Error{ErrorCode::invalid, first + " is empty: at least one row is expected"};
  }
  schema_ = arrow::schema(std::move(fields));
  return {};
}

Result<void> TextTable::read(std::int64_t batch_rows, const BatchSink& sink,
                             const RejectSink& rejected) {
  BatchMaker maker(schema_, types_, batch_rows, sink);
  TRY_VOID(maker.begin());
  const std::vector<std::string> names = schema_->field_names();
  for (const std::string& path : files_) {
    TRY(source, open_source(path, options_, dialect_));
    std::vector<std::size_t> places;
    TextRow row;
    for (;;) {
      TRY(found, source->next(row));
      if (!found) break;
      Problem problem{row.problem_column, row.problem};
      if (problem.reason.empty()) {
        if (places.size() < row.cells.size()) {
          TRY(found_places, places_of(source->columns(), names, path));
          places = std::move(found_places);
        }
        TRY(refusal, maker.add(row, places, options_.null_words));
        problem = std::move(refusal);
      }
      if (problem.reason.empty()) continue;
      const RejectedRow bad = rejected_row(path, row, std::move(problem));
      if (!options_.quarantine) return Error{ErrorCode::invalid, sentence_of(bad)};
      TRY_VOID(rejected(bad));
    }
  }
  return maker.flush();
}

}  // namespace pipelined
