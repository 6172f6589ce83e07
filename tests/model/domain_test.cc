// Value domains of inputs: what lies outside, in words, and what closed inputs refuse.
#include "model/domain.h"

#include <catch2/catch.hpp>
#include <limits>

#include "model/model.h"

using namespace pipelined;
using namespace pipelined::model;

namespace {

std::string said(const InputDomain& domain, ColumnKind kind, const Cell& cell) {
  return outside(domain, kind, cell).value_or("nothing");
}

const InputDomain hour{"hour", false, true, {{0, 23}}, {}};
const InputDomain carrier{"carrier", false, true, {}, {"AA", "B6", "DL", "UA"}};

}  // namespace

TEST_CASE("domains: a number outside of the range is told with its borders", "[model]") {
  CHECK(said(hour, ColumnKind::integer, std::int64_t{0}) == "nothing");
  CHECK(said(hour, ColumnKind::integer, std::int64_t{23}) == "nothing");
  CHECK(said(hour, ColumnKind::integer, std::int64_t{24}) ==
        "must be from 0 to 23, what training saw, not 24");
  CHECK(said(hour, ColumnKind::real, -0.5) == "must be from 0 to 23, what training saw, not -0.5");
}

TEST_CASE("domains: a word that was not seen is told with the first that were", "[model]") {
  CHECK(said(carrier, ColumnKind::text, std::string_view("UA")) == "nothing");
  CHECK(said(carrier, ColumnKind::text, std::string_view("ZZ")) ==
        "must be one of the 4 values that training saw (\"AA\", \"B6\", \"DL\", …), not \"ZZ\"");
}

TEST_CASE("domains: missing values and domains that say nothing are never outside", "[model]") {
  CHECK(said(hour, ColumnKind::integer, std::monostate()) == "nothing");
  CHECK(said(hour, ColumnKind::real, std::numeric_limits<double>::quiet_NaN()) == "nothing");
  CHECK(said(carrier, ColumnKind::text, std::monostate()) == "nothing");
  CHECK(said({"hour"}, ColumnKind::integer, std::int64_t{99}) == "nothing");
  CHECK(said({"carrier"}, ColumnKind::text, std::string_view("ZZ")) == "nothing");
}

TEST_CASE("domains: dates and times are written as people do", "[model]") {
  CHECK(domain_text(ColumnKind::date, 19'675) == "2023-11-14");
  CHECK(domain_text(ColumnKind::time, 1'700'000'000e6) == "2023-11-14T22:13:20");
  CHECK(domain_text(ColumnKind::date, -1) == "1969-12-31");
  CHECK(domain_text(ColumnKind::real, 0.1) == "0.1");
}

TEST_CASE("domains: only closed inputs refuse, and name themselves", "[model]") {
  const std::vector<ColumnInput> inputs{{"hour", ColumnKind::integer}, {"carrier", ColumnKind::text}};
  const std::vector<Cell> strange{std::int64_t{25}, std::string_view("ZZ")};
  std::vector<InputDomain> domains{hour, carrier};
  const auto first = admit(domains, inputs, strange);
  REQUIRE_FALSE(first);
  CHECK(first.error().message ==
        "input \"hour\" must be from 0 to 23, what training saw, not 25");
  domains[0].closed = false;
  const auto second = admit(domains, inputs, strange);
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error().message, Catch::StartsWith("input \"carrier\" must be one of"));
  domains[1].closed = false;
  CHECK(admit(domains, inputs, strange));
}

TEST_CASE("domains: model.json keeps them, and reads them sorted", "[model]") {
  ModelFile file;
  file.signature.features = {{"hour", FeatureType::integer, {}}, {"wind", FeatureType::real, {}}};
  file.signature.label = {"late", FeatureType::boolean, {}};
  file.trees_file = "trees.ubj";
  file.domains = {hour, {"wind", true, false, {{-1.5, 40.25}}, {}}};
  const auto text = model_json(file, "{}");
  REQUIRE(text);
  const auto again = parse_model_json(*text);
  REQUIRE(again);
  CHECK(again->domains == file.domains);
}
