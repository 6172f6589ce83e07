#include "dag/value.h"

#include <charconv>
#include <cmath>

namespace pipelined {
namespace {

void append(std::string& out, const Value& value);

void append_number(std::string& out, double number) {
  if (std::isnan(number)) {
    out += "nan";
    return;
  }
  if (std::isinf(number)) {
    out += number < 0 ? "-inf" : "inf";
    return;
  }
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void append_list(std::string& out, const ValueList& list) {
  out += '[';
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ',';
    append(out, list[i]);
  }
  out += ']';
}

void append_table(std::string& out, const ValueTable& table) {
  out += '{';
  bool first = true;
  for (const auto& [key, value] : table) {
    if (!first) out += ',';
    first = false;
    out += quoted(key);
    out += ':';
    append(out, value);
  }
  out += '}';
}

// The depth of a value is bounded by its readers (64), so recursion is safe here.
void append(std::string& out, const Value& value) {
  if (value.is_null()) {
    out += "null";
  } else if (const bool* flag = value.as_bool()) {
    out += *flag ? "true" : "false";
  } else if (const std::int64_t* number = value.as_int()) {
    out += std::to_string(*number);
  } else if (const double* real = value.as_double()) {
    append_number(out, *real);
  } else if (const std::string* text = value.as_text()) {
    out += quoted(*text);
  } else if (const ValueList* list = value.as_list()) {
    append_list(out, *list);
  } else {
    append_table(out, *value.as_table());
  }
}

}  // namespace

std::string canonical(const Value& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string quoted(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += digits[byte >> 4];
      out += digits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + '"';
}

Value parse_scalar(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (auto r = std::from_chars(text.data(), end, integer); r.ec == std::errc{} && r.ptr == end) {
    return integer;
  }
  double real = 0;
  if (auto r = std::from_chars(text.data(), end, real);
      r.ec == std::errc{} && r.ptr == end && std::isfinite(real)) {
    return real;
  }
  return std::string(text);
}

const char* kind_name(const Value& value) {
  static constexpr const char* names[] = {"null", "bool", "int", "float", "string", "list", "table"};
  return names[value.data.index()];
}

}  // namespace pipelined
