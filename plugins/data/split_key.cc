#include "plugins/data/split_key.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <openssl/sha.h>

#include <charconv>
#include <cmath>

namespace pipelined {
namespace {

void append_word(std::string& key, char kind, std::string_view text) {
  key += kind;
  key += std::to_string(text.size());
  key += ':';
  key += text;
}

/// One value of a key: its kind, the length of its text, its text; so no two keys look alike.
void append_value(std::string& key, const arrow::Array& column, std::int64_t row) {
  if (column.IsNull(row)) {
    key += 'n';
    return;
  }
  char text[40];
  const auto put_integer = [&](char kind, std::int64_t value) {
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    append_word(key, kind, std::string_view(text, static_cast<std::size_t>(end - text)));
  };
  switch (column.type_id()) {
    case arrow::Type::STRING:
      return append_word(key, 's', static_cast<const arrow::StringArray&>(column).GetView(row));
    case arrow::Type::BOOL:
      return put_integer('b', static_cast<const arrow::BooleanArray&>(column).Value(row));
    case arrow::Type::DATE32:
      return put_integer('d', static_cast<const arrow::Date32Array&>(column).Value(row));
    case arrow::Type::TIMESTAMP:
      return put_integer('t', static_cast<const arrow::TimestampArray&>(column).Value(row));
    case arrow::Type::DOUBLE: {
      const double value = static_cast<const arrow::DoubleArray&>(column).Value(row);
      // A whole float is written like an int: the key stays where it is when a column's type widens.
      if (value == std::floor(value) && std::abs(value) < 9e15) {
        return put_integer('i', static_cast<std::int64_t>(value));
      }
      const auto end = std::to_chars(text, text + sizeof text, value).ptr;
      return append_word(key, 'f', std::string_view(text, static_cast<std::size_t>(end - text)));
    }
    default: return put_integer('i', static_cast<const arrow::Int64Array&>(column).Value(row));
  }
}

}  // namespace

Result<RowKey> RowKey::over(const arrow::Schema& schema, const std::vector<std::string>& names,
                            const std::string& param, const std::string& salt) {
  RowKey key;
  key.salt_ = salt;
  for (const std::string& name : names) {
    const int index = schema.GetFieldIndex(name);
    if (index < 0) {
      return Error{ErrorCode::invalid, param + ": there is no column '" + name + "'"};
    }
    key.columns_.push_back(index);
  }
  if (!names.empty()) return key;
  for (int i = 0; i < schema.num_fields(); ++i) key.columns_.push_back(i);
  return key;
}

std::uint64_t RowKey::number(const arrow::RecordBatch& batch, std::int64_t row) {
  text_.clear();
  append_word(text_, 's', salt_);
  for (const int column : columns_) append_value(text_, *batch.column(column), row);
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text_.data()), text_.size(), digest);
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | digest[i];
  return number;
}

std::string RowKey::readable(const arrow::RecordBatch& batch, std::int64_t row) const {
  std::string text;
  for (const int column : columns_) {
    const auto value = batch.column(column)->GetScalar(row);
    text += (text.empty() ? "" : ", ") + batch.schema()->field(column)->name() + " = " +
            (value.ok() ? (*value)->ToString() : "?");
  }
  return text;
}

}  // namespace pipelined
