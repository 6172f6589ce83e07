// train.trees from pages: rows that do not fit into memory.
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "model/model.h"
#include "operators/testing/fake_context.h"
#include "plugins/train/feature_bins.h"
#include "plugins/train/page_store.h"
#include "plugins/train/train_trees.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using nlohmann::json;
using testing::ExamplesMaker;
using testing::FakeContext;

// Rows of two texts, two numbers with gaps and one of few values; `order` mixes them.
ExamplesMaker flights(std::size_t rows = 20'000, unsigned order = 0, unsigned seed = 1) {
  struct Row {
    std::optional<std::string> origin, carrier;
    std::optional<double> wind, distance, hour;
    bool late;
    std::string kind;
    double delay;
  };
  std::mt19937 random(seed);
  std::vector<Row> table;
  const std::vector<std::string> airports{"EWR", "JFK", "LGA"};
  for (std::size_t i = 0; i < rows; ++i) {
    Row row;
    const std::size_t airport = random() % 3;
    const std::size_t carrier = random() % 40;
    const double wind = static_cast<double>(random() % 4000) / 100;
    if (random() % 20 != 0) row.origin = airports[airport];
    row.carrier = "c" + std::to_string(carrier);
    if (random() % 10 != 0) row.wind = wind;
    row.distance = static_cast<double>(random() % 100000);
    row.hour = static_cast<double>(random() % 24);
    const double noise = static_cast<double>(random() % 1000) / 1000;
    row.delay = wind / 10 + (airport == 1 ? 2 : 0) + (carrier % 7 == 3 ? 3 : 0) + noise * 2;
    row.late = row.delay > 5;
    row.kind = row.delay < 3 ? "low" : row.delay < 6 ? "mid" : "high";
    table.push_back(std::move(row));
  }
  std::mt19937 mixer(order);
  if (order > 0) std::shuffle(table.begin(), table.end(), mixer);
  ExamplesMaker::Column<std::string> origin, carrier, kind;
  ExamplesMaker::Column<double> wind, distance, hour, delay;
  ExamplesMaker::Column<bool> late;
  for (const Row& row : table) {
    origin.push_back(row.origin);
    carrier.push_back(row.carrier);
    wind.push_back(row.wind);
    distance.push_back(row.distance);
    hour.push_back(row.hour);
    late.push_back(row.late);
    kind.push_back(row.kind);
    delay.push_back(row.delay);
  }
  ExamplesMaker maker;
  maker.words("origin", origin).words("carrier", carrier).numbers("wind", wind);
  maker.numbers("distance", distance).numbers("hour", hour);
  maker.flags("late", late).words("kind", kind).numbers("delay", delay);
  return maker;
}

std::string params(const std::string& label, const std::string& more = {}) {
  return R"({"label":")" + label +
         R"(","features":["origin","carrier","wind","distance","hour"],"rounds":15)" +
         (more.empty() ? "" : "," + more) + "}";
}

const std::string pages = R"("method":"pages")";

struct Training {
  FakeContext context;
  wire::Ended ended;

  Training& on(const ExamplesMaker& maker, const std::string& port = "examples") {
    context.input(port, "examples/1", maker.write(context.folder() / ("given-" + port)));
    return *this;
  }
  Training& run(const std::string& words) {
    context.params(words).output("model", "model/1").output("log", "report/1");
    ended = context.run(train::train_trees);
    return *this;
  }
  bool good() const { return ended.outcome == Outcome::ok; }
  std::string trees() const { return context.output_text("model", "trees.ubj"); }
  json record() const {
    return json::parse(context.output_text("model", "model.json"))["training"];
  }
  double loss(std::size_t curve = 0) const {
    const auto log = json::parse(context.output_text("log", "learning_curve.json"));
    return log["curves"][curve]["losses"].back();
  }
};

}  // namespace

