// Statistics of parts are those of the whole: merged, in other orders, with other threads.
#include "plugins/data/semantic_domain.h"
#include "tests/plugins/data/statistics_case.h"

using namespace pipelined;
using namespace pipelined::statistics_tests;

TEST_CASE("statistics: merging parts of few values equals the whole", "[statistics]") {
  FakeContext folder;
  const unsigned seed = GENERATE(range(1u, 6u));
  const Rows rows = Rows::random(4000, 900, seed);
  StatisticsOptions options;
  options.weight = GENERATE("", "w");
  options.label = "f";
  options.cross = {{"i", "n"}, {"f", "i"}, {"s", "f"}};
  const std::string whole = rows.write(folder.folder() / "whole");
  std::vector<std::string> states;
  for (const auto& [begin, end] : std::vector<std::pair<int, int>>{{0, 1}, {1, 900}, {900, 900},
                                                                   {900, 3100}, {3100, 4000}}) {
    states.push_back(
        state_of(rows.write(folder.folder() / std::to_string(states.size()), begin, end), options));
  }
  check_same(merged(states), described({whole}, options));
  std::reverse(states.begin(), states.end());
  check_same(merged(states), described({whole}, options));
}

TEST_CASE("statistics: merged sketches stay within what they say of themselves", "[statistics]") {
  FakeContext folder;
  constexpr int parts = 8, rows_each = 20'000;
  constexpr std::int64_t spread = 60'000;
  std::vector<std::string> states, folders;
  for (int part = 0; part < parts; ++part) {
    const Rows rows = Rows::random(rows_each, spread, 100u + static_cast<unsigned>(part));
    folders.push_back(rows.write(folder.folder() / std::to_string(part)));
    states.push_back(state_of(folders.back()));
  }
  const Json exact = described(folders), close = merged(states);
  for (std::size_t i = 0; i < exact["features"].size(); ++i) {
    const Json& a = exact["features"][i];
    const Json& b = close["features"][i];
    INFO(a["name"]);
    for (const char* key : {"count", "missing", "zeros", "nan", "infinite", "negative_infinite",
                            "min", "max", "true", "bytes_max", "empty"}) {
      if (a.contains(key)) CHECK(a[key] == b[key]);
    }
    if (a["type"] == "int") CHECK(a["sum"] == b["sum"]);
    if (a.contains("mean")) check_same(a["mean"], b["mean"], "mean");
    if (!b.contains("unique_error")) continue;
    const double unique = a["unique"].get<double>();
    CHECK(std::abs(b["unique"].get<double>() - unique) <= 3 * b["unique_error"].get<double>() * unique);
    if (a["type"] != "int" && a["type"] != "float") continue;
    CHECK(b["rank_error"].get<double>() < 0.01);
    // Values are spread evenly, so that a rank is a place between least and greatest.
    const double range = a["max"].get<double>() - a["min"].get<double>();
    for (std::size_t q = 0; q < a["quantiles"].size(); ++q) {
      const double off = a["quantiles"][q]["value"].get<double>() - b["quantiles"][q]["value"].get<double>();
      CHECK(std::abs(off) <= (b["rank_error"].get<double>() + 0.002) * range);
    }
  }
}

TEST_CASE("statistics: the order of rows changes nothing", "[statistics]") {
  FakeContext folder;
  Rows rows = Rows::random(5000, 3000, 7);
  const Json before = described({rows.write(folder.folder() / "before")});
  rows.shuffle(11);
  check_same(described({rows.write(folder.folder() / "after")}), before);
}

TEST_CASE("statistics: any number of threads gives the same bytes", "[statistics]") {
  FakeContext folder;
  const std::string rows = Rows::random(30'000, 80'000, 3).write(folder.folder() / "rows");
  StatisticsOptions options;
  const auto one = summarise({rows}, options);
  options.threads = GENERATE(2, 5);
  const auto many = summarise({rows}, options);
  REQUIRE((one && many));
  CHECK(statistics_json(*one, options) == statistics_json(*many, options));
  CHECK(statistics_state(*one, options) == statistics_state(*many, options));
}

