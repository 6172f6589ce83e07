#include "plugins/common/row_blocks.h"

#include <filesystem>

#include "plugins/common/delimited_rows.h"

namespace pipelined {

RowBlocks::RowBlocks(std::string name, std::string encoding, TextBuffer buffer,
                     const std::optional<Dialect>& dialect)
    : name_(std::move(name)),
      encoding_(std::move(encoding)),
      buffer_(std::move(buffer)),
      dialect_(dialect) {}

Result<RowBlocks> RowBlocks::open(const std::string& path, const std::string& encoding,
                                  const std::optional<Dialect>& dialect) {
  TRY(buffer, TextBuffer::open(path, encoding));
  return RowBlocks(std::filesystem::path(path).filename().string(), encoding, std::move(buffer),
                   dialect);
}

/// Loads until there are whole rows; how many bytes they have, 0: the file has ended.
Result<std::size_t> RowBlocks::load_rows() {
  for (;;) {
    const std::string_view text = buffer_.unread();
    const std::size_t rows = dialect_ ? whole_rows(text, *dialect_, ended_)
                             : ended_ ? text.size()
                                      : text.rfind('\n') + 1;
    if (rows > 0 || ended_) return rows;
    if (text.size() > row_length_max) {
      const bool quoted = dialect_ && text.substr(0, first_line_end(text)).find(dialect_->quote) !=
                                          std::string_view::npos;
      if (quoted && first_line_end(text) < text.size()) return first_line_end(text);
      return Error{ErrorCode::invalid, "read " + name_ + ": it has a row of more than 16 MiB; is this "
                                           "its format, and its encoding?"};
    }
    TRY(more, buffer_.load_more());
    ended_ = !more;
  }
}

Result<std::vector<std::string>> RowBlocks::begin(const std::vector<std::string>& stated) {
  TextRow row;
  for (;;) {
    TRY(size, load_rows());
    DelimitedRows rows(buffer_.unread().substr(0, size), encoding_, *dialect_, 0);
    const bool found = rows.next(row);
    if (!found && size > 0) {
      header_lines_ += rows.lines();
      buffer_.consume(size);
      continue;
    }
    if (!found && !dialect_->header && !stated.empty()) return column_names(row, name_, false, stated);
    if (!found) {
      return Error{ErrorCode::invalid, name_ + " is empty: a " +
                                           (dialect_->header ? "header line" : "row") +
                                           " is expected; deliver the file again or leave it out"};
    }
    row.line += header_lines_;
    TRY(names, column_names(row, name_, dialect_->header, stated));
    if (dialect_->header) {
      header_lines_ += rows.lines();
      buffer_.consume(rows.bytes());
    }
    return names;
  }
}

Result<bool> RowBlocks::next(std::string& block) {
  TRY(size, load_rows());
  block.assign(buffer_.unread().substr(0, size));
  buffer_.consume(size);
  return size > 0;
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
