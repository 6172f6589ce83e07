#include "plugins/common/delimited_rows.h"

#include <arrow/util/utf8.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace pipelined {
namespace {

Result<void> check_names(const std::vector<std::string>& names, const std::string& where) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string column = where + ": column " + std::to_string(i + 1);
    if (names[i].empty()) {
      return Error{ErrorCode::invalid,
                   column + " has no name; the parameter columns can name them all"};
    }
    if (!seen.insert(names[i]).second) {
      return Error{ErrorCode::invalid, column + " is named '" + names[i] + "' like one before it"};
    }
  }
  return {};
}

/// The end of the last line of plain rows in `text`; 0: no line ends in it.
std::size_t last_line_end(std::string_view text, bool ended) {
  if (ended) return text.size();
  const std::size_t end = text.rfind('\n');
  if (end != std::string_view::npos) return end + 1;
  // "\r" alone ends a line too, but at the very end it may be half of "\r\n".
  const std::size_t old_end = text.size() > 1 ? text.rfind('\r', text.size() - 2) : text.npos;
  return old_end == std::string_view::npos ? 0 : old_end + 1;
}

}  // namespace

std::size_t first_line_end(std::string_view text) {
  const std::size_t end = text.find('\n');
  return end == std::string_view::npos ? text.size() : end + 1;
}

std::size_t whole_rows(std::string_view text, const Dialect& dialect, bool ended) {
  DelimitedScanner scanner(dialect);
  std::size_t at = 0;  // a row begins here
  while (at < text.size()) {
    const std::size_t quote =
        dialect.quote == 0 ? std::string_view::npos : text.find(dialect.quote, at);
    if (quote == std::string_view::npos) return at + last_line_end(text.substr(at), ended);
    // Lines before the one with the quote are whole rows: nothing is quoted in them.
    const std::size_t line = text.substr(at, quote - at).rfind('\n');
    if (line != std::string_view::npos) at += line + 1;
    while (at <= quote) {
      const RowScan row = scanner.scan(text.substr(at), ended);
      if (row.state == RowScan::State::needs_more) return at;
      const bool closed = row.state == RowScan::State::complete;
      at += closed ? row.consumed : first_line_end(text.substr(at));
    }
  }
  return at;
}

DelimitedRows::DelimitedRows(std::string_view text, const std::string& encoding,
                             const Dialect& dialect, std::size_t columns)
    : text_(text), encoding_(encoding), columns_(columns), scanner_(dialect) {
  arrow::util::InitializeUTF8();  // fills the tables that checking needs; cheap when repeated
  checked_ = arrow::util::ValidateUTF8(text);
}

bool DelimitedRows::next(TextRow& row) {
  row.cells.clear();
  row.problem.clear();
  row.problem_column.clear();
  while (at_ < text_.size()) {
    const std::string_view rest = text_.substr(at_);
    RowScan scan = scanner_.scan(rest, true);
    if (scan.state == RowScan::State::unclosed) {
      scan.consumed = first_line_end(rest);
      scan.length = rest.substr(0, scan.consumed).find_last_not_of("\r\n") + 1;
      scan.line_breaks = rest[scan.consumed - 1] == '\n' ? 1 : 0;
    }
    row.line = line_;
    row.raw = rest.substr(0, scan.length);
    at_ += scan.consumed;
    line_ += scan.line_breaks;
    if (scan.length == 0) continue;
    judge(scan, row);
    return true;
  }
  return false;
}

void DelimitedRows::judge(const RowScan& scan, TextRow& row) {
  const std::size_t count = scanner_.cells().size();
  if (scan.state == RowScan::State::unclosed) {
    row.problem = "a quoted value is not closed";
  } else if (!checked_ && !arrow::util::ValidateUTF8(row.raw)) {
    row.problem = text_problem(encoding_);
  } else if (scan.text_after_quote) {
    row.problem = "text after a closing quote";
  } else if (columns_ > 0 && count != columns_) {
    row.problem = std::to_string(count) + (count == 1 ? " value, " : " values, ") +
                  std::to_string(columns_) + " expected";
  } else {
    row.cells.swap(scanner_.cells());
  }
}

Result<std::vector<std::string>> column_names(const TextRow& row, const std::string& file,
                                              bool header,
                                              const std::vector<std::string>& stated) {
  const std::string where = file + " line " + std::to_string(row.line);
  std::vector<std::string> names = stated;
  if ((header || stated.empty()) && !row.problem.empty()) {
    return Error{ErrorCode::invalid, where + ": " + row.problem};
  }
  if (header && !stated.empty() && stated.size() != row.cells.size()) {
    return Error{ErrorCode::invalid, where + ": " + std::to_string(row.cells.size()) +
                                         " columns, but the parameter columns names " +
                                         std::to_string(stated.size())};
  }
  for (std::size_t i = 0; stated.empty() && i < row.cells.size(); ++i) {
    names.push_back(header ? std::string(row.cells[i].text) : "column_" + std::to_string(i + 1));
  }
  TRY_VOID(check_names(names, stated.empty() ? where : "columns"));
  return names;
}

}  // namespace pipelined
