// Parameter values: what TOML and JSON have in common.
//
// A `Value` is null, a bool, a 64-bit integer, a double, UTF-8 text, a list or a table with sorted
// keys.  `canonical` is the text that goes into keys: equal values have equal text, 1 and 1.0 differ.
// Reading TOML and JSON is done elsewhere (spec_toml, operators/value_json).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pipelined {

struct Value;
using ValueList = std::vector<Value>;
using ValueTable = std::map<std::string, Value, std::less<>>;

struct Value {
  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, ValueList, ValueTable> data;

  Value() : data(nullptr) {}
  Value(bool value) : data(value) {}                             // NOLINT: implicit
  Value(int value) : data(static_cast<std::int64_t>(value)) {}   // NOLINT: implicit
  Value(std::int64_t value) : data(value) {}                     // NOLINT: implicit
  Value(double value) : data(value) {}                           // NOLINT: implicit
  Value(const char* text) : data(std::string(text)) {}           // NOLINT: implicit
  Value(std::string text) : data(std::move(text)) {}             // NOLINT: implicit
  Value(ValueList list) : data(std::move(list)) {}               // NOLINT: implicit
  Value(ValueTable table) : data(std::move(table)) {}            // NOLINT: implicit

  bool is_null() const { return std::holds_alternative<std::nullptr_t>(data); }
  const bool* as_bool() const { return std::get_if<bool>(&data); }
  const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&data); }
  const double* as_double() const { return std::get_if<double>(&data); }
  const std::string* as_text() const { return std::get_if<std::string>(&data); }
  const ValueList* as_list() const { return std::get_if<ValueList>(&data); }
  const ValueTable* as_table() const { return std::get_if<ValueTable>(&data); }
  ValueTable* as_table() { return std::get_if<ValueTable>(&data); }

  bool operator==(const Value&) const = default;
};

/// One line of JSON with sorted keys, no blanks, shortest round-trip decimals; doubles keep a `.0`
/// or exponent so that 1 and 1.0 stay apart; nan and infinities are the words `nan`, `inf`, `-inf`.
std::string canonical(const Value& value);

/// `text` as a JSON string, quotes included; only what JSON must escape is escaped.
std::string quoted(std::string_view text);

/// The value read from a command line's `k=v`: true, false, an integer, a decimal, else text.
Value parse_scalar(std::string_view text);

/// "bool", "int", "float", "string", "list", "table" or "null", for messages.
const char* kind_name(const Value& value);

}  // namespace pipelined
