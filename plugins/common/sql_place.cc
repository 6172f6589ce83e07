#include "plugins/common/sql_place.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace pipelined {
namespace {

/// Line `number` of the text, from 1.
std::string_view line_of(std::string_view text, std::size_t number) {
  for (; number > 1; --number) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

/// The characters of UTF-8 text, each counted once.
std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

/// How many columns DuckDB takes a character to be wide: it counts those of a terminal.
std::size_t width_of(char32_t point) {
  struct Range {
    char32_t first, last;
  };
  constexpr Range wide[] = {{0x1100, 0x115F},   {0x2E80, 0xA4CF},   {0xAC00, 0xD7A3},
                            {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                            {0xFFE0, 0xFFE6},   {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
  if (point < 0x20 || (point >= 0x300 && point <= 0x36F)) return 0;
  for (const Range& range : wide) {
    if (point >= range.first && point <= range.last) return 2;
  }
  return 1;
}

/// One character and how many bytes it has.  REQUIRES: text is not empty.
std::pair<char32_t, std::size_t> first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  std::size_t size = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  size = std::min(size, text.size());
  char32_t point = size == 1 ? lead : lead & (0xFFu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  }
  return {point, size};
}

/// The bytes that are `width` columns wide, with what takes no room behind them.
std::size_t bytes_of(std::string_view text, std::size_t width) {
  std::size_t at = 0, seen = 0;
  while (at < text.size()) {
    const auto [point, size] = first_character(text.substr(at));
    if (seen >= width && width_of(point) > 0) break;
    seen += width_of(point);
    at += size;
  }
  return at;
}

}  // namespace

std::string placed_message(std::string_view message, std::string_view sql) {
  const std::string plain = "query: " + std::string(message);
  const std::size_t mark = message.rfind("\nLINE ");
  if (mark == std::string_view::npos) return plain;
  std::string_view shown = message.substr(mark + 1);
  std::size_t number = 0;
  const auto read = std::from_chars(shown.data() + 5, shown.data() + shown.size(), number);
  const std::size_t head = static_cast<std::size_t>(read.ptr - shown.data()) + 2;  // ": "
  const std::size_t end = shown.find('\n');
  const std::size_t caret = end == shown.npos ? shown.npos : shown.find('^', end);
  if (number == 0 || caret == shown.npos || caret - end - 1 < head || head > end) return plain;
  std::string_view piece = shown.substr(head, end - head);
  std::size_t place = caret - end - 1 - head;  // in columns of the piece
  if (piece.starts_with("...") && place >= 3) {
    piece.remove_prefix(3);
    place -= 3;
  }
  if (piece.ends_with("...")) piece.remove_suffix(3);
  const std::string_view line = line_of(sql, number);
  const std::size_t found = line.find(piece);
  if (found == std::string_view::npos) return plain;
  const std::size_t at = found + bytes_of(piece, place);
  std::string_view reason = message.substr(0, mark);
  while (reason.ends_with('\n')) reason.remove_suffix(1);
  std::string blanks;
  for (const char c : line.substr(0, at)) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) blanks += c == '\t' ? '\t' : ' ';
  }
  return "query line " + std::to_string(number) + ", column " +
         std::to_string(characters(line.substr(0, at)) + 1) + ": " + std::string(reason) + "\n" +
         std::string(line) + "\n" + blanks + "^";
}

}  // namespace pipelined
