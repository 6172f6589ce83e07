#include "plugins/common/dialect.h"

#include <algorithm>
#include <cctype>

#include "plugins/common/delimited_scan.h"
#include "plugins/common/text_values.h"

namespace pipelined {
namespace {

constexpr char delimiters[] = {',', '\t', ';', '|'};

/// Calls `look(cells)` for each row of the head that is whole, as long as it says true.
template <class Look>
void each_row(std::string_view head, bool whole, const Dialect& dialect, const Look& look) {
  DelimitedScanner scanner(dialect);
  for (std::size_t rows = 0; rows < dialect_rows && !head.empty();) {
    const RowScan row = scanner.scan(head, whole);
    if (row.state != RowScan::State::complete) return;
    head.remove_prefix(row.consumed);
    if (row.length == 0) continue;
    ++rows;
    if (!look(scanner.cells())) return;
  }
}

char look_for_delimiter(std::string_view head, bool whole, char quote) {
  char best = ',';
  std::size_t best_rows = 0, best_values = 0;
  for (const char delimiter : delimiters) {
    std::size_t values = 0, rows = 0;
    each_row(head, whole, {delimiter, quote, true}, [&](const std::vector<TextCell>& cells) {
      if (values == 0) values = cells.size();
      if (cells.size() == values) ++rows;
      return true;
    });
    if (values < 2) continue;
    if (rows > best_rows || (rows == best_rows && values > best_values)) {
      best = delimiter;
      best_rows = rows;
      best_values = values;
    }
  }
  return best;
}

/// Whether `'` quotes values: see the header.
bool single_quotes(std::string_view head, bool whole, std::optional<char> delimiter) {
  const char guess = delimiter ? *delimiter : look_for_delimiter(head, whole, '\'');
  bool some = false, good = true;
  each_row(head, whole, {guess, 0, true}, [&](const std::vector<TextCell>& cells) {
    for (const TextCell& cell : cells) good = good && !cell.text.starts_with('"');
    return good;
  });
  DelimitedScanner scanner({guess, '\'', true});
  for (std::size_t rows = 0; good && rows < dialect_rows && !head.empty(); ++rows) {
    const RowScan row = scanner.scan(head, whole);
    if (row.state != RowScan::State::complete) {
      good = !(whole || row.state == RowScan::State::unclosed);
      break;
    }
    const std::string_view raw = head.substr(0, row.length);
    some = some || raw.starts_with('\'') || raw.find(std::string{guess, '\''}) != raw.npos;
    good = !row.text_after_quote;
    head.remove_prefix(row.consumed);
  }
  return some && good;
}

bool reads_as_data(std::string_view text) {
  const bool digit = text.find_first_of("0123456789") != text.npos;  // a column may be named nan
  return digit && (parse_number(text) || parse_date(text) || parse_time(text));
}

bool look_for_header(std::string_view head, bool whole, const Dialect& dialect,
                     const std::vector<std::string>& columns) {
  bool header = true;
  each_row(head, whole, dialect, [&](const std::vector<TextCell>& cells) {
    if (!columns.empty()) {
      header = std::equal(cells.begin(), cells.end(), columns.begin(), columns.end(),
                          [](const TextCell& cell, const std::string& name) {
                            return cell.text == name;
                          });
    } else {
      header = std::none_of(cells.begin(), cells.end(), [](const TextCell& cell) {
        return reads_as_data(cell.text);
      });
    }
    return false;
  });
  return header;
}

std::string word_of(char c) { return c == '\t' ? "tab" : std::string("'") + c + "'"; }

}  // namespace

Dialect look_for_dialect(std::string_view head, bool whole, const DialectWish& wish) {
  if (head.size() > dialect_bytes) {
    head = head.substr(0, dialect_bytes);
    whole = false;
  }
  Dialect dialect;
  if (wish.quote) {
    dialect.quote = *wish.quote;
  } else if (single_quotes(head, whole, wish.delimiter)) {
    dialect.quote = '\'';
  }
  dialect.delimiter =
      wish.delimiter ? *wish.delimiter : look_for_delimiter(head, whole, dialect.quote);
  dialect.header =
      wish.header ? *wish.header : look_for_header(head, whole, dialect, wish.columns);
  return dialect;
}

std::string sentence_of(const Dialect& dialect) {
  return "values are separated by " + word_of(dialect.delimiter) +
         (dialect.quote == 0 ? " and never quoted" : " and quoted by " + word_of(dialect.quote)) +
         (dialect.header ? ", the first line names the columns" : ", there is no header line");
}

Result<char> dialect_character(const std::string& parameter, const std::string& word) {
  if (word == "tab" || word == "\\t") return '\t';
  if (parameter == "quote" && word == "none") return '\0';
  const bool character = word.size() == 1 && word[0] != '\n' && word[0] != '\r' &&
                         static_cast<unsigned char>(word[0]) < 0x80 &&
                         std::isalnum(static_cast<unsigned char>(word[0])) == 0;
  if (character) return word[0];
  return Error{ErrorCode::invalid, parameter + ": '" + word + "' is no character that can stand "
                                               "there; one of ASCII that is no letter, digit or line "
                                               "break is expected" +
                                       (parameter == "quote" ? ", or none" : ", or tab")};
}

}  // namespace pipelined
