// JSON lines: one object a line.  Columns are the keys in the order in which they are first seen.
#include <arrow/util/utf8.h>

#include <map>

#include "plugins/common/json_scan.h"
#include "plugins/common/text_buffer.h"
#include "plugins/common/text_rows.h"

namespace pipelined {
namespace {

class JsonRows : public TextRowSource {
 public:
  JsonRows(TextBuffer buffer, const std::string& encoding)
      : buffer_(std::move(buffer)), encoding_(encoding) {}

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<bool> next(TextRow& row) override {
    row.problem.clear();
    row.problem_column.clear();
    row.cells.clear();
    for (;;) {
      buffer_.consume(to_consume_);
      to_consume_ = 0;
      TRY(found, find_line(row));
      if (!found) return false;
      if (row.raw.find_first_not_of(" \t\r") != std::string_view::npos) break;
    }
    if (row.raw.size() > row_length_max) {
      row.problem = "a line of more than 16 MiB";
      row.raw = row.raw.substr(0, 4096);
    } else if (!arrow::util::ValidateUTF8(row.raw)) {
      row.problem = text_problem(encoding_);
    } else {
      row.problem = scanner_.scan(row.raw);
      row.problem_column = scanner_.wrong_key();
    }
    if (row.problem.empty()) fill(row);
    return true;
  }

 private:
  Result<bool> find_line(TextRow& row) {
    std::size_t searched = 0;
    for (;;) {
      const std::string_view text = buffer_.unread();
      const std::size_t end = text.find('\n', searched);
      searched = text.size();
      if (end == std::string_view::npos && text.size() <= row_length_max) {
        TRY(more, buffer_.load_more());
        if (more) continue;
        if (buffer_.unread().empty()) return false;
      }
      row.line = ++line_;
      row.raw = buffer_.unread().substr(0, end);
      to_consume_ = end == std::string_view::npos ? row.raw.size() : end + 1;
      if (row.raw.ends_with('\r')) row.raw.remove_suffix(1);
      return true;
    }
  }

  void fill(TextRow& row) {
    row.cells.assign(columns_.size(), {{}, TextCell::Kind::absent});
    std::size_t likely = 0;  // keys mostly stand in the order of the rows before
    for (const JsonMember& member : scanner_.members()) {
      if (likely >= columns_.size() || columns_[likely] != member.key) likely = place_of(member.key);
      if (likely == row.cells.size()) row.cells.push_back({{}, TextCell::Kind::absent});
      row.cells[likely++] = member.value;
    }
  }

  std::size_t place_of(std::string_view key) {
    const auto known = places_.find(key);
    if (known != places_.end()) return known->second;
    places_.emplace(key, columns_.size());
    columns_.emplace_back(key);
    return columns_.size() - 1;
  }

  TextBuffer buffer_;
  std::string encoding_;
  JsonScanner scanner_;
  std::vector<std::string> columns_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::size_t to_consume_ = 0;
  std::int64_t line_ = 0;
};

}  // namespace

Result<std::unique_ptr<TextRowSource>> open_json_lines(const std::string& path,
                                                       const std::string& encoding) {
  arrow::util::InitializeUTF8();  // fills the tables that checking needs; cheap when repeated
  TRY(buffer, TextBuffer::open(path, encoding));
  return std::unique_ptr<TextRowSource>(std::make_unique<JsonRows>(std::move(buffer), encoding));
}

}  // namespace pipelined
