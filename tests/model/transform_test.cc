// Transforms row by row: what each method makes of unseen words, nulls, odd numbers and empty texts.
#include "model/transform.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "model/analysis.h"

namespace {

using namespace pipelined;
using namespace pipelined::model;

const std::vector<ColumnInput> columns{{"n", ColumnKind::real}, {"word", ColumnKind::text},
                                       {"whole", ColumnKind::integer}, {"flag", ColumnKind::boolean},
                                       {"text", ColumnKind::text}, {"day", ColumnKind::date}};
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();
constexpr double endless = std::numeric_limits<double>::infinity();

Result<Analysis> analysis_of(const std::string& features,
                             const std::vector<std::vector<Cell>>& rows) {
  auto specs = parse_features(features);
  if (!specs) return specs.error();
  auto analysis = Analysis::begin(*specs, columns);
  if (!analysis) return analysis.error();
  for (const auto& row : rows) {
    if (auto added = analysis->add_row(row); !added) return added.error();
  }
  return analysis;
}

Result<Transform> fitted(const std::string& features, const std::vector<std::vector<Cell>>& rows) {
  auto analysis = analysis_of(features, rows);
  if (!analysis) return analysis.error();
  return analysis->fit(nullptr);
}

// The row as a dense list, without zeros left out.
std::vector<double> dense(const Transform& transform, const std::vector<Cell>& cells) {
  std::vector<Entry> row;
  REQUIRE(transform.apply_row(cells, row));
  std::vector<double> numbers(transform.outputs().size(), 0);
  for (const Entry& entry : row) numbers[entry.index] = entry.value;
  return numbers;
}

// A list that compares not-a-number as equal.
bool alike(const std::vector<double>& left, const std::vector<double>& right) {
  if (left.size() != right.size()) return false;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const bool both = std::isnan(left[i]) && std::isnan(right[i]);
    if (!both && left[i] != right[i]) return false;
  }
  return true;
}

std::string refusal(const std::string& features, const std::vector<std::vector<Cell>>& rows) {
  const auto result = fitted(features, rows);
  return result ? "" : result.error().message;
}

}  // namespace

TEST_CASE("a transform of numbers: null, not-a-number and infinite values are missing") {
  const auto plain = fitted(R"({"n":{"method":"number","scale":"min_max","indicator":true}})",
                            {{1.0}, {3.0}, {endless}, {std::monostate()}, {no_number}});
  REQUIRE(plain);
  CHECK(alike(dense(*plain, {2.0}), {0.5, 0}));
  CHECK(alike(dense(*plain, {std::monostate()}), {no_number, 1}));
  CHECK(alike(dense(*plain, {no_number}), {no_number, 1}));
  CHECK(alike(dense(*plain, {-endless}), {no_number, 1}));
  CHECK(alike(dense(*plain, {std::int64_t{3}}), {1, 0}));
  const auto clipped =
      fitted(R"({"n":{"method":"number","clip_max":4,"clip_min":0,"impute":"mean"}})",
             {{1.0}, {3.0}, {endless}, {-endless}});
  REQUIRE(clipped);
  CHECK(dense(*clipped, {endless}) == std::vector<double>{4});
  CHECK(dense(*clipped, {no_number}) == std::vector<double>{2});
}

TEST_CASE("a transform of numbers: a logarithm of what has none is missing") {
  const auto logged =
      fitted(R"({"n":{"method":"number","log":true,"impute":"constant","fill":-9}})", {{1.0}});
  REQUIRE(logged);
  CHECK(dense(*logged, {-2.0}) == std::vector<double>{-9});
  CHECK(dense(*logged, {0.0}) == std::vector<double>{0});
}

TEST_CASE("a transform of numbers: a constant column becomes 0 and others keep their distance") {
  for (const char* scale : {"z_score", "min_max", "robust"}) {
    const auto flat =
        fitted(std::string(R"({"n":{"method":"number","scale":")") + scale + "\"}}", {{0.1}, {0.1}, {0.1}});
    REQUIRE(flat);
    CHECK(dense(*flat, {0.1}) == std::vector<double>{0});
    CHECK(dense(*flat, {1.1}) == std::vector<double>{1});
  }
}

