// Readers of delivered text: separated values, dialects, JSON lines, encodings.
#include <arrow/util/utf8.h>

#include <algorithm>

#include "plugins/common/delimited_scan.h"
#include "plugins/common/json_scan.h"
#include "plugins/common/text_encoding.h"
#include "plugins/common/text_values.h"
#include "tests/fuzz/targets.h"

namespace pipelined::fuzz {
namespace {

std::string quoted(const TextCell& cell) {
  std::string text = "\"";
  for (const char c : cell.text) text.append(c == '"' ? 2 : 1, c);
  return text + '"';
}

}  // namespace

// Every byte belongs to a row, and a row that is written again with quotes has the same values.
void read_delimited(std::string_view input) {
  const Dialect dialect = look_for_dialect(input, true, {});
  DelimitedScanner scanner(dialect), again({dialect.delimiter, '"', true});
  while (!input.empty()) {
    const RowScan row = scanner.scan(input, true);
    CHECK(row.state != RowScan::State::needs_more);
    if (row.state == RowScan::State::unclosed) return;
    CHECK(row.length <= row.consumed && row.consumed > 0 && row.consumed <= input.size());
    const std::vector<TextCell> cells = scanner.cells();
    std::string text;
    for (const TextCell& cell : cells) text += (text.empty() ? "" : std::string(1, dialect.delimiter)) + quoted(cell);
    CHECK(again.scan(text, true).length == text.size());
    CHECK(again.cells().size() == cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) CHECK(again.cells()[i].text == cells[i].text);
    input.remove_prefix(row.consumed);
  }
}

// What is no JSON says so; what is has members within the line or unescaped.
void read_json_row(std::string_view input) {
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8(input)) return;
  JsonScanner scanner;
  const std::string problem = scanner.scan(input);
  if (!problem.empty()) return;
  for (const JsonMember& member : scanner.members()) {
    CHECK(arrow::util::ValidateUTF8(member.key) && arrow::util::ValidateUTF8(member.value.text));
    CHECK(member.value.text.size() <= input.size());
  }
}

// The same text whatever pieces it comes in, and nothing but UTF-8 and the mark of what is no text.
void read_encoding(std::string_view input) {
  arrow::util::InitializeUTF8();
  const std::size_t line = std::min(input.find('\n'), input.size());
  const std::string name(input.substr(0, line));
  const std::string_view bytes = input.substr(std::min(line + 1, input.size()));
  const auto decode = [&](std::size_t piece) -> std::string {
    auto decoder = TextDecoder::open(name, bytes.substr(0, 4));
    if (!decoder) return decoder.error().message;
    if (decoder->transparent()) return {};
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      decoder->decode(bytes.substr(at, piece), text);
    }
    decoder->finish(text);
    return text;
  };
  std::string whole = decode(bytes.size() + 1);
  CHECK(whole == decode(3));
}

void read_cell(std::string_view input) {
  TypeGuess guess;
  guess.add(input);
  const ColumnType type = guess.result();
  CHECK(type != ColumnType::integer || parse_integer(input));
  CHECK(type != ColumnType::number || parse_number(input));
  CHECK(type != ColumnType::date || parse_date(input));
  CHECK(type != ColumnType::time || parse_time(input));
}

}  // namespace pipelined::fuzz
