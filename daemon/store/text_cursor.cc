#include "daemon/store/text_cursor.h"

#include <charconv>

namespace pipelined {
namespace {

void append_utf8(std::string& out, unsigned code) {
  const auto put = [&out](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

}  // namespace

bool TextCursor::read_quoted(std::string& out) {
  if (!accept("\"")) return false;
  while (!at_end()) {
    out += take_while([](char c) { return c != '"' && c != '\\'; });
    if (accept("\"")) return true;
    if (!accept("\\") || !read_escape(out)) return false;
  }
  return false;
}

bool TextCursor::read_escape(std::string& out) {
  const std::string_view letter = take(1);
  if (letter.empty()) return false;
  switch (letter[0]) {
    case '"':
    case '\\':
    case '/': out += letter[0]; return true;
    case 'b': out += '\b'; return true;
    case 'f': out += '\f'; return true;
    case 'n': out += '\n'; return true;
    case 'r': out += '\r'; return true;
    case 't': out += '\t'; return true;
    case 'u': break;
    default: return false;
  }
  unsigned code = 0;
  if (!read_code_unit(code)) return false;
  if (code >= 0xd800 && code < 0xdc00) {
    unsigned low = 0;
    if (!accept("\\u") || !read_code_unit(low) || low < 0xdc00 || low > 0xdfff) return false;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  append_utf8(out, code);
  return true;
}

bool TextCursor::read_code_unit(unsigned& unit) {
  const std::string_view digits = take(4);
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
  return digits.size() == 4 && read.ec == std::errc() && read.ptr == digits.data() + 4;
}

}  // namespace pipelined