TEST_CASE("train.trees from pages: learns what the training in memory learns") {
  const std::string label = GENERATE("late", "kind", "delay");
  Training memory, paged;
  memory.on(flights()).on(flights(5000, 0, 2), "validation").run(params(label));
  paged.on(flights()).on(flights(5000, 0, 2), "validation").run(params(label, pages));
  INFO(paged.ended.error);
  REQUIRE((memory.good() && paged.good()));
  CHECK(paged.loss(0) == Approx(memory.loss(0)).epsilon(0.03));
  CHECK(paged.loss(1) == Approx(memory.loss(1)).epsilon(0.03));
  CHECK(paged.record()["method"] == "pages");
  CHECK(paged.record()["rows"] == 20'000);
  CHECK(paged.record()["rows_of_validation"] == 5000);
  CHECK_FALSE(memory.record().contains("method"));
  CHECK(model::Model::load(paged.context.output_path("model")));
}

TEST_CASE("train.trees from pages: threads, memory and the order of rows decide no tree") {
  const std::string label = GENERATE("late", "kind");
  Training first;
  first.on(flights()).run(params(label, pages + R"(,"threads":1)"));
  REQUIRE(first.good());
  for (const int threads : {2, 3, 4}) {
    Training other;
    other.on(flights()).run(params(label, pages + R"(,"threads":)" + std::to_string(threads)));
    REQUIRE(other.good());
    CHECK(other.trees() == first.trees());
    CHECK(other.loss() == first.loss());
  }
  Training mixed;
  mixed.on(flights(20'000, 5)).run(params(label, pages));
  CHECK(mixed.trees() == first.trees());
  // So little that a pass takes the sums of a few nodes only.
  Training narrow;
  narrow.context.memory_bytes(27 << 20);
  narrow.on(flights()).run(params(label, pages + R"(,"threads":1)"));
  INFO(narrow.ended.error);
  REQUIRE(narrow.good());
  CHECK(narrow.trees() == first.trees());
}

TEST_CASE("train.trees from pages: a training that was lost goes on and ends with the same bytes") {
  const std::string label = GENERATE("late", "kind");
  Training whole, lost;
  whole.on(flights(4000)).on(flights(1000, 0, 2), "validation").run(params(label, pages));
  REQUIRE(whole.good());
  lost.on(flights(4000)).on(flights(1000, 0, 2), "validation");
  lost.context.cancel(9);
  lost.run(params(label, pages));
  REQUIRE(lost.ended.outcome == Outcome::cancelled);
  lost.context.cancel(-1);
  lost.run(params(label, pages));
  REQUIRE(lost.good());
  CHECK(testing::metric(lost.ended, "rounds_found") > 3);
  CHECK(lost.trees() == whole.trees());
  CHECK(lost.loss(1) == whole.loss(1));
}

TEST_CASE("train.trees from pages: stops early with the best rounds, and balances classes") {
  const std::string early =
      pages + R"(,"early_stopping":3,"learning_rate":0.9,"max_depth":8)";
  Training stopped;
  stopped.on(flights(2000)).on(flights(1000, 0, 2), "validation").run(params("late", early));
  REQUIRE(stopped.good());
  CHECK(stopped.record()["stopped_early"] == true);
  const auto model = model::Model::load(stopped.context.output_path("model"));
  REQUIRE(model);
  CHECK(model->forest().tree_count() == stopped.record()["rounds"].get<std::size_t>());
  Training alone;
  alone.on(flights(2000)).run(params("late", early));
  CHECK(alone.ended.error.find("early_stopping needs rows at input \"validation\"") == 0);

  const std::string balanced = R"("class_weights":"balanced")";
  Training memory, paged;
  memory.on(flights()).run(params("late", balanced));
  paged.on(flights()).run(params("late", balanced + "," + pages));
  REQUIRE((memory.good() && paged.good()));
  CHECK(paged.loss() == Approx(memory.loss()).epsilon(0.03));
  Training usual;
  usual.on(flights()).run(params("late", pages));
  CHECK(usual.trees() != paged.trees());
}

TEST_CASE("train.trees from pages: what it cannot do is refused with what it needs") {
  const std::string more = GENERATE(R"("subsample":0.5)", R"("monotone":{"wind":1})",
                                    R"("sampling":"undersample")", R"("max_bin":65000)");
  Training refused;
  refused.on(flights(100)).run(params("late", pages + "," + more));
  CHECK(refused.ended.outcome == Outcome::invalid);
  CHECK(refused.ended.error.find("method = \"pages\" cannot serve ") == 0);
  CHECK(refused.ended.error.find("give the step memory for method = \"memory\"") !=
        std::string::npos);
}

TEST_CASE("train.trees: what the limit of memory cannot hold is refused with what would do") {
  Training memory;
  memory.context.memory_bytes(1 << 20);
  memory.on(flights()).run(params("late"));
  CHECK(memory.ended.error ==
        "training on 20000 rows of 5 columns takes about 1 MiB and the step may use 1; give it more "
        "with resources.memory, train on fewer columns, or set params.method = \"pages\"");
  Training paged;
  paged.context.memory_bytes(1 << 20);
  paged.on(flights(100)).run(params("late", pages + R"(,"threads":1)"));
  CHECK(paged.ended.error.find("training from pages on 5 features of ") == 0);
  CHECK(paged.ended.error.find("MiB and the step may use 1; give it more with resources.memory, or "
                               "fewer columns, bins or threads") != std::string::npos);
}

TEST_CASE("feature bins: every value of few has its own, many share bins of equal size") {
  model::ValueCounts few;
  for (int i = 0; i < 1000; ++i) few.add(i % 10);
  const auto each = train::bins_of(few, 256);
  CHECK(each.count() == 10);
  for (int value = 0; value < 10; ++value) {
    CHECK(each.bin(static_cast<float>(value)) == value);
  }
  CHECK(each.bin(-5) == 0);
  CHECK(each.bin(50) == 9);
  CHECK(each.bin(std::nanf("")) == train::PageStore::missing_bin);
  model::ValueCounts many;
  for (int i = 0; i < 50'000; ++i) many.add(i * 0.5);
  const auto shared = train::bins_of(many, 100);
  CHECK(shared.count() == 100);
  std::vector<int> rows(shared.count());
  for (int i = 0; i < 50'000; ++i) ++rows[shared.bin(static_cast<float>(i * 0.5))];
  for (const int count : rows) CHECK(std::abs(count - 500) <= 1);
  model::ValueCounts constant;
  constant.add(3, 100);
  CHECK(train::bins_of(constant, 256).count() == 1);
}
