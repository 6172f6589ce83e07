// data.split: who gets which row, and keys that must not come to two shares.
#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/table.h>

#include <map>
#include <set>

#include "tests/plugins/data/validation_case.h"

namespace {

using namespace pipelined;
using namespace pipelined::data_tests;

/// Rows of one table or more, by their column `id`.
class Splitting {
 public:
  Splitting& params(const Json& params) {
    context_.params(params.dump());
    for (const auto& [share, value] : params.at("shares").items()) {
      context_.output(share, "examples/1").output(share + "_statistics", "statistics/1");
      shares_.push_back(share);
    }
    return *this;
  }
  Splitting& input(const std::string& port, const std::string& csv) {
    context_.input(port, "examples/1", examples(context_, port, csv));
    return *this;
  }
  wire::Ended run() { return context_.run(run_data_split); }

  std::map<std::string, std::vector<std::int64_t>> ids() {
    std::map<std::string, std::vector<std::int64_t>> all;
    for (const std::string& share : shares_) {
      auto& ids = all[share];
      auto reader = ExamplesReader::open({context_.output_path(share).string()});
      REQUIRE(reader);
      for (auto batch = reader->next(); *batch; batch = reader->next()) {
        const auto column = std::static_pointer_cast<arrow::Int64Array>((*batch)->GetColumnByName("id"));
        for (std::int64_t i = 0; i < column->length(); ++i) ids.push_back(column->Value(i));
      }
    }
    return all;
  }
  Json statistics_of(const std::string& share) {
    return Json::parse(context_.output_text(share + "_statistics", "statistics.json"));
  }

 private:
  testing::FakeContext context_;
  std::vector<std::string> shares_;
};

using Ids = std::vector<std::int64_t>;

std::string rows(int count, int step = 1) {
  std::string csv = "id,label\n";
  for (int i = 0; i < count; ++i) {
    const int id = i * step % count;
    csv += std::to_string(id) + (id % 10 == 0 ? ",true\n" : ",false\n");
  }
  return csv;
}

}  // namespace

TEST_CASE("data.split: the order of rows changes nothing about where they go", "[data][split]") {
  const Json params = {{"key", {"id"}}, {"shares", {{"train", 8}, {"eval", 2}}}};
  Splitting first, second;
  REQUIRE(first.params(params).input("examples", rows(500)).run().outcome == Outcome::ok);
  REQUIRE(second.params(params).input("examples", rows(500, 7)).run().outcome == Outcome::ok);
  auto a = first.ids(), b = second.ids();
  CHECK(a != b);  // rows keep the order that they came in
  for (auto* ids : {&a["train"], &a["eval"], &b["train"], &b["eval"]}) {
    std::sort(ids->begin(), ids->end());
  }
  CHECK(a == b);
  CHECK(first.statistics_of("eval")["rows"] == a["eval"].size());
}

TEST_CASE("data.split: strata have their shares to the row", "[data][split]") {
  Splitting split;
  split.params({{"by", "stratified"}, {"column", "label"}, {"key", {"id"}},
                {"shares", {{"train", 3}, {"eval", 1}}}, {"label", "label"}});
  REQUIRE(split.input("examples", rows(1000)).run().outcome == Outcome::ok);
  // 100 true and 900 false rows, a quarter of each.
  CHECK(split.statistics_of("eval")["rows"] == 250);
  CHECK(split.statistics_of("eval")["features"][1]["true"] == 25);
  CHECK(split.statistics_of("train")["features"][1]["true"] == 75);
}

TEST_CASE("data.split: time cuts, and the rest goes to the share without an end",
          "[data][split]") {
  const std::string csv = "id,at\n1,2013-10-31\n2,2013-09-30\n3,2013-11-01\n4,\n5,2013-10-01\n";
  Splitting split;
  split.params({{"by", "time"}, {"column", "at"},
                {"shares", {{"train", "2013-10-01"}, {"tune", "2013-11-01"}, {"eval", ""}}}});
  REQUIRE(split.input("examples", csv).run().outcome == Outcome::ok);
  CHECK(split.ids() == std::map<std::string, Ids>{{"train", {2}}, {"tune", {1, 5}}, {"eval", {3}}});
  Splitting numbers;
  numbers.params({{"by", "time"}, {"column", "id"}, {"shares", {{"a", 3}, {"b", 5}}}});
  REQUIRE(numbers.input("examples", "id\n1\n3\n4\n5\n").run().outcome == Outcome::ok);
  CHECK(numbers.ids() == std::map<std::string, Ids>{{"a", {1}}, {"b", {3, 4}}});
}

