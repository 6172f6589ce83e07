#include "plugins/common/json_rows.h"

#include <arrow/util/utf8.h>

#include <algorithm>

namespace pipelined {

JsonRows::JsonRows(std::string_view text, const std::string& encoding)
    : text_(text), encoding_(encoding) {
  arrow::util::InitializeUTF8();  // fills the tables that checking needs; cheap when repeated
  checked_ = arrow::util::ValidateUTF8(text);
}

bool JsonRows::next(TextRow& row) {
  row.problem.clear();
  row.problem_column.clear();
  row.cells.clear();
  while (!text_.empty()) {
    const std::size_t end = std::min(text_.find('\n'), text_.size());
    row.line = ++line_;
    row.raw = text_.substr(0, end);
    text_.remove_prefix(std::min(end + 1, text_.size()));
    if (row.raw.ends_with('\r')) row.raw.remove_suffix(1);
    if (row.raw.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (!checked_ && !arrow::util::ValidateUTF8(row.raw)) {
      row.problem = text_problem(encoding_);
      return true;
    }
    row.problem = scanner_.scan(row.raw);
    row.problem_column = scanner_.wrong_key();
    if (row.problem.empty()) fill(row);
    return true;
  }
  return false;
}

void JsonRows::fill(TextRow& row) {
  row.cells.assign(columns_.size(), {{}, TextCell::Kind::absent});
  std::size_t likely = 0;  // keys mostly stand in the order of the rows before
  for (const JsonMember& member : scanner_.members()) {
    if (likely >= columns_.size() || columns_[likely] != member.key) likely = place_of(member.key);
    if (likely == row.cells.size()) row.cells.push_back({{}, TextCell::Kind::absent});
    row.cells[likely++] = member.value;
  }
}

std::size_t JsonRows::place_of(std::string_view key) {
  const auto known = places_.find(key);
  if (known != places_.end()) return known->second;
  places_.emplace(key, columns_.size());
  columns_.emplace_back(key);
  return columns_.size() - 1;
}

}  // namespace pipelined
