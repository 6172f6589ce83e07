// transform.analyse, transform.fit and transform.apply as functions.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operators/testing/fake_context.h"
#include "plugins/transform/operators.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using testing::ExamplesMaker;
using testing::FakeContext;

ExamplesMaker mails() {
  ExamplesMaker maker;
  maker.words("text", {"win money", "hello there", std::nullopt, "money money"})
      .numbers("length", {9.0, 11.0, std::nullopt, 11.0})
      .flags("spam", {true, false, false, true});
  return maker;
}

constexpr const char* features =
    R"({"features":{"text":{"method":"counts"},"length":{"method":"number","scale":"min_max"}}})";

wire::Ended fit(FakeContext& context, const ExamplesMaker& maker,
                const std::string& params = features) {
  context.params(params)
      .input("examples", "examples/1", maker.write(context.folder() / "rows"))
      .output("transform", "transform/1");
  return context.run(transform::transform_fit);
}

}  // namespace

TEST_CASE("transform.fit: the record says what was learned") {
  FakeContext context;
  const auto ended = fit(context, mails());
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(testing::metric(ended, "rows") == 4);
  CHECK(testing::metric(ended, "outputs") == 5);
  CHECK(testing::metric(ended, "missing", "feature=length") == 1);
  const auto json = nlohmann::json::parse(context.output_text("transform", "transform.json"));
  CHECK(json["format"] == "transform/1");
  CHECK(json["fitted"]["text"]["words"] == std::vector<std::string>{"hello", "money", "there", "win"});
  CHECK(json["fitted"]["length"]["center"] == 9);
  CHECK(json["outputs"][0] == nlohmann::json{{"name", "length"}, {"type", "float"}});
}

TEST_CASE("transform.fit: it needs rows or analyses, and not both") {
  FakeContext nothing;
  nothing.params(features).output("transform", "transform/1");
  CHECK(nothing.run(transform::transform_fit).error ==
        "transform.fit needs rows at \"examples\" or analyses at \"analyses\"");
  FakeContext both;
  both.input_file("analyses", "transform_analysis/1", "analysis.json", "{}");
  CHECK(fit(both, mails()).error == "transform.fit takes \"examples\" or \"analyses\", not both");
  FakeContext damaged;
  damaged.params("{}").output("transform", "transform/1");
  damaged.input_file("analyses", "transform_analysis/1", "analysis.json", "{}");
  CHECK(damaged.run(transform::transform_fit).error.find("cannot read analysis.json") == 0);
}

TEST_CASE("transform.fit: a table without rows, a column that is absent, vectors of a wrong width") {
  FakeContext empty;
  ExamplesMaker none;
  none.words("text", {}).numbers("length", {});
  CHECK(fit(empty, none).error == "there is no row to fit the transform on");
  FakeContext absent;
  CHECK(fit(absent, mails(), R"({"features":{"x":{"method":"one_hot"}}})").outcome ==
        Outcome::invalid);
  FakeContext narrow;
  narrow.input_file("vectors", "files/1", "glove.txt", "a 1 2\nb 1\n");
  const auto ended = fit(narrow, mails(), R"({"features":{"text":{"method":"vectors"}}})");
  CHECK(ended.outcome == Outcome::invalid);
  CHECK(ended.error == "cannot read word vectors: line 2 has 1 numbers; the first word has 2");
}

TEST_CASE("transform.fit: an analysis made with other features is refused") {
  FakeContext first;
  first.params(features)
      .input("examples", "examples/1", mails().write(first.folder() / "rows"))
      .output("analysis", "transform_analysis/1");
  REQUIRE(first.run(transform::transform_analyse).outcome == Outcome::ok);
  const std::string text = first.output_text("analysis", "analysis.json");
  FakeContext same;
  same.params(features).output("transform", "transform/1");
  same.input_file("analyses", "transform_analysis/1", "analysis.json", text);
  CHECK(same.run(transform::transform_fit).outcome == Outcome::ok);
  FakeContext other;
  other.params(R"({"features":{"text":{"method":"tfidf"}}})").output("transform", "transform/1");
  other.input_file("analyses", "transform_analysis/1", "analysis.json", text);
  CHECK(other.run(transform::transform_fit).error.find("is not what the analyses were made with") !=
        std::string::npos);
}

TEST_CASE("transform.apply: what it cannot do is a sentence that names the column") {
  FakeContext fitted;
  REQUIRE(fit(fitted, mails()).outcome == Outcome::ok);
  const auto apply = [&](const ExamplesMaker& maker, const std::string& params) {
    FakeContext context;
    context.params(params)
        .input("transform", "transform/1", fitted.output_path("transform"))
        .input("examples", "examples/1", maker.write(context.folder() / "rows"))
        .output("examples", "examples/1");
    const auto ended = context.run(transform::transform_apply);
    return ended.outcome == Outcome::ok ? "rows " + std::to_string(*testing::metric(ended, "rows"))
                                        : ended.error;
  };
  CHECK(apply(mails(), R"({"keep":["spam"]})") == "rows 4.000000");
  CHECK(apply(mails(), R"({"keep":["late"]})") ==
        "parameter \"keep\" names column \"late\", which the examples do not have");
  CHECK(apply(mails(), R"({"keep":["*"]})").find("two columns would be called \"length\"") == 0);
  ExamplesMaker short_of;
  short_of.words("text", {"a"});
  CHECK(apply(short_of, "{}") ==
        "the examples have no column \"length\" (float), which has to be there");
  ExamplesMaker mixed;
  mixed.words("text", {"a"}).words("length", {"9"});
  CHECK(apply(mixed, "{}").find("column \"length\" is of type float and the value given is no number") !=
        std::string::npos);
}

