// The measures against figures computed by hand; tests/oracles compares them with scipy.
#include <catch2/catch.hpp>
#include <cmath>

#include "plugins/data/drift.h"
#include "plugins/data/moment_text.h"
#include "plugins/data/p_values.h"

using namespace pipelined;

namespace {

FeatureFacts words(std::map<std::string, std::int64_t> counts, const char* type = "string") {
  FeatureFacts facts;
  facts.type = type;
  facts.complete = true;
  for (const auto& [value, count] : counts) facts.count += count;
  facts.values = std::move(counts);
  return facts;
}

FeatureFacts buckets(std::vector<HistogramBucket> histogram) {
  FeatureFacts facts;
  facts.type = "float";
  for (const HistogramBucket& bucket : histogram) {
    facts.count += static_cast<std::int64_t>(bucket.count);
  }
  facts.histogram = std::move(histogram);
  return facts;
}

double measured(const char* name, const FeatureFacts& before, const FeatureFacts& now) {
  const auto pairing = pair_sides(before, now);
  REQUIRE(pairing);
  const Measure* measure = measure_named(name);
  REQUIRE(measure);
  REQUIRE(obstacle(*measure, *pairing) == "");
  return measure_distance(*measure, *pairing).value;
}

}  // namespace

TEST_CASE("drift: a label from half to seventy percent", "[drift]") {
  const FeatureFacts before = words({{"true", 50}, {"false", 50}}, "bool");
  const FeatureFacts now = words({{"true", 70}, {"false", 30}}, "bool");
  CHECK(measured("l_infinity", before, now) == Approx(0.2));
  CHECK(measured("jensen_shannon", before, now) == Approx(0.030305).epsilon(1e-4));
  CHECK(measured("normalized_difference", before, now) == Approx(0.1));
  CHECK(measured("psi", before, now) == Approx(0.169460).epsilon(1e-5));
  CHECK(measured("kullback_leibler", before, now) == Approx(0.087177).epsilon(1e-4));
  CHECK(measured("hellinger", before, now) == Approx(0.145237).epsilon(1e-4));
  CHECK(measured("total_variation", before, now) == Approx(0.2));
  CHECK(measured("chi_square", before, now) == Approx(25.0 / 3));
  CHECK(measured("chi_square_p", before, now) == Approx(0.003892).epsilon(1e-3));
  const auto all = distances(before, now);
  REQUIRE(all);
  CHECK(all->size() == 9);
  CHECK(all->front().largest == "true");
}

TEST_CASE("drift: numbers of few values are compared in their order", "[drift]") {
  const FeatureFacts before = words({{"1", 50}, {"2", 30}, {"10", 20}}, "int");
  const FeatureFacts now = words({{"1", 20}, {"2", 30}, {"10", 50}}, "int");
  CHECK(measured("ks", before, now) == Approx(0.3));
  FeatureFacts spread = before;
  spread.std_dev = 2;
  // From 1 to 2 the distributions are 0.3 apart, from 2 to 10 as well: 9 * 0.3, over 2.
  CHECK(measured("wasserstein", spread, now) == Approx(1.35));
}

TEST_CASE("drift: histograms with other edges but the same mass do not differ", "[drift]") {
  const FeatureFacts coarse = buckets({{0, 10, 100}}), fine = buckets({{0, 5, 50}, {5, 10, 50}});
  for (const char* name : {"jensen_shannon", "psi", "ks", "hellinger", "wasserstein",
                           "total_variation", "kullback_leibler", "normalized_difference"}) {
    INFO(name);
    CHECK(measured(name, coarse, fine) == Approx(0).margin(1e-12));
  }
  CHECK(measured("jensen_shannon", buckets({{0, 1, 5}}), buckets({{2, 3, 5}})) == Approx(1));
  CHECK(measured("jensen_shannon", buckets({{1, 1, 5}}), buckets({{1, 1, 9}})) ==
        Approx(0).margin(1e-12));
  CHECK(measured("ks", buckets({{0, 1, 5}}), buckets({{2, 3, 5}})) == Approx(1));
  // Two even spreads, one unit apart: the distance is one unit.
  FeatureFacts first = buckets({{0, 4, 8}});
  first.std_dev = 1;
  CHECK(measured("wasserstein", first, buckets({{1, 5, 8}})) == Approx(1));
}

TEST_CASE("drift: a share of nan that stays is no difference, one that grows is", "[drift]") {
  FeatureFacts before = buckets({{0, 10, 90}}), now = before;
  before.count = now.count = 100;
  before.nan = now.nan = 10;
  CHECK(measured("jensen_shannon", before, now) == Approx(0).margin(1e-12));
  now.nan = 110;
  CHECK(measured("total_variation", before, now) == Approx(0.45));
}

TEST_CASE("drift: what cannot be compared says why", "[drift]") {
  const FeatureFacts text = words({{"a", 1}}), number = buckets({{0, 1, 5}}), none = words({});
  CHECK(pair_sides(text, number).error().message == "it was string and is float");
  CHECK(pair_sides(text, none).error().message == "one side has no values");
  const auto numbers = pair_sides(number, number);
  CHECK(obstacle(*measure_named("l_infinity"), *numbers) != "");
  CHECK(obstacle(*measure_named("chi_square_p"), *numbers) != "");
  const auto texts = pair_sides(text, text);
  CHECK(obstacle(*measure_named("ks"), *texts) != "");
  CHECK(obstacle(*measure_named("wasserstein"), *texts) != "");
}

