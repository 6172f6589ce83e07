// The table of nasty inputs: what a standard or Python's own reader says of each, we say too.
//
// data/nasty.jsonl has one input a line: `text` or `hex` bytes, how it is to be read, the rows that come
// out of it, the lines that are refused, and the source of that outcome.  tests/oracles/ingest_oracle.py
// works those of Python out again.
#include <fstream>
#include <nlohmann/json.hpp>

#include "plugins/common/text_table.h"
#include "tests/plugins/ingest/ingest_run.h"

namespace {

using namespace pipelined;
using nlohmann::json;

std::string bytes_of(const json& input) {
  if (input.contains("text")) return input["text"];
  const std::string hex = input["hex"];
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

/// Everything is a string and nothing is a null, so that values come out as they stand.
TextTableOptions options_of(const json& input) {
  TextTableOptions options;
  options.quarantine = true;
  options.null_words.clear();
  options.encoding = input.value("encoding", "auto");
  const std::string format = input["format"];
  if (format == "json") options.format = TextFormat::json_lines;
  const std::string quote = input.value("quote", "\"");
  options.dialect.quote = quote.empty() ? '\0' : quote[0];
  options.dialect.delimiter = input.value("delimiter", format == "tsv" ? "\t" : ",")[0];
  options.dialect.header = false;
  for (int i = 1; i <= 20; ++i) options.known["column_" + std::to_string(i)] = ColumnType::text;
  if (format != "json") return options;
  for (const json& row : input["rows"]) {
    for (const auto& [key, value] : row.items()) options.known[key] = ColumnType::text;
  }
  return options;
}

json rows_of(const arrow::RecordBatch& batch, bool objects) {
  json rows = json::array();
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    json cells = objects ? json::object() : json::array();
    for (int i = 0; i < batch.num_columns(); ++i) {
      const auto& column = static_cast<const arrow::StringArray&>(*batch.column(i));
      const json value = column.IsNull(row) ? json() : json(column.GetString(row));
      if (!objects) {
        cells.push_back(value);
      } else if (!value.is_null()) {
        cells[batch.column_name(i)] = value;
      }
    }
    rows.push_back(cells);
  }
  return rows;
}

/// A null is what is not there.
json without_nulls(json rows) {
  for (json& row : rows) {
    if (!row.is_object()) continue;
    for (auto it = row.begin(); it != row.end();) it = it->is_null() ? row.erase(it) : std::next(it);
  }
  return rows;
}

}  // namespace

TEST_CASE("ingest: nasty inputs come out as standards and Python's readers say", "[ingest][nasty]") {
  std::ifstream table(PIPELINED_SOURCE_DIR "/tests/plugins/ingest/data/nasty.jsonl");
  REQUIRE(table.good());
  std::string line;
  int count = 0;
  while (std::getline(table, line)) {
    const json input = json::parse(line);
    INFO(line.substr(0, 400));
    ++count;
    testing::FakeContext folder;
    const std::string path = (folder.folder() / "x.txt").string();
    std::ofstream(path, std::ios::binary) << bytes_of(input);
    auto read = TextTable::open({path}, options_of(input));
    INFO((read ? "" : read.error().message));
    REQUIRE(read);
    json rows = json::array(), bad = json::array();
    const auto take = [&](std::shared_ptr<arrow::RecordBatch> batch) -> Result<void> {
      for (json& row : rows_of(*batch, input["format"] == "json")) rows.push_back(std::move(row));
      return {};
    };
    const auto refuse = [&](const RejectedRow& row) -> Result<void> {
      bad.push_back(row.line);
      CHECK(!row.reason.empty());
      return {};
    };
    REQUIRE(read->read(take, refuse));
    CHECK(rows == without_nulls(input["rows"]));
    CHECK(bad == input["bad_lines"]);
  }
  CHECK(count >= 300);
}
