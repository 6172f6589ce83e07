#include "plugins/common/text_columns.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/builder_time.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <utility>

#include "plugins/common/arrow_result.h"
#include "plugins/common/text_values.h"

namespace pipelined {
namespace {

/// The first characters of a value, for a sentence.
std::string beginning(std::string_view text) {
  constexpr std::size_t shown_max = 60;
  std::size_t end = std::min(text.size(), shown_max);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return std::string(text.substr(0, end)) + (end < text.size() ? "…" : "");
}

template <class Converted>
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

template <class Converted>
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

}  // namespace

/// One converted cell, before the row as a whole is known to be good.
struct TextColumns::Converted {
  bool null = true;
  std::int64_t integer = 0;
  double number = 0;
  std::string_view text;
};

bool is_null(const TextCell& cell, const std::vector<std::string>& null_words) {
  if (cell.kind != TextCell::Kind::plain) return cell.kind == TextCell::Kind::absent;
  for (const std::string& word : null_words) {
    if (cell.text == word) return true;
  }
  return false;
}

TextColumns::TextColumns(const std::shared_ptr<arrow::Schema>& schema,
                         const std::vector<ColumnType>& types,
                         const std::vector<std::string>& null_words)
    : schema_(schema), types_(types), null_words_(null_words), cells_(types.size()) {}

TextColumns::~TextColumns() = default;

Result<void> TextColumns::begin() {
  for (const auto& field : schema_->fields()) {
    TRY(builder, from_arrow("make column '" + field->name() + "'",
                            arrow::MakeBuilder(field->type())));
    builders_.push_back(std::move(builder));
  }
  return {};
}

Result<RowProblem> TextColumns::add(const TextRow& row, const std::vector<std::size_t>& places) {
  for (Converted& cell : cells_) cell.null = true;
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    if (is_null(row.cells[i], null_words_)) continue;
    const std::size_t place = places[i];
    if (!convert(row.cells[i].text, types_[place], cells_[place])) {
      const std::string& column = schema_->field(static_cast<int>(place))->name();
      return RowProblem{column, "'" + beginning(row.cells[i].text) + "' in column '" + column +
                                    "' is no " + name_of(types_[place])};
    }
  }
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    TRY_VOID(from_arrow("take a row", append(*builders_[i], types_[i], cells_[i])));
  }
  ++rows_;
  return RowProblem{};
}

Result<std::shared_ptr<arrow::RecordBatch>> TextColumns::finish() {
  if (rows_ == 0) return std::shared_ptr<arrow::RecordBatch>();
  arrow::ArrayVector columns;
  for (auto& builder : builders_) {
    TRY(array, from_arrow("finish a batch", builder->Finish()));
    columns.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(schema_, std::exchange(rows_, 0), std::move(columns));
}

}  // namespace pipelined
