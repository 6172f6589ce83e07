// How separated values are written: the delimiter, the quote, whether there is a header line.
//
// What nobody stated is found by looking at the beginning of the first file, by fixed rules, and holds
// for all files of the table: a dialect never changes between files because one looks different.
// Knows nothing of files.  Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "operators/sdk.h"

namespace pipelined {

/// A dialect in use.
struct Dialect {
  char delimiter = ',';
  char quote = '"';    ///< 0: there are no quotes
  bool header = true;  ///< the first row names the columns
};

/// What is stated of a dialect; the rest is found by looking.
struct DialectWish {
  std::optional<char> delimiter;
  std::optional<char> quote;  ///< 0: there are no quotes
  std::optional<bool> header;
  std::vector<std::string> columns;  ///< names of the columns, stated; empty: from the header
};

/// How many bytes of the first file are looked at, and how many rows.
inline constexpr std::size_t dialect_bytes = 65'536, dialect_rows = 100;

/// The dialect of a text that begins with `head`; `whole`: nothing follows.
/// Delimiter: of comma, tab, semicolon and bar the one with which most rows have as many values as the
/// first, which must have two; of equal ones that with more values, then the earlier in this list; comma
/// if there is none.  Quote: `'` where some value begins with it, every one that does ends with it, and
/// no value begins with `"`; else `"`.  Header: with stated columns, whether the first row is these;
/// else not if any of its values reads as a number, a date or a time.
Dialect look_for_dialect(std::string_view head, bool whole, const DialectWish& wish);

/// "values are separated by ';' and quoted by '"', the first line names the columns".
std::string sentence_of(const Dialect& dialect);

/// One character out of a parameter: `,`, `tab`, `\t`; for a quote also `none`.  Line breaks, letters
/// and digits are refused.
Result<char> dialect_character(const std::string& parameter, const std::string& word);

}  // namespace pipelined