TEST_CASE("data.split: a column says to which share a row belongs", "[data][split]") {
  Splitting split;
  split.params({{"by", "values"}, {"column", "month"},
                {"shares", {{"train", {"9", "10"}}, {"eval", {"11"}}}}});
  REQUIRE(split.input("examples", "id,month\n1,11\n2,9\n3,10\n4,12\n").run().outcome == Outcome::ok);
  CHECK(split.ids() == std::map<std::string, Ids>{{"train", {2, 3}}, {"eval", {1}}});
}

TEST_CASE("data.split: given files are the shares, and a key in two of them halts",
          "[data][split]") {
  const Json params = {{"by", "given"}, {"key", {"id"}}, {"shares", {{"train", 1}, {"eval", 1}}}};
  Splitting clean;
  clean.params(params).input("train", "id,x\n1,a\n2,b\n").input("eval", "id\n3\n");
  CHECK(clean.run().outcome == Outcome::ok);
  CHECK(clean.ids() == std::map<std::string, Ids>{{"train", {1, 2}}, {"eval", {3}}});
  Splitting leaking;
  leaking.params(params).input("train", "id\n1\n2\n2\n").input("eval", "id\n2\n3\n");
  const auto ended = leaking.run();
  CHECK(ended.outcome == Outcome::halt);
  CHECK(ended.error == "1 key is in more than one share, such as id = 2");
  CHECK(leaking.ids().at("eval") == Ids{2, 3});
}

TEST_CASE("data.split: what must stay apart may be more than the key", "[data][split]") {
  std::string csv = "id,person\n";
  for (int i = 0; i < 40; ++i) csv += std::to_string(i) + ",p" + std::to_string(i / 2) + "\n";
  Json params = {{"key", {"id"}}, {"apart", {"person"}}, {"shares", {{"train", 1}, {"eval", 1}}}};
  Splitting leaking;
  const auto ended = leaking.params(params).input("examples", csv).run();
  CHECK(ended.outcome == Outcome::halt);
  CHECK_THAT(ended.error, Catch::Contains("keys are in more than one share, such as person = p"));
  params["key"] = {"person"};
  Splitting apart;
  CHECK(apart.params(params).input("examples", csv).run().outcome == Outcome::ok);
}

TEST_CASE("data.split: what cannot be done is said", "[data][split]") {
  struct Row {
    Json params;
    const char* expected;
  };
  const std::vector<Row> all{
      {{{"shares", {{"a", 0}}}}, "shares.a: a whole number from 1 to 1000000 is expected"},
      {{{"key", {"x"}}, {"shares", {{"a", 1}}}}, "key: there is no column 'x'"},
      {{{"by", "time"}, {"shares", {{"a", ""}}}}, "column: by = \"time\" needs the name of a column"},
      {{{"by", "time"}, {"column", "label"}, {"shares", {{"a", "2013-01-01"}}}},
       "column: by = \"time\" needs dates, times or numbers"},
      {{{"by", "time"}, {"column", "id"}, {"shares", {{"a", ""}, {"b", ""}}}},
       "shares.b: only one share is the rest"},
      {{{"by", "values"}, {"column", "id"}, {"shares", {{"a", {"1"}}, {"b", {"1"}}}}},
       "shares.b: '1' is another share's already"},
      {{{"by", "given"}, {"shares", {{"a", 1}}}},
       "by = \"given\": the share a needs an input of its name"}};
  for (const Row& row : all) {
    Splitting split;
    split.params(row.params).input("examples", "id,label\n1,true\n");
    const auto ended = split.run();
    CHECK(ended.outcome == Outcome::invalid);
    CHECK(ended.error == row.expected);
  }
}
