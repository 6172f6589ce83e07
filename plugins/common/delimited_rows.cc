// Comma-separated values after RFC 4180, with the liberties that files out there take: any line
// ending, a byte order mark, empty lines, quotes inside values that do not begin with one.
#include <arrow/util/utf8.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <set>

#include "plugins/common/text_buffer.h"
#include "plugins/common/text_rows.h"

namespace pipelined {
namespace {

/// Where the next row ends, and what stands in it.
struct Scan {
  enum class State { complete, needs_more, unclosed };
  State state = State::needs_more;
  std::size_t length = 0;       ///< of the row without its line break
  std::size_t consumed = 0;     ///< with it
  std::int64_t line_breaks = 0; ///< in what is consumed
  bool text_after_quote = false;
};

class DelimitedRows : public TextRowSource {
 public:
  DelimitedRows(TextBuffer buffer, char delimiter)
      : buffer_(std::move(buffer)), delimiter_(delimiter) {}

  Result<void> read_header(const std::string& name) {
    TextRow row;
    TRY(found, next(row));
    if (!found) {
      return Error{ErrorCode::invalid, name + " is empty: a header line is expected; deliver the "
                                              "file again or leave it out"};
    }
    if (!row.problem.empty()) {
      return Error{ErrorCode::invalid, name + " line " + std::to_string(row.line) + ": " +
                                           row.problem};
    }
    std::set<std::string_view> seen;
    for (const TextCell& cell : row.cells) {
      const std::string where = name + " line " + std::to_string(row.line) + ": column " +
                                std::to_string(columns_.size() + 1);
      if (cell.text.empty()) return Error{ErrorCode::invalid, where + " has no name"};
      if (!seen.insert(cell.text).second) {
        return Error{ErrorCode::invalid,
                     where + " is named '" + std::string(cell.text) + "' like one before it"};
      }
      columns_.emplace_back(cell.text);
    }
    return {};
  }

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<bool> next(TextRow& row) override {
    row.cells.clear();
    row.problem.clear();
    unescaped_.clear();
    buffer_.consume(to_consume_);
    to_consume_ = 0;
    TRY(scan, find_row());
    if (scan.consumed == 0) return false;
    row.line = line_;
    row.raw = buffer_.unread().substr(0, scan.length);
    to_consume_ = scan.consumed;
    line_ += scan.line_breaks;
    if (scan.state == Scan::State::unclosed) {
      row.problem = "a quoted value is not closed";
    } else if (!arrow::util::ValidateUTF8(row.raw)) {
      row.problem = "text that is not UTF-8";
    } else if (scan.text_after_quote) {
      row.problem = "text after a closing quote";
    } else if (!columns_.empty() && cells_.size() != columns_.size()) {
      row.problem = std::to_string(cells_.size()) + (cells_.size() == 1 ? " value, " : " values, ") +
                    std::to_string(columns_.size()) + " expected";
    } else {
      row.cells.swap(cells_);
    }
    return true;
  }

 private:
  /// Loads until a row is complete; passes over empty lines.  `consumed` 0: the file has ended.
  Result<Scan> find_row() {
    bool ended = false;
    for (;;) {
      const std::string_view text = buffer_.unread();
      Scan scan;
      if (!text.empty()) {
        scan = scan_row(text, ended);
        if (scan.state == Scan::State::complete && scan.length == 0 && scan.consumed > 0) {
          buffer_.consume(scan.consumed);
          line_ += scan.line_breaks;
          continue;
        }
        if (scan.state == Scan::State::complete) return scan;
        if (scan.state == Scan::State::unclosed || text.size() > row_length_max) {
          return first_line(text);
        }
      }
      if (ended) return Scan{};
      TRY(more, buffer_.load_more());
      ended = !more;
    }
  }

  /// An unclosed quote is a fault of the line that it begins on; reading goes on behind that line.
  static Scan first_line(std::string_view text) {
    Scan scan;
    scan.state = Scan::State::unclosed;
    const std::size_t end = text.find('\n');
    scan.length = std::min(end, text.size());
    scan.consumed = end == std::string_view::npos ? text.size() : end + 1;
    scan.line_breaks = end == std::string_view::npos ? 0 : 1;
    if (scan.length > 0 && text[scan.length - 1] == '\r') --scan.length;
    return scan;
  }

  Scan scan_row(std::string_view text, bool ended) {
    cells_.clear();
    unescaped_.clear();
    Scan scan;
    std::size_t at = 0;
    for (;;) {
      if (at < text.size() && text[at] == '"') {
        if (!scan_quoted(text, at, scan)) {
          if (ended) scan.state = Scan::State::unclosed;
          return scan;
        }
      } else {
        const std::size_t begin = at;
        while (at < text.size() && text[at] != delimiter_ && text[at] != '\n' && text[at] != '\r') {
          ++at;
        }
        cells_.push_back({text.substr(begin, at - begin), TextCell::Kind::plain});
      }
      if (at < text.size() && text[at] == delimiter_) {
        ++at;
        continue;
      }
      return finish(text, at, ended, scan);
    }
  }

  /// At a line break or the end of what is loaded.  "\r" at the very end may be half of "\r\n".
  static Scan finish(std::string_view text, std::size_t at, bool ended, Scan scan) {
    const bool half = at + 1 == text.size() && text[at] == '\r';
    if ((at == text.size() || half) && !ended) return scan;
    scan.state = Scan::State::complete;
    scan.length = at;
    scan.consumed = at;
    if (at < text.size()) {
      ++scan.line_breaks;
      scan.consumed += text.substr(at).starts_with("\r\n") ? 2 : 1;
    }
    return scan;
  }

  /// From the opening quote to what follows the closing one; false: not closed in what is loaded.
  bool scan_quoted(std::string_view text, std::size_t& at, Scan& scan) {
    const std::size_t begin = ++at;
    bool doubled = false;
    for (;; ++at) {
      if (at >= text.size()) return false;
      if (text[at] == '\n') ++scan.line_breaks;
      if (text[at] != '"') continue;
      if (at + 1 < text.size() && text[at + 1] == '"') {
        doubled = true;
        ++at;
        continue;
      }
      break;
    }
    std::string_view value = text.substr(begin, at - begin);
    ++at;
    if (doubled) {
      std::string& plain = unescaped_.emplace_back();
      for (std::size_t i = 0; i < value.size(); ++i) {
        plain += value[i];
        if (value[i] == '"') ++i;
      }
      value = plain;
    }
    cells_.push_back({value, TextCell::Kind::plain});
    while (at < text.size() && text[at] != delimiter_ && text[at] != '\n' && text[at] != '\r') {
      scan.text_after_quote = true;
      ++at;
    }
    return true;
  }

  TextBuffer buffer_;
  char delimiter_;
  std::vector<std::string> columns_;
  std::vector<TextCell> cells_;
  std::deque<std::string> unescaped_;  // a deque: views into its strings stay good
  std::size_t to_consume_ = 0;
  std::int64_t line_ = 1;
};

}  // namespace

Result<std::unique_ptr<TextRowSource>> open_delimited(const std::string& path, char delimiter) {
  arrow::util::InitializeUTF8();  // fills the tables that checking needs; cheap when repeated
  TRY(buffer, TextBuffer::open(path));
  auto rows = std::make_unique<DelimitedRows>(std::move(buffer), delimiter);
  TRY_VOID(rows->read_header(std::filesystem::path(path).filename().string()));
  return std::unique_ptr<TextRowSource>(std::move(rows));
}

}  // namespace pipelined
