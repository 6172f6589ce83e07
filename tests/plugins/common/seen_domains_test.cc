// What a training saw of its columns: ranges, words, and what the step declares of them.
#include "plugins/common/seen_domains.h"

#include <arrow/api.h>

#include <catch2/catch.hpp>

#include "operators/testing/fake_context.h"

using namespace pipelined;
using model::ColumnKind;
using model::InputDomain;

namespace {

template <class Builder, class Value>
std::shared_ptr<arrow::Array> column(std::shared_ptr<arrow::DataType> type,
                                     const std::vector<std::optional<Value>>& values) {
  Builder builder(std::move(type), arrow::default_memory_pool());
  for (const auto& value : values) {
    REQUIRE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::RecordBatch> batch(const std::vector<std::optional<std::int64_t>>& hours,
                                          const std::vector<std::optional<double>>& winds,
                                          const std::vector<std::optional<std::string>>& words) {
  const auto schema = arrow::schema({arrow::field("hour", arrow::int64()),
                                     arrow::field("wind", arrow::float64()),
                                     arrow::field("carrier", arrow::utf8())});
  return arrow::RecordBatch::Make(
      schema, static_cast<std::int64_t>(hours.size()),
      {column<arrow::Int64Builder>(arrow::int64(), hours),
       column<arrow::DoubleBuilder>(arrow::float64(), winds),
       column<arrow::StringBuilder>(arrow::utf8(), words)});
}

const std::vector<model::ColumnInput> inputs{{"hour", ColumnKind::integer},
                                             {"wind", ColumnKind::real},
                                             {"carrier", ColumnKind::text}};

// What `take` gives under the parameters of a step, or says.
Result<std::vector<InputDomain>> taken(SeenDomains seen, const std::string& params) {
  testing::FakeContext context;
  context.params(params);
  static SeenDomains* asked = nullptr;
  static Result<std::vector<InputDomain>> found = std::vector<InputDomain>();
  asked = &seen;
  context.run([](sdk::Context& running) -> Result<void> {
    found = asked->take(running);
    return {};
  });
  return found;
}

std::string refusal(SeenDomains seen, const std::string& params) {
  const auto found = taken(std::move(seen), params);
  REQUIRE_FALSE(found);
  return found.error().message;
}

}  // namespace

TEST_CASE("seen domains: the least and the greatest of numbers, the words of texts") {
  SeenDomains seen(inputs, true);
  const double nan = std::nan(""), infinite = HUGE_VAL;
  seen.add(*batch({6, std::nullopt, 23}, {1.5, infinite, nan}, {"UA", "AA", std::nullopt}));
  seen.add(*batch({-2, 7, 8}, {-infinite, 0.25, std::nullopt}, {"AA", "", "WN"}));
  const auto domains = taken(std::move(seen), "{}");
  REQUIRE(domains);
  REQUIRE(domains->size() == 3);
  CHECK(domains->at(0) == InputDomain{"hour", false, false, {{-2, 23}}, {}});
  CHECK(domains->at(1) == InputDomain{"wind", false, false, {{0.25, 1.5}}, {}});
  CHECK(domains->at(2) == InputDomain{"carrier", false, false, {}, {"", "AA", "UA", "WN"}});
}

TEST_CASE("seen domains: batches in another order give the same") {
  const auto first = batch({6, 9}, {1.5, 2.5}, {"UA", "AA"});
  const auto second = batch({1, 30}, {0.5, 1.0}, {"WN", "AA"});
  SeenDomains forth(inputs, true), back(inputs, true);
  forth.add(*first), forth.add(*second);
  back.add(*second), back.add(*first);
  CHECK(*taken(std::move(forth), "{}") == *taken(std::move(back), "{}"));
}

TEST_CASE("seen domains: a column without a value has no domain") {
  SeenDomains seen(inputs, true);
  seen.add(*batch({std::nullopt}, {std::nan("")}, {std::nullopt}));
  const auto domains = taken(std::move(seen), "{}");
  REQUIRE(domains);
  for (const InputDomain& domain : *domains) {
    CHECK_FALSE(domain.range);
    CHECK(domain.values.empty());
  }
}

TEST_CASE("seen domains: too many words are not listed, and cannot be closed") {
  const auto with_words = [](std::size_t count) {
    SeenDomains seen(inputs, true);
    std::vector<std::optional<std::string>> words;
    for (std::size_t i = 0; i < count; ++i) words.emplace_back("w" + std::to_string(i));
    seen.add(*batch(std::vector<std::optional<std::int64_t>>(count, 1),
                    std::vector<std::optional<double>>(count, 1.0), words));
    return seen;
  };
  const auto fits = taken(with_words(InputDomain::values_max), R"({"closed":["carrier"]})");
  REQUIRE(fits);
  CHECK(fits->at(2).values.size() == InputDomain::values_max);
  CHECK(fits->at(2).closed);
  CHECK(taken(with_words(InputDomain::values_max + 1), "{}")->at(2).values.empty());
  CHECK(refusal(with_words(InputDomain::values_max + 1), R"({"closed":["carrier"]})") ==
        "input \"carrier\" cannot be closed: it has more than 1000 values");
}

TEST_CASE("seen domains: a step declares inputs optional or closed, and only inputs") {
  SeenDomains seen(inputs, true);
  seen.add(*batch({6}, {1.5}, {"UA"}));
  const auto domains = taken(seen, R"({"optional":["wind"],"closed":["hour","carrier"]})");
  REQUIRE(domains);
  CHECK_FALSE(domains->at(0).optional);
  CHECK(domains->at(0).closed);
  CHECK(domains->at(1).optional);
  CHECK_FALSE(domains->at(1).closed);
  CHECK(domains->at(2).closed);
  CHECK(refusal(seen, R"({"optional":["gust"]})") ==
        "parameter \"optional\" names \"gust\", which is no input of the model");
  CHECK(refusal(seen, R"({"closed":["late"]})") ==
        "parameter \"closed\" names \"late\", which is no input of the model");
}

TEST_CASE("seen domains: going on from an earlier training widens what it saw") {
  const std::vector<InputDomain> earlier{{"hour", false, false, {{3, 9}}, {}},
                                         {"carrier", false, false, {}, {"AA", "B6"}}};
  SeenDomains seen(inputs, true, earlier);
  seen.add(*batch({7, 12}, {1.5, 2.0}, {"UA", "AA"}));
  const auto domains = taken(std::move(seen), "{}");
  REQUIRE(domains);
  CHECK(domains->at(0).range == std::pair(3.0, 12.0));
  CHECK(domains->at(1).range == std::pair(1.5, 2.0));
  CHECK(domains->at(2).values == std::vector<std::string>{"AA", "B6", "UA"});
}