TEST_CASE("statistics: what a part does not have is missing in its rows", "[statistics]") {
  FakeContext folder;
  const std::string a = ExamplesMaker().integers("a", {1, 2}).write(folder.folder() / "a").string();
  const std::string b = ExamplesMaker().integers("b", {5, 6, 7}).write(folder.folder() / "b").string();
  const Json both = merged({state_of(a), state_of(b)});
  CHECK(both["rows"] == 5);
  CHECK(both["features"][0]["missing"] == 3);
  CHECK(both["features"][1]["missing"] == 2);
  check_same(both, described({a, b}));
}

TEST_CASE("statistics: parts that contradict each other are refused with the reason", "[statistics]") {
  FakeContext folder;
  const std::string a = ExamplesMaker().integers("x", {1}).write(folder.folder() / "a").string();
  const std::string b = ExamplesMaker().words("x", {"1"}).write(folder.folder() / "b").string();
  TableSummary table;
  StatisticsOptions options;
  REQUIRE(merge_statistics(state_of(a), table, options));
  const auto types = merge_statistics(state_of(b), table, options);
  REQUIRE_FALSE(types);
  CHECK(types.error().message.find("column 'x' is int in one part and string in another") == 0);
  StatisticsOptions labelled;
  labelled.label = "x";
  const auto labels = merge_statistics(state_of(a, labelled), table, options);
  REQUIRE_FALSE(labels);
  CHECK(labels.error().message.find("different labels") != std::string::npos);
}

TEST_CASE("statistics: a state that was cut or is no state is refused", "[statistics]") {
  FakeContext folder;
  const std::string state = state_of(Rows::random(3000, 2000, 1).write(folder.folder() / "rows"));
  for (std::size_t size = 0; size < state.size(); size += 1 + size / 7) {
    TableSummary table;
    StatisticsOptions options;
    CHECK_FALSE(merge_statistics(state.substr(0, size), table, options));
  }
  TableSummary table;
  StatisticsOptions options;
  CHECK_FALSE(merge_statistics(state + "x", table, options));
}

TEST_CASE("statistics: the operator merges and says which part it cannot read", "[statistics]") {
  FakeContext context;
  for (const char* part : {"one", "two"}) {
    FakeContext own;
    own.input("examples", "examples/1",
              ExamplesMaker().integers("x", {1, 2, 2}).write(own.folder() / "rows").string());
    own.output("statistics", "statistics/1");
    REQUIRE(own.run(run_data_statistics).outcome == Outcome::ok);
    const auto kept = context.folder() / part;
    std::filesystem::copy(own.output_path("statistics"), kept);
    context.input("statistics", "statistics/1", kept.string());
  }
  context.output("statistics", "statistics/1");
  REQUIRE(context.run(run_data_merge_statistics).outcome == Outcome::ok);
  const Json both = Json::parse(context.output_text("statistics", "statistics.json"));
  CHECK(both["rows"] == 6);
  CHECK(both["features"][0]["top_values"][0] == Json({{"value", 2}, {"count", 4}}));
  std::filesystem::remove(context.folder() / "two/statistics.state");
  const auto refused = context.run(run_data_merge_statistics);
  CHECK(refused.outcome == Outcome::invalid);
  CHECK(refused.error.find("no statistics.state") != std::string::npos);
}

TEST_CASE("statistics: pairs that cannot be compared are refused, and too many values said", "[statistics]") {
  FakeContext folder;
  const std::string rows = Rows::random(3000, 2000, 4).write(folder.folder() / "rows");
  StatisticsOptions options;
  options.cross = {{"n", "s"}};
  CHECK(summarise({rows}, options).error().message.find("cut the number into buckets") != std::string::npos);
  options.cross = {{"n", "nothing"}};
  CHECK(summarise({rows}, options).error().message.find("no column 'nothing'") != std::string::npos);
  options.cross = {{"s", "f"}};
  CHECK(described({rows}, options)["cross"][0]["too_many_values"] == true);
}