TEST_CASE("transform.apply: a damaged transform is an error") {
  for (const char* text : {"", "{}", R"({"format":"transform/9"})", R"({"format":"transform/1"})"}) {
    FakeContext context;
    context.params("{}").output("examples", "examples/1");
    context.input_file("transform", "transform/1", "transform.json", text);
    context.input("examples", "examples/1", mails().write(context.folder() / "rows"));
    const auto ended = context.run(transform::transform_apply);
    CHECK(ended.outcome == Outcome::failed);
    CHECK(ended.error.find("cannot read transform.json") == 0);
  }
}

TEST_CASE("transform.fit: the schema and the transform are compared in both directions") {
  const auto against = [](const std::string& schema, const std::string& domains,
                          const std::string& more = "") {
    FakeContext context;
    context.input_file("schema", "schema/1", "schema.toml", schema);
    ExamplesMaker maker;
    maker.words("origin", {"EWR", "JFK", "OLD", std::nullopt}).integers("n", {1, 2, 3, 4});
    auto ended = fit(context, maker,
                     R"({"features":{"origin":{"method":"one_hot")" + more +
                         R"(},"n":{"method":"number"}},"domains":")" + domains + "\"}");
    for (const auto& line : context.log()) ended.error += "\n" + line.text;
    return ended;
  };
  const std::string good = "[feature.n]\ntype = \"int\"\n[feature.origin]\ntype = \"string\"\n";
  const auto agrees = against(good + "domain = [\"EWR\", \"JFK\", \"OLD\"]\n", "halt");
  CHECK(agrees.outcome == Outcome::ok);
  CHECK(testing::metric(agrees, "domain_differences") == 0);
  const auto differs = against(good + "domain = [\"EWR\", \"JFK\", \"LGA\"]\n", "halt");
  CHECK(differs.outcome == Outcome::halt);
  CHECK(testing::metric(differs, "domain_differences") == 2);
  CHECK(differs.error.find("has a place for 1 value (OLD), which the schema does not allow in column "
                           "\"origin\"") != std::string::npos);
  CHECK(differs.error.find("has no place for 1 value (LGA), which the schema allows") !=
        std::string::npos);
  const auto told = against(good + "domain = [\"EWR\", \"JFK\", \"LGA\"]\n", "warn");
  CHECK(told.outcome == Outcome::ok);
  CHECK(testing::metric(told, "domain_differences") == 2);
  const auto chosen =
      against(good + "domain = [\"EWR\", \"JFK\", \"OLD\", \"LGA\"]\n", "halt", R"(,"top_k":9)");
  CHECK(chosen.outcome == Outcome::ok);
  const auto typed = against("[feature.n]\ntype = \"float\"\n[feature.origin]\ntype = \"int\"\n", "halt");
  CHECK(typed.error.find("reads column \"origin\" as string, and the schema says int") !=
        std::string::npos);
  CHECK(against("[feature.origin]\n", "halt").error.find("reads column \"n\", which the schema does "
                                                        "not have") != std::string::npos);
  CHECK(against("[feature", "warn").error.find("cannot read the schema: line 1") == 0);
}

TEST_CASE("transform.apply: the number of threads decides no byte") {
  ExamplesMaker::Column<std::string> text;
  ExamplesMaker::Column<double> length;
  ExamplesMaker::Column<bool> spam;
  for (int row = 0; row < 60'000; ++row) {  // several batches
    text.push_back(row % 7 == 0 ? std::nullopt : std::optional("word" + std::to_string(row % 50)));
    length.push_back(row % 11 == 0 ? std::nullopt : std::optional(row * 0.25));
    spam.push_back(row % 3 == 0);
  }
  ExamplesMaker maker;
  maker.words("text", text).numbers("length", length).flags("spam", spam);
  FakeContext fitted;
  REQUIRE(fit(fitted, maker).outcome == Outcome::ok);
  std::string first;
  for (const double cpus : {1.0, 2.0, 4.0}) {
    FakeContext context;
    context.params(R"({"keep":["spam"]})").cpus(cpus).output("examples", "examples/1");
    context.input("examples", "examples/1", maker.write(context.folder() / "rows"));
    context.input("transform", "transform/1", fitted.output_path("transform"));
    REQUIRE(context.run(transform::transform_apply).outcome == Outcome::ok);
    const std::string bytes = context.output_text("examples", "part-00000.parquet");
    if (first.empty()) first = bytes;
    CHECK(bytes.size() > 10'000);
    CHECK(bytes == first);
  }
}
