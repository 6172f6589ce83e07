// docs/validation.md says what the code does: its anomalies, and the worked example of each measure.
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "plugins/data/anomaly_names.h"
#include "plugins/data/drift.h"

using namespace pipelined;

namespace {

using Row = std::vector<std::string>;

/// The cells of the table below a header that begins with this word.
std::vector<Row> table_below(const std::string& header) {
  std::ifstream file(std::string(PIPELINED_SOURCE_DIR) + "/docs/validation.md");
  REQUIRE(file);
  std::vector<Row> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| " + header + " |")) inside = true;
    if (!inside) continue;
    if (!line.starts_with("|")) break;
    Row cells;
    std::stringstream parts(line.substr(1));
    for (std::string cell; std::getline(parts, cell, '|');) {
      const auto from = cell.find_first_not_of(' '), to = cell.find_last_not_of(' ');
      cells.push_back(from == std::string::npos ? "" : cell.substr(from, to - from + 1));
    }
    rows.push_back(std::move(cells));
  }
  REQUIRE(rows.size() > 2);
  return {rows.begin() + 2, rows.end()};
}

FeatureFacts counts(const char* type, std::map<std::string, std::int64_t> values) {
  FeatureFacts facts;
  facts.type = type;
  facts.complete = true;
  facts.count = 100;
  facts.values = std::move(values);
  return facts;
}

}  // namespace

TEST_CASE("docs/validation.md: the table of anomalies is that of the code", "[docs]") {
  std::vector<Row> expected;
  for (const AnomalyKind& kind : anomaly_kinds()) {
    expected.push_back({"`" + std::string(kind.name) + "`", name_of(kind.severity), kind.when});
  }
  CHECK(table_below("anomaly") == expected);
}

TEST_CASE("docs/validation.md: each measure has the value of its example", "[docs]") {
  const auto labels = pair_sides(counts("bool", {{"true", 50}, {"false", 50}}),
                                 counts("bool", {{"true", 70}, {"false", 30}}));
  FeatureFacts before = counts("int", {{"1", 50}, {"2", 30}, {"10", 20}});
  before.std_dev = 2;
  const auto numbers = pair_sides(before, counts("int", {{"1", 20}, {"2", 30}, {"10", 50}}));
  const auto rows = table_below("measure");
  REQUIRE(rows.size() == measures().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Measure& measure = measures()[i];
    CHECK(rows[i][0] == "`" + std::string(measure.name) + "`");
    const double value = measure.compute(measure.needs_numbers ? *numbers : *labels);
    const std::string& shown = rows[i][2];
    const auto digits = shown.find('.') == std::string::npos ? 0 : shown.size() - shown.find('.') - 1;
    char text[48];
    std::snprintf(text, sizeof text, "%.*f", static_cast<int>(digits), value);
    INFO(measure.name);
    CHECK(text == shown);
    CHECK(rows[i][3] == (measure.needs_numbers ? "numbers, dates, times" : measure.needs_values ? "values" : "all"));
  }
}
