// Statistics of slices and by weight: whole, merged, and with any number of threads.
#include "tests/plugins/data/statistics_case.h"

using namespace pipelined;
using namespace pipelined::statistics_tests;

TEST_CASE("statistics: slices of parts merge into those of the whole", "[statistics]") {
  FakeContext folder;
  const unsigned seed = GENERATE(range(1u, 4u));
  const Rows rows = Rows::random(3000, 900, seed);
  StatisticsOptions options;
  options.weight = GENERATE("", "w");
  const auto halves = [](std::int64_t begin, std::int64_t end) {
    PredicateMasks masks;
    for (std::int64_t row = begin; row < end; ++row) masks["odd"].push_back(row % 2 == 1);
    return masks;
  };
  options.slices = {{{"f"}}, {{"odd"}}, {{"odd", "f"}}};
  options.masks = halves(0, 3000);
  const std::string whole = rows.write(folder.folder() / "whole");
  const Json expected = described({whole}, options);
  CHECK(expected["slices"].size() == 11);  // true, false and missing; two; their crosses
  std::int64_t of_flag = 0;
  for (const Json& slice : expected["slices"]) {
    if (slice["name"].get<std::string>().starts_with("f=")) of_flag += slice["rows"].get<std::int64_t>();
  }
  CHECK(of_flag == 3000);
  std::vector<std::string> states;
  for (const auto& [begin, end] : std::vector<std::pair<int, int>>{{0, 700}, {700, 701}, {701, 3000}}) {
    options.masks = halves(begin, end);
    states.push_back(
        state_of(rows.write(folder.folder() / std::to_string(states.size()), begin, end), options));
  }
  check_same(merged(states), expected);
  std::reverse(states.begin(), states.end());
  check_same(merged(states), expected);
}

TEST_CASE("statistics: slices and weights are the same bytes with any number of threads",
          "[statistics]") {
  FakeContext folder;
  const std::string rows = Rows::random(20'000, 80'000, 3).write(folder.folder() / "rows");
  StatisticsOptions options;
  options.weight = "w";
  options.slices = {{{"f"}}};
  const auto one = summarise({rows}, options);
  options.threads = GENERATE(2, 5);
  const auto many = summarise({rows}, options);
  REQUIRE((one && many));
  CHECK(statistics_json(*one, options) == statistics_json(*many, options));
  CHECK(statistics_state(*one, options) == statistics_state(*many, options));
}

TEST_CASE("statistics: what is no slice is refused with a way out", "[statistics]") {
  FakeContext folder;
  const std::string rows = Rows::random(2000, 900, 5).write(folder.folder() / "rows");
  const auto refused = [&](std::vector<SliceRule> slices) {
    StatisticsOptions options;
    options.slices = std::move(slices);
    const auto table = summarise({rows}, options);
    return table ? "" : table.error().message;
  };
  CHECK(refused({{{"f", "nothing"}}}).find("there is no column 'nothing'") != std::string::npos);
  CHECK(refused({{{"n"}}}).find("'n' is a float; say which rows belong together with conditions") !=
        std::string::npos);
  CHECK(refused({{{"s"}}}).find("there are more than 100") != std::string::npos);
  CHECK(refused({{{}}}).find("no columns") != std::string::npos);
  CHECK(refused({{{"f"}}}).empty());
}

TEST_CASE("statistics: the operator takes slices by columns, crosses and conditions", "[statistics]") {
  FakeContext context;
  context.params(R"({"slices":["c",["c","long"]],"where":{"long":"n > 2"}})");
  context.input("examples", "examples/1",
                ExamplesMaker().words("c", {"a", "b", "a", {}}).integers("n", {1, 2, 3, 4})
                    .write(context.folder() / "rows").string());
  context.output("statistics", "statistics/1");
  const auto ended = context.run(run_data_statistics);
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  const Json slices = Json::parse(context.output_text("statistics", "statistics.json"))["slices"];
  std::string names;
  for (const Json& slice : slices) {
    names += slice["name"].get<std::string>() + ":" + slice["rows"].dump() + ";";
  }
  CHECK(names == "c=(missing):1;c=(missing), long=true:1;c=a:2;c=a, long=false:1;c=a, long=true:1;"
                 "c=b:1;c=b, long=false:1;long=false:2;long=true:2;");
  CHECK(slices[2]["features"][1]["mean"] == 2.0);
}

TEST_CASE("statistics: conditions that cannot be asked are refused by name", "[statistics]") {
  struct Row {
    const char *params, *expected;
  };
  const Row row = GENERATE(Row{R"({"where":{"long":"nothing > 2"}})", "nothing"},
                           Row{R"({"where":{"long":"random() > 2"}})", "where.long"},
                           Row{R"({"slices":[[1]]})", "1 is no name of a column"});
  FakeContext context;
  context.params(row.params).output("statistics", "statistics/1");
  context.input("examples", "examples/1",
                ExamplesMaker().integers("n", {1}).write(context.folder() / "rows").string());
  const auto ended = context.run(run_data_statistics);
  CHECK(ended.outcome == Outcome::invalid);
  CHECK(ended.error.find(row.expected) != std::string::npos);
}

TEST_CASE("statistics: weights spread over many numbers keep their ranks", "[statistics]") {
  // Against sorting all of them; far more than are kept exactly.
  WeightedNumbers sketch;
  std::mt19937_64 random(5);
  CountedValues all;
  for (int i = 0; i < 300'000; ++i) {
    const double value = static_cast<double>(random() >> 20), weight = 0.1 + static_cast<double>(random() % 90);
    all.emplace_back(value, weight);
    sketch.add(value, weight);
  }
  std::sort(all.begin(), all.end());
  const CountedValues few = sketch.sorted();
  CHECK(few.size() < 100'000);
  CHECK(total_of(few) == Approx(total_of(all)).epsilon(1e-10));
  const double error = sketch.rank_error();
  CHECK(error > 0);
  CHECK(error < 0.002);
  for (double q = 0.01; q < 1; q += 0.07) {
    const double value = weight_quantile(few, q);
    double below = 0;
    for (const auto& [one, weight] : all) below += one <= value ? weight : 0;
    CHECK(std::abs(below / total_of(all) - q) <= error + 1e-4);
  }
}