TEST_CASE("a transform of numbers: a column without any value cannot be imputed from") {
  const std::vector<std::vector<Cell>> nulls{{std::monostate()}, {std::monostate()}};
  CHECK(refusal(R"({"n":{"method":"number","impute":"median"}})", nulls) ==
        "feature \"n\" has no value in any row: there is nothing to impute from; leave it out or use "
        "impute = \"constant\"");
  const auto scaled = fitted(R"({"n":{"method":"number","scale":"z_score"}})", nulls);
  REQUIRE(scaled);
  CHECK(alike(dense(*scaled, {std::monostate()}), {no_number}));
  const auto buckets = fitted(R"({"n":{"method":"buckets"}})", nulls);
  REQUIRE(buckets);
  CHECK(dense(*buckets, {5.0}) == std::vector<double>{0});
}

TEST_CASE("a transform of categories: unseen words and nulls have a defined place") {
  const std::vector<std::vector<Cell>> rows{{"b"}, {"a"}, {"b"}, {std::monostate()}};
  const auto hot = fitted(R"({"word":{"method":"one_hot"}})", rows);
  REQUIRE(hot);
  CHECK(hot->outputs() == std::vector<Output>{{"word=a", true}, {"word=b", true}});
  CHECK(dense(*hot, {"new"}) == std::vector<double>{0, 0});
  CHECK(dense(*hot, {std::monostate()}) == std::vector<double>{0, 0});
  CHECK(dense(*hot, {"b"}) == std::vector<double>{0, 1});
  const auto full = fitted(R"({"word":{"method":"one_hot","missing":true,"other":true}})", rows);
  REQUIRE(full);
  CHECK(dense(*full, {"new"}) == std::vector<double>{0, 0, 1, 0});
  CHECK(dense(*full, {std::monostate()}) == std::vector<double>{0, 0, 0, 1});
  const auto ordinal = fitted(R"({"word":{"method":"ordinal"}})", rows);
  REQUIRE(ordinal);
  CHECK(alike(dense(*ordinal, {"new"}), {no_number}));
  CHECK(alike(dense(*ordinal, {std::monostate()}), {no_number}));
  const auto ranks = fitted(R"({"word":{"method":"vocabulary","top_k":1,"oov_buckets":4}})", rows);
  REQUIRE(ranks);
  CHECK(dense(*ranks, {"b"}) == std::vector<double>{0});
  CHECK(dense(*ranks, {"new"}).front() >= 1);
  CHECK(dense(*ranks, {"new"}).front() <= 4);
  const auto hashed = fitted(R"({"word":{"method":"hashed","buckets":5,"one_hot":true}})", rows);
  REQUIRE(hashed);
  CHECK(dense(*hashed, {std::monostate()}) == std::vector<double>(5, 0));
}

