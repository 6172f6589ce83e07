// What a search may choose from: what is read, what is refused, what is drawn.
#include "plugins/tune/space.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

namespace {

using namespace pipelined;
using namespace pipelined::tune;
using nlohmann::json;

Space space_of(const std::string& text) {
  auto space = Space::read(json::parse(text));
  if (!space) FAIL(space.error().message);
  return *std::move(space);
}

std::string refusal(const std::string& text) {
  const auto space = Space::read(json::parse(text));
  return space ? "" : space.error().message;
}

}  // namespace

TEST_CASE("space: ranges, whole numbers and choices are read", "[tune]") {
  const Space space = space_of(R"({"eta": {"range": [0.01, 0.3], "log": true},
      "depth": {"integers": [2, 8]}, "kind": {"choices": ["a", "b"]}, "share": {"range": [0, 1]}})");
  REQUIRE(space.parameters.size() == 4);
  std::map<std::string, const Parameter*> by_name;
  for (const Parameter& parameter : space.parameters) by_name[parameter.name] = &parameter;
  CHECK(by_name["eta"]->log);
  CHECK(by_name["eta"]->axis_low() == Approx(std::log(0.01)));
  CHECK(by_name["depth"]->kind == Kind::integer);
  CHECK(by_name["depth"]->axis_low() == 1.5);
  CHECK(by_name["depth"]->axis_high() == 8.5);
  CHECK(by_name["kind"]->choices.size() == 2);
  CHECK(by_name["share"]->at(0.25) == json(0.25));
  CHECK(by_name["share"]->at(1).is_number_float());
}

TEST_CASE("space: what makes no sense is refused by name", "[tune]") {
  const std::pair<const char*, const char*> wrong[] = {
      {R"({})", "must be a table of what is searched"},
      {R"([1])", "must be a table of what is searched"},
      {R"({"x": 3})", "\"space.x\" must be a table"},
      {R"({"x": {}})", "one of range, integers and choices"},
      {R"({"x": {"range": [0, 1], "choices": [1]}})", "one of range, integers and choices"},
      {R"({"x": {"range": [0, 1], "step": 2}})", "has \"step\""},
      {R"({"x": {"range": [0]}})", "two numbers"},
      {R"({"x": {"range": [1, 1]}})", "from a lower to a higher"},
      {R"({"x": {"range": [2, 1]}})", "from a lower to a higher"},
      {R"({"x": {"range": [0, 1], "log": true}})", "must begin above 0"},
      {R"({"x": {"range": [0, 1], "log": 1}})", "\"space.x.log\" must be true or false"},
      {R"({"x": {"range": [0, 1], "points": 1}})", "\"space.x.points\" must be a whole number from 2"},
      {R"({"x": {"integers": [0.5, 2]}})", "two whole numbers"},
      {R"({"x": {"integers": [0, 9223372036854775807]}})", "within 9e15"},
      {R"({"x": {"integers": [0, 3], "log": true}})", "must begin above 0"},
      {R"({"x": {"choices": []}})", "must be a list of values"},
      {R"({"x": {"choices": ["a", 1]}})", "all of one kind"},
      {R"({"x": {"choices": [[1]]}})", "strings, numbers or flags"},
      {R"({"x": {"choices": [1, 1.0]}})", "twice"},
      {R"({"x": {"choices": ["a"], "log": true}})", "log and points say nothing"},
      {R"({"x": {"range": [0, 1], "when": {}}})", "must name another parameter"},
      {R"({"x": {"range": [0, 1], "when": {"y": 1}}})", "hangs on what is no parameter"},
      {R"({"x": {"range": [0, 1], "when": {"x": 1}}})", "hangs on what is no parameter"},
      {R"({"x": {"choices": [1], "when": {"y": 1}}, "y": {"choices": [1], "when": {"x": 1}}})",
       "hangs on what is no parameter"},
      {R"({"x": {"range": [0, 1], "when": {"y": 1}}, "y": {"range": [0, 2]}})", "has no choices"},
      {R"({"x": {"range": [0, 1], "when": {"y": "c"}}, "y": {"choices": ["a", "b"]}})",
       "\"c\", which is none of the choices of \"y\""}};
  for (const auto& [text, part] : wrong) {
    INFO(text);
    CHECK_THAT(refusal(text), Catch::Matchers::Contains(part));
  }
}

TEST_CASE("space: a parameter has a value only where what it hangs on has the right one", "[tune]") {
  const Space space = space_of(R"({"penalty": {"choices": ["none", "l1", "both"]},
      "a_strength": {"range": [0.001, 1], "log": true, "when": {"penalty": ["l1", "both"]}},
      "a_ratio": {"range": [0, 1], "when": {"penalty": "both"}}})");
  Draws draws(1, 0);
  std::map<std::string, int> seen;
  for (int i = 0; i < 3000; ++i) {
    const json point = space.draw(draws);
    const std::string penalty = point["penalty"];
    ++seen[penalty];
    CHECK(point.contains("a_strength") == (penalty != "none"));
    CHECK(point.contains("a_ratio") == (penalty == "both"));
    CHECK(space.point_of(point) == point);
  }
  for (const auto& [penalty, count] : seen) CHECK(std::abs(count - 1000) < 120);
}