TEST_CASE("drift: dates are compared by when they are, and one side without any says so", "[drift]") {
  const auto facts = [](const char* json) {
    const auto table = parse_statistics(json);
    INFO((table ? "" : table.error().message));
    REQUIRE(table);
    return table->features.front();
  };
  const FeatureFacts january = facts(R"({"rows":4,"features":[{"name":"d","type":"date","count":4,
      "missing":0,"min":"2013-01-01","max":"2013-01-02","time_histogram":[
      {"low":"2013-01-01","high":"2013-01-02","count":3},{"low":"2013-01-02","high":"2013-01-03","count":1}],
      "distribution":[["2013-01-01",3],["2013-01-02",1]]}]})");
  const FeatureFacts later = facts(R"({"rows":4,"features":[{"name":"d","type":"date","count":4,
      "missing":0,"min":"2013-01-02","max":"2013-01-03","time_histogram":[
      {"low":"2013-01-02","high":"2013-01-03","count":2},{"low":"2013-01-03","high":"2013-01-04","count":2}],
      "distribution":[["2013-01-02",2],["2013-01-03",2]]}]})");
  CHECK(measured("ks", january, later) == Approx(0.75));
  CHECK(measured("total_variation", january, later) == Approx(0.75));
  // By 1.25 days on average; the deviation before is that of 3 and 1 days, √3/4.
  CHECK(measured("wasserstein", january, later) == Approx(1.25 / (std::sqrt(3.0) / 4)));
  CHECK(measured("jensen_shannon", january, january) == 0);
  const auto pairing = pair_sides(january, later);
  CHECK(std::string(usual_measure(*pairing)) == "jensen_shannon");
  CHECK(obstacle(*measure_named("l_infinity"), *pairing) != "");
  FeatureFacts none;
  none.type = "date";
  CHECK(pair_sides(january, none).error().message == "one side has no values");
  CHECK(pair_sides(none, none).error().message == "neither side has values");
  FeatureFacts old = january;  // as statistics of before had them
  old.histogram.clear();
  CHECK(pair_sides(old, january).error().message == "statistics list no values of a date");
}

TEST_CASE("drift: a date that cannot be read is an error of the statistics", "[drift]") {
  const auto table = parse_statistics(R"({"rows":1,"features":[{"name":"d","type":"date","count":1,
      "missing":0,"distribution":[["2013-02-30",1]]}]})");
  REQUIRE_FALSE(table);
  CHECK(table.error().message == "read statistics.json: '2013-02-30' is no date");
}

TEST_CASE("drift: a distance by ranks says by how much it may be off", "[drift]") {
  FeatureFacts many = buckets({{0, 10, 90}});
  many.step_error = 0.005;
  const auto pairing = pair_sides(many, many);
  REQUIRE(pairing);
  for (const Measure& measure : measures()) {
    if (!obstacle(measure, *pairing).empty()) continue;
    const auto error = measure_distance(measure, *pairing).error;
    CHECK(error.has_value() == (std::string(measure.name) == "ks"));
    if (error) CHECK(*error == Approx(0.01));
  }
}

TEST_CASE("moments: a text is what it was made of", "[drift]") {
  for (const std::int64_t days : {-800'000, -1, 0, 15'706, 2'000'000}) {
    CHECK(moment_in(ColumnType::date, moment_text(ColumnType::date, days)) == days);
  }
  for (const std::int64_t time : {-86'400'000'001, -1L, 0L, 1'357'000'000'250'000L, 999'999L}) {
    CHECK(moment_in(ColumnType::time, moment_text(ColumnType::time, time)) == time);
  }
  CHECK(moment_in(ColumnType::time, "1970-01-01T00:00:01.5") == 1'500'000);
  for (const char* text : {"", "2013", "2013-1", "2013-13-01", "2013-01-32", "2013-01-01x", "2013/01/01"}) {
    INFO(text);
    CHECK_FALSE(moment_in(ColumnType::date, text));
  }
  for (const char* text : {"2013-01-01", "2013-01-01 10:00:00", "2013-01-01T10:00", "2013-01-01T10:00:00Z"}) {
    INFO(text);
    CHECK_FALSE(moment_in(ColumnType::time, text));
  }
}

TEST_CASE("drift: facts of several spans add up to those of all", "[drift]") {
  TableFacts first, second;
  first.rows = 3;
  second.rows = 1;
  first.features = {words({{"a", 2}, {"b", 1}})};
  second.features = {words({{"a", 1}})};
  first.features[0].name = second.features[0].name = "f";
  first.features[0].mean = 1;
  first.features[0].std_dev = 0;
  second.features[0].mean = 5;
  second.features[0].std_dev = 0;
  const TableFacts sum = united({first, second});
  CHECK(sum.rows == 4);
  CHECK(sum.features[0].values.at("a") == 3);
  CHECK(*sum.features[0].mean == Approx(2));
  CHECK(*sum.features[0].std_dev == Approx(std::sqrt(3.0)));
}

TEST_CASE("p-values: known tables and distances", "[drift]") {
  CHECK(chi_square_tail(3.841458820694124, 1) == Approx(0.05));
  CHECK(chi_square_tail(18.307038053275146, 10) == Approx(0.05));
  CHECK(chi_square_tail(0, 3) == 1);
  CHECK(fisher_exact(8, 2, 1, 5) == Approx(0.03496503496503495));  // scipy's own example
  CHECK(test_homogeneity({3, 1}, {1, 3}).p == Approx(0.4857142857142857));  // Fisher's tea
  CHECK(test_homogeneity({5}, {9}).p == 1);
  CHECK(kolmogorov_tail(0, 10, 10) == 1);
  CHECK(kolmogorov_tail(1, 100, 100) < 1e-30);
}