TEST_CASE("a transform of categories: 10,000 of them need a number of columns or another method") {
  std::vector<std::string> words;
  for (int i = 0; i < 10'000; ++i) words.push_back("w" + std::to_string(i));
  std::vector<std::vector<Cell>> rows;
  for (const std::string& word : words) rows.push_back({std::string_view(word)});
  CHECK(refusal(R"({"word":{"method":"one_hot"}})", rows) ==
        "feature \"word\" has 10000 categories and would make as many columns; say how many with "
        "top_k, or use hashed or vocabulary");
  const auto few = fitted(R"({"word":{"method":"one_hot","top_k":7}})", rows);
  REQUIRE(few);
  CHECK(few->outputs().size() == 7);
  const auto all = fitted(R"({"word":{"method":"vocabulary"}})", rows);
  REQUIRE(all);
  CHECK(dense(*all, {"w9999"}).front() == 9999);
}

TEST_CASE("a transform of texts: empty and null texts are zeros, unknown pieces are 1") {
  const std::vector<std::vector<Cell>> rows{{"a b"}, {"b c"}};
  for (const char* method : {R"("counts")", R"("tfidf")", R"("tokens","length":4)",
                             R"("characters","length":4)", R"("text_counts")"}) {
    const auto transform =
        fitted(std::string(R"({"text":{"method":)") + method + "}}", rows);
    REQUIRE(transform);
    const std::vector<double> zeros(transform->outputs().size(), 0);
    CHECK(dense(*transform, {std::monostate()}) == zeros);
    CHECK(dense(*transform, {""}) == zeros);
  }
  const auto tokens = fitted(R"({"text":{"method":"tokens","length":4}})", rows);
  REQUIRE(tokens);
  CHECK(dense(*tokens, {"zzz B"}) == std::vector<double>{1, 2, 0, 0});
  CHECK(dense(*tokens, {"b b b b b b"}) == std::vector<double>{2, 2, 2, 2});
  const auto bag = fitted(R"({"text":{"method":"tfidf"}})", rows);
  REQUIRE(bag);
  CHECK(dense(*bag, {"zzz"}) == std::vector<double>{0, 0, 0});
}

TEST_CASE("a transform of dates: tables and requests give the same numbers, null is missing") {
  const auto parts = fitted(R"({"day":{"method":"date_parts","parts":["year","weekday"]}})",
                            {{std::int64_t{0}}});
  REQUIRE(parts);
  CHECK(dense(*parts, {std::int64_t{15705}}) == std::vector<double>{2012, 0});
  CHECK(dense(*parts, {"2012-12-31"}) == std::vector<double>{2012, 0});
  CHECK(alike(dense(*parts, {std::monostate()}), {no_number, no_number}));
  std::vector<Entry> row;
  const auto wrong = parts->apply_row(std::vector<Cell>{"31.12.2012"}, row);
  REQUIRE(!wrong);
  CHECK(wrong.error().message == "feature \"day\": column \"day\" is of type date and the value "
                                 "given is no moment such as 2013-12-31 or 2013-12-31T05:00");
}

TEST_CASE("a transform: a cell of another kind than its column is an error that names it") {
  const auto hot = fitted(R"({"whole":{"method":"one_hot"}})", {{std::int64_t{2}}});
  REQUIRE(hot);
  std::vector<Entry> row;
  const auto wrong = hot->apply_row(std::vector<Cell>{"2"}, row);
  REQUIRE(!wrong);
  CHECK(wrong.error().message.find("column \"whole\" is of type int") != std::string::npos);
}

TEST_CASE("a declaration: every wrong option is answered with what may stand there") {
  const std::vector<std::vector<Cell>> rows{{1.0}};
  CHECK(refusal("[]", rows) == "\"features\" is no table of features with their methods");
  CHECK(refusal(R"({"n":{}})", rows).find("needs \"method\", one of number, buckets") !=
        std::string::npos);
  CHECK(refusal(R"({"n":{"method":"number","bukets":3}})", rows)
            .find("does not take \"bukets\"; number takes from, clip_min") != std::string::npos);
  CHECK(refusal(R"({"n":{"method":"number","scale":"z"}})", rows) ==
        "feature \"n\" has \"scale\" = \"z\", which is none of none, z_score, min_max, robust");
  CHECK(refusal(R"({"n":{"method":"number","fill":1}})", rows).find("impute = \"constant\"") !=
        std::string::npos);
  CHECK(refusal(R"({"n":{"method":"number","clip_min":2,"clip_max":1}})", rows)
            .find("clip_min above") != std::string::npos);
  CHECK(refusal(R"({"n":{"method":"buckets","boundaries":[2,1]}})", rows).find("that rise") !=
        std::string::npos);
  CHECK(refusal(R"({"word":{"method":"tokens"}})", rows).find("needs \"length\"") !=
        std::string::npos);
  CHECK(refusal(R"({"x":{"method":"number"}})", rows) ==
        "feature \"x\" reads column \"x\", which the examples do not have");
  CHECK(refusal(R"({"n":{"method":"one_hot"}})", rows)
            .find("one_hot needs a category") != std::string::npos);
  CHECK(refusal(R"({"word":{"method":"number"}})", rows).find("number needs a number") !=
        std::string::npos);
  CHECK(refusal(R"({"c":{"method":"tfidf","from":["word","text"]}})", rows)
            .find("is made from one column") != std::string::npos);
  CHECK(refusal(R"({"text":{"method":"vectors"}})", {{"a"}}).find("needs word vectors") !=
        std::string::npos);
  CHECK(refusal(R"({"n":{"method":"number"}})", {}) ==
        "there is no row to fit the transform on");
  CHECK(refusal(R"({"a":{"method":"number","from":"n","indicator":true},)"
                R"("a.missing":{"method":"number","from":"n"}})", {{1.0}})
            .find("two outputs of the transform are called \"a.missing\"") != std::string::npos);
}

TEST_CASE("a declaration: written and read it is the same") {
  const auto features = parse_features(
      R"({"a":{"method":"number","clip_min":0.1,"log":true,"impute":"constant","fill":2}},)"
      R"({"b":1})");
  CHECK(!features);
  const auto good = parse_features(
      R"({"a":{"method":"number","clip_min":0.1,"log":true,"impute":"constant","fill":2},)"
      R"("b":{"method":"buckets","from":"a","boundaries":[1,2.5]},)"
      R"("c":{"method":"one_hot","from":["a","b"],"top_k":3},)"
      R"("d":{"method":"tfidf","ngrams":[1,3],"lower":false,"sublinear":true}})");
  REQUIRE(good);
  const auto again = parse_features(features_json(*good));
  REQUIRE(again);
  CHECK(*again == *good);
}

TEST_CASE("an analysis: parts of another declaration or other types are refused") {
  const auto left = analysis_of(R"({"n":{"method":"number"}})", {{1.0}});
  auto right = analysis_of(R"({"n":{"method":"number","log":true}})", {{1.0}});
  REQUIRE((left && right));
  const auto merged = right->merge(*left);
  REQUIRE(!merged);
  CHECK(merged.error().message.find("different features") != std::string::npos);
  const auto specs = parse_features(R"({"word":{"method":"one_hot"}})");
  REQUIRE(specs);
  auto texts = Analysis::begin(*specs, columns);
  const std::vector<ColumnInput> other{{"word", ColumnKind::integer}};
  const auto wholes = Analysis::begin(*specs, other);
  REQUIRE((texts && wholes));
  const auto mixed = texts->merge(*wholes);
  REQUIRE(!mixed);
  CHECK(mixed.error().message ==
        "column \"word\" is of type string in one part and int in another");
}

TEST_CASE("an analysis: damaged text is an error, not a crash") {
  for (const char* text : {"", "{}", R"({"format":"analysis/2"})", "[1]",
                           R"({"format":"analysis/1","features":{"n":{"method":"number"}},)"
                           R"("columns":[{"name":"n","type":"float"}],"facts":{"n":{"rows":1,)"
                           R"("missing":0,"sum":[1],"squares":[],"least":1,"most":1}}})"}) {
    const auto parsed = Analysis::parse(text);
    REQUIRE(!parsed);
    CHECK(parsed.error().message.find("cannot read analysis.json") == 0);
  }
}

TEST_CASE("word vectors: a line of another width and what is no number are errors with their line") {
  const auto good = WordVectors::parse("2 3\nfirst 1 2 3\nsecond -1 0.5 2e-3\n");
  REQUIRE(good);
  CHECK(good->width() == 3);
  CHECK(good->find("second")[1] == 0.5F);
  CHECK(good->find("third").empty());
  CHECK(WordVectors::parse(good->text())->text() == good->text());
  CHECK(WordVectors::parse("a 1 2 3\nb 1 2\n").error().message ==
        "cannot read word vectors: line 2 has 2 numbers; the first word has 3");
  CHECK(WordVectors::parse("1 3\na 1 2\n").error().message ==
        "cannot read word vectors: line 2 has 2 numbers; line 1 promises 3");
  CHECK(WordVectors::parse("a 1 x\n").error().message ==
        "cannot read word vectors: line 1 has \"x\", which is no number");
  CHECK(WordVectors::parse("a 1 inf\n").error().message.find("which is no number") !=
        std::string::npos);
  CHECK(WordVectors::parse("").error().message.find("the file has no word") != std::string::npos);
}

TEST_CASE("an exact sum: order and parts change nothing, and nothing is lost") {
  std::vector<double> numbers{1e300, 1, -1e300, 1e-300, 3.5, -2.25, 1e16, 1, -1e16, 5e-324};
  ExactSum forward;
  for (const double number : numbers) forward.add(number);
  ExactSum first;
  ExactSum second;
  for (std::size_t i = numbers.size(); i > 0; --i) (i % 2 ? first : second).add(numbers[i - 1]);
  first.merge(second);
  CHECK(first.digits() == forward.digits());
  CHECK(forward.value() == 3.25);
  ExactSum squares;
  squares.add_square(1e8 + 1);
  squares.add_square(1e8 - 1);
  ExactSum negative;
  negative.add(-2e16);
  squares.merge(negative);
  CHECK(squares.value() == 2);
  const auto again = ExactSum::from_digits(forward.digits());
  REQUIRE(again);
  CHECK(again->value() == 3.25);
}

TEST_CASE("value counts: the bits that are dropped follow from the numbers, not from their order") {
  ValueCounts rising;
  ValueCounts falling;
  ValueCounts even;
  constexpr int numbers = 200'000;
  for (int i = 0; i < numbers; ++i) {
    rising.add(std::sqrt(i));
    falling.add(std::sqrt(numbers - 1 - i));
    if (i % 2 == 0) even.add(std::sqrt(i));
  }
  ValueCounts odd;
  for (int i = 1; i < numbers; i += 2) odd.add(std::sqrt(i));
  even.merge(odd);
  CHECK(rising.dropped_bits() > 0);
  CHECK(rising.entries() == falling.entries());
  CHECK(rising.entries() == even.entries());
  CHECK(even.total() == numbers);
  const auto middle = rising.quantiles(std::vector<double>{0.5}).front();
  CHECK(middle == Approx(std::sqrt(numbers / 2.0)).epsilon(1e-4));
}
