#include "cli/table.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "dag/result.h"
#include "daemon/api/protocol.h"

namespace pipelined::cli {
namespace {

int width_of(std::string_view text) {
  int width = 0;
  for (const char c : text) width += (static_cast<unsigned char>(c) & 0xc0u) != 0x80 ? 1 : 0;
  return width;
}

/// The first so many code points, the last of them an ellipsis if anything was cut.
std::string cut(const std::string& text, int width) {
  if (width_of(text) <= width) return text;
  std::string kept;
  int count = 0;
  for (std::size_t i = 0; i < text.size() && count < width - 1;) {
    std::size_t next = i + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xc0u) == 0x80) ++next;
    kept.append(text, i, next - i);
    i = next, ++count;
  }
  return kept + "…";
}

std::string one_line(const std::string& text) {
  std::string line = text;
  for (char& c : line) {
    if (c == '\n' || c == '\t' || c == '\r') c = ' ';
  }
  return line;
}

std::string padded(const std::string& text, int width, bool right) {
  const std::string blanks(static_cast<std::size_t>(std::max(0, width - width_of(text))), ' ');
  return right ? blanks + text : text + blanks;
}

}  // namespace

void Table::add(std::vector<std::string> cells) {
  CHECK(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::shown() const {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (wide_ || !columns_[i].wide_only) columns.push_back(i);
  }
  return columns;
}

std::vector<int> Table::fit(const std::vector<std::size_t>& columns,
                            const std::vector<std::vector<std::string>>& rows, int width) const {
  std::vector<int> widths;
  for (const std::size_t column : columns) {
    int widest = width_of(columns_[column].title);
    for (const auto& row : rows) widest = std::max(widest, width_of(row[column]));
    widths.push_back(widest);
  }
  if (width <= 0) return widths;
  int total = 2 * (static_cast<int>(widths.size()) - 1);
  for (const int one : widths) total += one;
  while (total > width) {  // the widest gives way, down to a width that still says something
    const auto widest = std::max_element(widths.begin(), widths.end());
    if (*widest <= 8) break;
    --*widest, --total;
  }
  return widths;
}

std::string Table::text(const Look& look) const {
  if (rows_.empty()) return {};
  const std::vector<std::size_t> columns = shown();
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : rows_) {
    auto& clean = rows.emplace_back();
    for (const std::string& cell : row) {
      clean.push_back(look.escape ? escaped(one_line(cell), true) : one_line(cell));
    }
  }
  const std::vector<int> widths = fit(columns, rows, look.width);
  std::string out;
  const auto line = [&](auto cell_of, bool coloured) {
    std::string built;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string cell = cut(cell_of(columns[i]), widths[i]);
      std::string shaped = padded(cell, widths[i], columns_[columns[i]].right);
      const char* colour = coloured ? colour_of(cell) : "";
      if (*colour != '\0') shaped = colour + shaped + "\x1b[0m";
      built += (i > 0 ? "  " : "") + shaped;
    }
    while (!built.empty() && built.back() == ' ') built.pop_back();
    out += built + "\n";
  };
  if (look.titles) line([&](std::size_t column) { return columns_[column].title; }, false);
  for (const auto& row : rows) line([&](std::size_t column) { return row[column]; }, look.colour);
  return out;
}

std::string escaped(std::string_view text, bool single_line) {
  std::string safe;
  const bool valid = protocol::is_utf8(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool line_end = byte == '\n' && !single_line;
    // In UTF-8 the C1 controls are C2 80 … C2 9F.
    const bool begins_c1 = valid && byte == 0xc2 && i + 1 < text.size() &&
                           static_cast<unsigned char>(text[i + 1]) < 0xa0;
    const bool plain = line_end || (byte == '\t' && !single_line) ||
                       (byte >= 0x20 && byte != 0x7f && (byte < 0x80 || valid) && !begins_c1);
    if (plain) {
      safe += text[i];
      continue;
    }
    std::array<char, 8> code{};
    const unsigned shown = begins_c1 ? static_cast<unsigned char>(text[++i]) : byte;
    std::snprintf(code.data(), code.size(), "\\x%02x", shown);
    safe += code.data();
  }
  return safe;
}

const char* colour_of(std::string_view state) {
  if (state == "succeeded" || state == "cached" || state == "accepted" || state == "reuse") {
    return "\x1b[32m";
  }
  if (state == "failed" || state == "rejected" || state == "error" || state == "missing") {
    return "\x1b[31m";
  }
  if (state == "halted" || state == "in_review" || state == "warning" || state == "blocked") {
    return "\x1b[33m";
  }
  if (state == "running" || state == "run") return "\x1b[36m";
  return "";
}

}  // namespace pipelined::cli