TEST_CASE("space: what came back with defaults is the point again", "[tune]") {
  const Space space = space_of(R"({"kind": {"choices": [1.0, 2.5]}, "depth": {"integers": [1, 9]},
      "rate": {"range": [0, 1], "when": {"kind": 2.5}}})");
  const json back = json::parse(R"({"kind": 1, "depth": 4, "rate": 0.5, "other": "x"})");
  CHECK(space.point_of(back).dump() == R"({"depth":4,"kind":1.0})");
  CHECK(space.point_of(json::parse(R"({"kind": 2.5, "depth": 4, "rate": 1})")).dump() ==
        R"({"depth":4,"kind":2.5,"rate":1.0})");
}

TEST_CASE("space: draws are even on the axis, rounded, and within the range", "[tune]") {
  const Space space = space_of(R"({"eta": {"range": [0.001, 10], "log": true},
      "depth": {"integers": [2, 5]}})");
  Draws draws(7, 3);
  int below = 0;
  std::map<std::int64_t, int> depths;
  for (int i = 0; i < 4000; ++i) {
    const json point = space.draw(draws);
    const double eta = point["eta"];
    CHECK(eta >= 0.001);
    CHECK(eta <= 10);
    below += eta < 0.1 ? 1 : 0;
    ++depths[point["depth"].get<std::int64_t>()];
    char text[32];
    std::snprintf(text, sizeof text, "%.5e", eta);
    CHECK(std::strtod(text, nullptr) == eta);
  }
  CHECK(std::abs(below - 2000) < 200);
  REQUIRE(depths.size() == 4);
  for (const auto& [depth, count] : depths) CHECK(std::abs(count - 1000) < 130);
}

TEST_CASE("space: another parameter leaves the draws of those before it as they were", "[tune]") {
  const Space one = space_of(R"({"a": {"range": [0, 1]}, "b": {"range": [0, 1]}})");
  const Space two = space_of(R"({"a": {"range": [0, 1]}, "b": {"range": [0, 1]},
                                 "c": {"choices": [1, 2]}})");
  Draws first(5, 9), second(5, 9);
  const json point = one.draw(first), other = two.draw(second);
  CHECK(point["a"] == other["a"]);
  CHECK(point["b"] == other["b"]);
}

TEST_CASE("space: a grid has every point once, the last parameter changing fastest", "[tune]") {
  const Space space = space_of(R"({"a": {"choices": ["x", "y"]}, "b": {"integers": [1, 3]},
      "c": {"range": [0.01, 1], "log": true, "points": 3, "when": {"a": "y"}}})");
  const auto grid = space.grid(100);
  REQUIRE(grid);
  REQUIRE(grid->size() == 3 + 9);
  CHECK((*grid)[0].dump() == R"({"a":"x","b":1})");
  CHECK((*grid)[1].dump() == R"({"a":"x","b":2})");
  CHECK((*grid)[3].dump() == R"({"a":"y","b":1,"c":0.01})");
  CHECK((*grid)[4].dump() == R"({"a":"y","b":1,"c":0.1})");
  CHECK((*grid)[11].dump() == R"({"a":"y","b":3,"c":1.0})");
  std::set<std::string> names;
  for (const json& point : *grid) names.insert(point.dump());
  CHECK(names.size() == grid->size());
}

TEST_CASE("space: a grid that is too large or has no end is refused", "[tune]") {
  CHECK_THAT(space_of(R"({"a": {"range": [0, 1]}})").grid(10).error().message,
             Catch::Matchers::Contains("how many values"));
  const Space wide = space_of(R"({"a": {"integers": [1, 1000000000000]}, "b": {"choices": [1, 2]}})");
  CHECK_THAT(wide.grid(1000).error().message, Catch::Matchers::Contains("more than 1000 points"));
  const Space deep = space_of(R"({"a": {"integers": [1, 40]}, "b": {"integers": [1, 40]}})");
  CHECK_THAT(deep.grid(1000).error().message, Catch::Matchers::Contains("more than 1000 points"));
  CHECK(deep.grid(1600)->size() == 1600);
  CHECK(space_of(R"({"a": {"integers": [1, 4], "log": true, "points": 9}})").grid(9)->size() == 4);
}

TEST_CASE("draws: a place in the sequence decides, not what was drawn before", "[tune]") {
  Draws one(1, 5), other(1, 5), next(1, 6), seed(2, 5);
  const double value = one.share();
  CHECK(value == other.share());
  CHECK(value != next.share());
  CHECK(value != seed.share());
  double sum = 0, squares = 0;
  for (int i = 0; i < 20000; ++i) {
    const double normal = one.normal();
    sum += normal;
    squares += normal * normal;
  }
  CHECK(std::abs(sum / 20000) < 0.03);
  CHECK(std::abs(squares / 20000 - 1) < 0.05);
}
