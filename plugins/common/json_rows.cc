// JSON lines: one object a line.  Columns are the keys in the order in which they are first seen.
#include <arrow/util/utf8.h>

#include <deque>
#include <map>
#include <nlohmann/json.hpp>

#include "plugins/common/text_buffer.h"
#include "plugins/common/text_rows.h"

namespace pipelined {
namespace {

using Json = nlohmann::ordered_json;

class JsonRows : public TextRowSource {
 public:
  JsonRows(TextBuffer buffer, const std::string& encoding)
      : buffer_(std::move(buffer)), encoding_(encoding) {}

  const std::vector<std::string>& columns() const override { return columns_; }

  Result<bool> next(TextRow& row) override {
    row.problem.clear();
    texts_.clear();
    for (;;) {
      buffer_.consume(to_consume_);
      to_consume_ = 0;
      TRY(found, find_line(row));
      if (!found) return false;
      if (row.raw.find_first_not_of(" \t") != std::string_view::npos) break;
    }
    if (!arrow::util::ValidateUTF8(row.raw)) {
      row.problem = text_problem(encoding_);
      return true;
    }
    const Json object = Json::parse(row.raw, nullptr, /*allow_exceptions=*/false);
    if (object.is_discarded()) {
      row.problem = "not a JSON object";
    } else if (!object.is_object()) {
      row.problem = std::string("a JSON ") + object.type_name() + " where an object is expected";
    } else {
      fill(object, row);
    }
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

  void fill(const Json& object, TextRow& row) {
    row.cells.assign(columns_.size(), {{}, TextCell::Kind::absent});
    for (const auto& [key, value] : object.items()) {
      const auto [place, fresh] = places_.try_emplace(key, columns_.size());
      if (fresh) {
        columns_.push_back(key);
        row.cells.push_back({{}, TextCell::Kind::absent});
      }
      TextCell& cell = row.cells[place->second];
      if (value.is_null()) continue;
      if (value.is_structured()) {
        row.problem = "'" + key + "' is a list or an object; only plain values can be read";
        return;
      }
      if (value.is_string()) {
        cell = {texts_.emplace_back(value.get<std::string>()), TextCell::Kind::text};
      } else {
        cell = {texts_.emplace_back(value.dump()), TextCell::Kind::plain};
      }
    }
  }

  TextBuffer buffer_;
  std::string encoding_;
  std::vector<std::string> columns_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::deque<std::string> texts_;
  std::size_t to_consume_ = 0;
  std::int64_t line_ = 0;
};

}  // namespace

Result<std::unique_ptr<TextRowSource>> open_json_lines(const std::string& path,
                                                       const std::string& encoding) {
  arrow::util::InitializeUTF8();  // fills the tables that checking needs; cheap when repeated
  TRY(buffer, TextBuffer::open(path, encoding));
  return std::unique_ptr<TextRowSource>(
      std::make_unique<JsonRows>(std::move(buffer), encoding));
}

}  // namespace pipelined
