#include "plugins/common/delimited_scan.h"

namespace pipelined {
namespace {

/// At a line break or the end of what is there.  "\r" at the very end may be half of "\r\n".
RowScan finish(std::string_view text, std::size_t at, bool ended, RowScan row) {
  const bool half = at + 1 == text.size() && text[at] == '\r';
  if ((at == text.size() || half) && !ended) return row;
  row.state = RowScan::State::complete;
  row.length = at;
  row.consumed = at;
  if (at < text.size()) {
    ++row.line_breaks;
    row.consumed += text.substr(at).starts_with("\r\n") ? 2 : 1;
  }
  return row;
}

}  // namespace

DelimitedScanner::DelimitedScanner(const Dialect& dialect) : dialect_(dialect) {
  for (const char c : {dialect.delimiter, '\n', '\r'}) ends_value_[static_cast<unsigned char>(c)] = true;
}

RowScan DelimitedScanner::scan(std::string_view text, bool ended) {
  cells_.clear();
  unescaped_.clear();
  RowScan row;
  std::size_t at = 0;
  for (;;) {
    if (at < text.size() && dialect_.quote != 0 && text[at] == dialect_.quote) {
      if (!scan_quoted(text, at, row)) {
        if (ended) row.state = RowScan::State::unclosed;
        return row;
      }
    } else {
      scan_plain(text, at);
    }
    if (at >= text.size() || text[at] != dialect_.delimiter) return finish(text, at, ended, row);
    ++at;
  }
}

void DelimitedScanner::scan_plain(std::string_view text, std::size_t& at) {
  const std::size_t begin = at;
  while (at < text.size() && !ends_value_[static_cast<unsigned char>(text[at])]) ++at;
  cells_.push_back({text.substr(begin, at - begin), TextCell::Kind::plain});
}

/// From the opening quote to what follows the closing one; false: not closed in what is there.
bool DelimitedScanner::scan_quoted(std::string_view text, std::size_t& at, RowScan& row) {
  const char quote = dialect_.quote;
  const std::size_t begin = ++at;
  bool doubled = false;
  for (;; ++at) {
    if (at >= text.size()) return false;
    if (text[at] == '\n' || (text[at] == '\r' && !text.substr(at).starts_with("\r\n"))) {
      ++row.line_breaks;
    }
    if (text[at] != quote) continue;
    if (at + 1 >= text.size() || text[at + 1] != quote) break;
    doubled = true;
    ++at;
  }
  std::string_view value = text.substr(begin, at - begin);
  ++at;
  if (doubled) {
    std::string& plain = unescaped_.emplace_back();
    for (std::size_t i = 0; i < value.size(); ++i) {
      plain += value[i];
      if (value[i] == quote) ++i;
    }
    value = plain;
  }
  cells_.push_back({value, TextCell::Kind::plain});
  while (at < text.size() && !ends_value_[static_cast<unsigned char>(text[at])]) {
    row.text_after_quote = true;
    ++at;
  }
  return true;
}

}  // namespace pipelined
