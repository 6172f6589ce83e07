// Separated values as a stream of rows: loads the file, finds the header, judges each row.
#include <arrow/util/utf8.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "plugins/common/delimited_scan.h"
#include "plugins/common/text_buffer.h"
#include "plugins/common/text_rows.h"

namespace pipelined {
namespace {

class DelimitedRows : public TextRowSource {
 public:
  DelimitedRows(TextBuffer buffer, const std::string& encoding, const Dialect& dialect)
      : buffer_(std::move(buffer)), encoding_(encoding), scanner_(dialect) {}

  /// Names the columns: by what is stated, else by the header, else by their places.
  Result<void> begin(const std::string& name, bool header,
                     const std::vector<std::string>& stated) {
    if (!header) return name_by_place(name, stated);
    TextRow row;
    TRY(found, next(row));
    if (!found) return nothing(name, "a header line");
    const std::string where = name + " line " + std::to_string(row.line);
    if (!row.problem.empty()) return Error{ErrorCode::invalid, where + ": " + row.problem};
    for (const TextCell& cell : row.cells) columns_.emplace_back(cell.text);
    if (!stated.empty() && stated.size() != columns_.size()) {
      return Error{ErrorCode::invalid, where + ": " + std::to_string(columns_.size()) +
                                           " columns, but the parameter columns names " +
                                           std::to_string(stated.size())};
    }
    if (!stated.empty()) columns_ = stated;
    return check_names(where);
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<bool> next(TextRow& row) override {
    row.cells.clear();
    row.problem.clear();
    row.problem_column.clear();
    buffer_.consume(to_consume_);
    to_consume_ = 0;
    TRY(scan, find_row());
    if (scan.consumed == 0) return false;
    row.line = line_;
    row.raw = buffer_.unread().substr(0, scan.length);
    to_consume_ = scan.consumed;
    line_ += scan.line_breaks;
    if (scan.state == RowScan::State::unclosed) {
      row.problem = "a quoted value is not closed";
    } else if (!arrow::util::ValidateUTF8(row.raw)) {
      row.problem = text_problem(encoding_);
    } else if (scan.text_after_quote) {
      row.problem = "text after a closing quote";
    } else if (!columns_.empty() && scanner_.cells().size() != columns_.size()) {
      const std::size_t count = scanner_.cells().size();
      row.problem = std::to_string(count) + (count == 1 ? " value, " : " values, ") +
                    std::to_string(columns_.size()) + " expected";
    } else {
      row.cells.swap(scanner_.cells());
    }
    return true;
  }

 private:
  static Error nothing(const std::string& name, const std::string& expected) {
    return {ErrorCode::invalid, name + " is empty: " + expected + " is expected; deliver the file "
                                       "again or leave it out"};
  }

  Result<void> name_by_place(const std::string& name, const std::vector<std::string>& stated) {
    columns_ = stated;
    if (!stated.empty()) return check_names("columns");
    TRY(scan, find_row());
    if (scan.consumed == 0) return nothing(name, "a row");
    for (std::size_t i = 1; i <= scanner_.cells().size(); ++i) {
      columns_.push_back("column_" + std::to_string(i));
    }
    return {};
  }

  Result<void> check_names(const std::string& where) {
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string column = where + ": column " + std::to_string(i + 1);
      if (columns_[i].empty()) {
        return Error{ErrorCode::invalid,
                     column + " has no name; the parameter columns can name them all"};
      }
      if (!seen.insert(columns_[i]).second) {
        return Error{ErrorCode::invalid,
                     column + " is named '" + columns_[i] + "' like one before it"};
      }
    }
    return {};
  }

  /// Loads until a row is complete; passes over empty lines.  `consumed` 0: the file has ended.
  Result<RowScan> find_row() {
    bool ended = false;
    for (;;) {
      const std::string_view text = buffer_.unread();
      if (!text.empty()) {
        const RowScan scan = scanner_.scan(text, ended);
        if (scan.state == RowScan::State::complete && scan.length == 0 && scan.consumed > 0) {
          buffer_.consume(scan.consumed);
          line_ += scan.line_breaks;
          continue;
        }
        if (scan.state == RowScan::State::complete) return scan;
        if (scan.state == RowScan::State::unclosed || text.size() > row_length_max) {
          return first_line(text);
        }
      }
      if (ended) return RowScan{};
      TRY(more, buffer_.load_more());
      ended = !more;
    }
  }

  /// An unclosed quote is a fault of the line that it begins on; reading goes on behind that line.
  static RowScan first_line(std::string_view text) {
    RowScan scan;
    scan.state = RowScan::State::unclosed;
    const std::size_t end = text.find('\n');
    scan.length = std::min(end, text.size());
    scan.consumed = end == std::string_view::npos ? text.size() : end + 1;
    scan.line_breaks = end == std::string_view::npos ? 0 : 1;
    if (scan.length > 0 && text[scan.length - 1] == '\r') --scan.length;
    return scan;
  }

  TextBuffer buffer_;
  std::string encoding_;
  DelimitedScanner scanner_;
  std::vector<std::string> columns_;
  std::size_t to_consume_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

Result<std::unique_ptr<TextRowSource>> open_delimited(const std::string& path,
                                                      const std::string& encoding,
                                                      const Dialect& dialect,
                                                      const std::vector<std::string>& columns) {
  arrow::util::InitializeUTF8();  // fills the tables that checking needs; cheap when repeated
  TRY(buffer, TextBuffer::open(path, encoding));
  auto rows = std::make_unique<DelimitedRows>(std::move(buffer), encoding, dialect);
  TRY_VOID(rows->begin(std::filesystem::path(path).filename().string(), dialect.header, columns));
  return std::unique_ptr<TextRowSource>(std::move(rows));
}

Result<Dialect> find_dialect(const std::string& path, const std::string& encoding,
                             const DialectWish& wish) {
  TRY(buffer, TextBuffer::open(path, encoding));
  bool ended = false;
  while (!ended && buffer.unread().size() < dialect_bytes) {
    TRY(more, buffer.load_more());
    ended = !more;
  }
  return look_for_dialect(buffer.unread(), ended, wish);
}

}  // namespace pipelined
