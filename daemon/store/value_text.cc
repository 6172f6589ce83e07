#include "daemon/store/value_text.h"

#include <charconv>
#include <limits>
#include <string>

#include "daemon/store/text_cursor.h"

namespace pipelined {
namespace {

constexpr int depth_max = 64;

bool read_value(TextCursor& cursor, Value& value, int depth);

bool read_number(TextCursor& cursor, Value& value) {
  const std::string_view word = cursor.take_while([](char c) {
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' ||
           (c >= 'a' && c <= 'z');
  });
  const char* end = word.data() + word.size();
  if (word == "nan") {
    value = std::numeric_limits<double>::quiet_NaN();
    return true;
  }
  if (word.find_first_of(".einf") == std::string_view::npos) {
    std::int64_t number = 0;
    const auto read = std::from_chars(word.data(), end, number);
    value = number;
    return read.ec == std::errc() && read.ptr == end && !word.empty();
  }
  double number = 0;
  const auto read = std::from_chars(word.data(), end, number);
  value = number;
  return read.ec == std::errc() && read.ptr == end;
}

bool read_list(TextCursor& cursor, Value& value, int depth) {
  ValueList list;
  if (!cursor.accept("]")) {
    do {
      Value item;
      if (!read_value(cursor, item, depth + 1)) return false;
      list.push_back(std::move(item));
    } while (cursor.accept(","));
    if (!cursor.accept("]")) return false;
  }
  value = std::move(list);
  return true;
}

bool read_table(TextCursor& cursor, Value& value, int depth) {
  ValueTable table;
  if (!cursor.accept("}")) {
    do {
      std::string key;
      Value item;
      if (!cursor.read_quoted(key) || !cursor.accept(":")) return false;
      if (!read_value(cursor, item, depth + 1)) return false;
      table.insert_or_assign(std::move(key), std::move(item));
    } while (cursor.accept(","));
    if (!cursor.accept("}")) return false;
  }
  value = std::move(table);
  return true;
}

bool read_value(TextCursor& cursor, Value& value, int depth) {
  if (depth > depth_max) return false;
  if (cursor.accept("null")) return true;
  if (cursor.accept("true")) return value = true, true;
  if (cursor.accept("false")) return value = false, true;
  if (cursor.accept("[")) return read_list(cursor, value, depth);
  if (cursor.accept("{")) return read_table(cursor, value, depth);
  if (cursor.starts_with("\"")) {
    std::string text;
    if (!cursor.read_quoted(text)) return false;
    value = std::move(text);
    return true;
  }
  return read_number(cursor, value);
}

}  // namespace

Result<Value> parse_canonical(std::string_view text) {
  TextCursor cursor(text);
  Result<Value> value{Value()};
  if (!read_value(cursor, *value, 0) || !cursor.at_end()) {
    return Error{ErrorCode::corrupt, "reading a recorded value: it is not canonical text at byte " +
                                         std::to_string(cursor.position()) +
                                         "; restore the state folder from a backup"};
  }
  return value;
}

}  // namespace pipelined
