// The rules that number models: every rule by a row of a table, and that the documents say the same.
#include "dag/model_version.h"

#include <catch2/catch.hpp>
#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

using namespace pipelined;

namespace {

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

// "humid:float[-1,3]?:a,b", "humid:float!:0..10"
ModelColumn column_from(const std::string& text) {
  const auto parts = split(text, ':');
  ModelColumn column;
  column.name = parts.at(0);
  std::string type = parts.at(1);
  column.optional = type.ends_with('?');
  column.closed = type.ends_with('!');
  if (column.optional || column.closed) type.pop_back();
  if (const auto at = type.find('['); at != std::string::npos) {
    for (const std::string& length : split(type.substr(at + 1, type.size() - at - 2), ',')) {
      column.shape.push_back(std::stoll(length));
    }
    type.resize(at);
  }
  column.type = type;
  if (parts.size() > 2) {
    const auto dots = parts[2].find("..");
    if (dots == std::string::npos) column.values = split(parts[2], ',');
    else column.range = {std::stod(parts[2]), std::stod(parts[2].substr(dots + 2))};
  }
  return column;
}

void put(ModelFacts::Texts& texts, const std::string& text) {
  const auto at = text.find('=');
  std::string name = text.substr(0, at);
  std::replace(name.begin(), name.end(), '_', ' ');
  texts[name] = text.substr(at + 1);
}

ModelFacts facts_from(const std::string& text) {
  ModelFacts facts;
  for (const std::string& item : split(text, ' ')) {
    const auto colon = item.find(':');
    const std::string kind = item.substr(0, colon), rest = item.substr(colon + 1);
    if (kind == "in") facts.inputs.push_back(column_from(rest));
    else if (kind == "out") facts.outputs.push_back(column_from(rest));
    else if (kind == "arch") facts.architecture = rest;
    else if (kind == "hyper") put(facts.hyperparameters, rest);
    else if (kind == "recipe") put(facts.recipe, rest);
    else if (kind == "default") put(facts.defaults, rest);
    else if (kind == "code") put(facts.code, rest);
    else if (kind == "data") facts.data = split(rest, ',');
    else if (kind == "seed") facts.seed = rest;
    else FAIL("what is " << item << "?");
  }
  return facts;
}

struct Row {
  std::string change, rule, sentence;
  ModelFacts before, after;
};

std::vector<Row> rows() {
  std::ifstream file(PIPELINED_SOURCE_DIR "/tests/dag/data/model_versions.tsv");
  REQUIRE(file);
  std::vector<Row> found;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto cell = split(line, '\t');
    REQUIRE(cell.size() == 5);
    found.push_back({cell[0], cell[1], cell[2], facts_from(cell[3]), facts_from(cell[4])});
  }
  return found;
}

}  // namespace

TEST_CASE("version rules: every row of the table is numbered as it says", "[dag][model]") {
  const ModelVersion newest{1, 2, 3};
  for (const Row& row : rows()) {
    const VersionRuling ruling = judge_version(newest, row.before, row.after);
    INFO(row.rule << ": " << ruling.sentence);
    CHECK(name_of(ruling.change) == row.change);
    CHECK(ruling.differences.front().rule == row.rule);
    CHECK_THAT(ruling.sentence, Catch::Contains(row.sentence));
  }
}

TEST_CASE("version rules: the documents have the same table", "[dag][model][docs]") {
  std::set<std::pair<std::string, std::string>> tested, written;
  for (const Row& row : rows()) tested.emplace(row.rule, row.change);
  std::ifstream page(PIPELINED_SOURCE_DIR "/docs/registry.md");
  REQUIRE(page);
  for (std::string line; std::getline(page, line);) {
    const auto cell = split(line, '|');
    if (cell.size() < 4 || !cell[1].starts_with(" `")) continue;
    const std::string rule = cell[1].substr(2, cell[1].rfind('`') - 2);
    for (const char* change : {"patch", "minor", "major"}) {
      if (cell[2] == std::string(" ") + change + " ") written.emplace(rule, change);
    }
  }
  CHECK(tested == written);
}

TEST_CASE("version rules: the order of columns and of rules does not matter", "[dag][model]") {
  for (const Row& row : rows()) {
    ModelFacts turned = row.after;
    std::reverse(turned.inputs.begin(), turned.inputs.end());
    std::reverse(turned.outputs.begin(), turned.outputs.end());
    const auto change = judge_version({1, 0, 0}, row.before, turned).change;
    CHECK(name_of(change) == row.change);
  }
}

TEST_CASE("version rules: facts survive being recorded", "[dag][model]") {
  for (const Row& row : rows()) {
    for (const ModelFacts& facts : {row.before, row.after}) {
      const auto again = model_facts_from(to_value(facts));
      REQUIRE(again);
      CHECK(*again == facts);
    }
  }
}

TEST_CASE("version rules: columns without names or types, or twice, are refused", "[dag][model]") {
  const auto refused = [](ValueList columns) {
    const auto facts = model_facts_from(ValueTable{{"inputs", std::move(columns)}});
    REQUIRE_FALSE(facts);
    return facts.error().message;
  };
  CHECK(refused({ValueTable{{"name", "a"}}}) == "one of its inputs has no name or no type");
  CHECK(refused({Value("a")}) == "one of its inputs has no name or no type");
  const Value one = ValueTable{{"name", "a"}, {"type", "int"}};
  CHECK(refused({one, one}) == "its inputs hold a twice");
  CHECK(model_facts_from(Value())->inputs.empty());
}

TEST_CASE("version numbers: a change raises its part and clears those behind", "[dag][model]") {
  const ModelVersion newest{1, 4, 2};
  CHECK(next_version(newest, VersionChange::patch).text() == "1.4.3");
  CHECK(next_version(newest, VersionChange::minor).text() == "1.5.0");
  CHECK(next_version(newest, VersionChange::major).text() == "2.0.0");
  CHECK(ModelVersion{1, 10, 0} > ModelVersion{1, 9, 9});
}

TEST_CASE("version numbers: only three plain numbers are one", "[dag][model]") {
  CHECK(parse_model_version("1.4.2") == ModelVersion{1, 4, 2});
  CHECK(parse_model_version("0.0.10")->patch == 10);
  for (const char* text : {"", "1", "1.2", "1.2.3.4", "1.2.x", "v1.2.3", "1.2.3 ", "01.2.3", "1..3",
                           "1.2.-3", "1.2.+3", "1.2.9999999999", "1.2.99999999999999999999"}) {
    INFO(text);
    CHECK_FALSE(parse_model_version(text));
  }
}

TEST_CASE("model words: never what a version could be", "[dag][model]") {
  for (const char* text : {"flights", "f", "champion", "eu-west.spam_2"}) CHECK(is_model_word(text));
  for (const char* text : {"", "1.0.0", "2x", "Flights", "a b", "a@b", "a/b", "é"}) {
    CHECK_FALSE(is_model_word(text));
  }
  CHECK_FALSE(is_model_word(std::string(65, 'a')));
}

TEST_CASE("version rules: long values are shortened where a letter ends", "[dag][model]") {
  ModelFacts before, after;
  before.recipe["join query"] = "SELECT 1\nFROM data";
  after.recipe["join query"] = std::string(59, 'x') + "ééé";
  const std::string sentence = judge_version({1, 0, 0}, before, after).sentence;
  CHECK_THAT(sentence, Catch::Contains("from SELECT 1… to " + std::string(59, 'x') + "…"));
}