TEST_CASE("statistics: delivered files are described like the examples made of them", "[statistics]") {
  FakeContext folder;
  std::mt19937_64 random(9);
  std::string csv = "i,n,s,d\n";
  for (int row = 0; row < 40'000; ++row) {
    csv += std::to_string(random() % 70'000) + "," +
           (random() % 20 == 0 ? std::string() : std::to_string(static_cast<double>(random() % 99'999) / 64)) +
           ",w" + std::to_string(random() % 300) + ",2013-01-" + (random() % 2 == 0 ? "11" : "22") + "\n";
  }
  const std::string file = (folder.folder() / "rows.csv").string();
  REQUIRE(write_text(file, csv));
  const auto source = open_table({file}, {});
  REQUIRE(source);
  const auto examples = folder.folder() / "examples";
  std::filesystem::create_directories(examples);
  auto writer = ExamplesWriter::create(examples.string(), (*source)->schema());
  REQUIRE(writer);
  REQUIRE((*source)->read([&](auto batch) { return writer->write(std::move(batch)); },
                          [](const RejectedRow&) { return Result<void>(); }));
  REQUIRE(writer->close());
  StatisticsOptions options;
  options.threads = GENERATE(1, 3);
  const Json expected = described({examples.string()});
  const auto text = summarise_files({file}, {}, options);
  REQUIRE(text);
  check_same(Json::parse(statistics_json(*text, options)), expected);
  const auto parquet = summarise_files({(examples / "part-00000.parquet").string()}, {}, options);
  REQUIRE(parquet);
  CHECK(Json::parse(statistics_json(*parquet, options)) == expected);
}

TEST_CASE("statistics: a delivered file that cannot be read is an error with its line", "[statistics]") {
  FakeContext folder;
  const std::string file = (folder.folder() / "rows.csv").string();
  REQUIRE(write_text(file, "a,b\n1,2\n3\n"));
  const auto table = summarise_files({file}, {}, {});
  REQUIRE_FALSE(table);
  CHECK(table.error().message.find("rows.csv line 3") != std::string::npos);
  CHECK_FALSE(summarise_files({}, {}, {}));
}

TEST_CASE("statistics: texts that are no UTF-8, empty or long are counted as such", "[statistics]") {
  FakeContext folder;
  const std::string long_text(5000, 'x');
  const Json json = described({ExamplesMaker()
                                   .words("s", {"", "\xff\xfe", "ü", long_text, long_text + "y", {}})
                                   .write(folder.folder() / "rows").string()});
  const Json& feature = json["features"][0];
  CHECK(feature["empty"] == 1);
  CHECK(feature["invalid_utf8"] == 1);
  CHECK(feature["missing"] == 1);
  CHECK(feature["length_min"] == 0);
  CHECK(feature["length_max"] == 5001);
  CHECK(feature["bytes_mean"] == (0 + 2 + 2 + 5000 + 5001) / 5.0);
  CHECK(feature["top_values"][0] == Json({{"value", long_text_word}, {"count", 2}}));
  CHECK(feature["unique"] == 5);
}

TEST_CASE("statistics: numbers that are none are counted by kind", "[statistics]") {
  FakeContext folder;
  const Json json = described({ExamplesMaker()
                                   .numbers("n", {0.0, -0.0, 4.0, std::nan(""), HUGE_VAL, -HUGE_VAL, {}})
                                   .write(folder.folder() / "rows").string()});
  const Json& feature = json["features"][0];
  CHECK(feature["count"] == 6);
  CHECK(feature["zeros"] == 2);
  CHECK(feature["nan"] == 1);
  CHECK(feature["infinite"] == 2);
  CHECK(feature["negative_infinite"] == 1);
  CHECK(feature["max"] == 4.0);
  CHECK(feature["sum"] == 4.0);
  CHECK(feature["unique"] == 2);
  CHECK(feature["quantile_histogram"].size() == 10);
}

TEST_CASE("semantic domain: times and sentences are known by most of their values", "[statistics]") {
  using Texts = std::vector<std::pair<std::string_view, std::int64_t>>;
  CHECK(text_domain(Texts{{"2013-01-02", 90}, {"none", 10}})->format == "%Y-%m-%d");
  CHECK_FALSE(text_domain(Texts{{"2013-01-02", 70}, {"none", 30}}));
  CHECK_FALSE(text_domain(Texts{{"2013-01-02", 99}}));
  CHECK(text_domain(Texts{{"a few words", 100}})->kind == "natural_language");
  CHECK_FALSE(text_domain(Texts{{"two words", 100}}));
  CHECK(unix_time_domain({{1.4e9, 100}}, 100)->format == "unix_seconds");
  CHECK(unix_time_domain({{1.4e12, 100}}, 100)->format == "unix_milliseconds");
  CHECK_FALSE(unix_time_domain({{1400, 100}}, 100));
}
