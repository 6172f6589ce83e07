// What a cell becomes before a tree sees it.
#include "model/encoding.h"

#include <array>
#include <catch2/catch.hpp>
#include <cmath>

namespace {

using namespace pipelined;
using namespace pipelined::model;

Signature signature() {
  Signature signature;
  signature.features = {{"carrier", FeatureType::text, {"AA", "UA"}},
                        {"distance", FeatureType::integer, {}},
                        {"wind", FeatureType::real, {}},
                        {"holiday", FeatureType::boolean, {}}};
  signature.label = {"late", FeatureType::boolean, {}};
  return signature;
}

Result<std::array<float, 4>> encode(const std::array<Cell, 4>& cells) {
  std::array<float, 4> row{};
  const Encoder encoder(signature());
  TRY_VOID(encoder.encode_row(cells, row));
  return row;
}

}  // namespace

TEST_CASE("encoder: values become numbers, texts their place in the dictionary", "[model]") {
  const auto row = encode({Cell("UA"), Cell(std::int64_t{733}), Cell(10.5), Cell(true)});
  REQUIRE(row);
  CHECK(*row == std::array<float, 4>{1.0F, 733.0F, 10.5F, 1.0F});
}

TEST_CASE("encoder: nothing, not-a-number and an unknown category are missing", "[model]") {
  const auto row = encode({Cell("ZZ"), Cell(), Cell(std::nan("")), Cell()});
  REQUIRE(row);
  for (const float value : *row) CHECK(std::isnan(value));
}

TEST_CASE("encoder: the empty text is a category only if training saw it", "[model]") {
  CHECK(std::isnan(CategoryCodes({"AA"}).code("")));
  CHECK(CategoryCodes({"", "AA"}).code("") == 0.0F);
}

TEST_CASE("encoder: a cell of the wrong kind is an error that names the feature", "[model]") {
  const auto text = encode({Cell("UA"), Cell("far"), Cell(1.0), Cell(true)});
  REQUIRE_FALSE(text);
  CHECK(text.error().code == ErrorCode::invalid);
  CHECK(text.error().message == "feature \"distance\" is of type int and got a text");
  CHECK_FALSE(encode({Cell(std::int64_t{1}), Cell(), Cell(), Cell()}));
  CHECK_FALSE(encode({Cell(), Cell(1.5), Cell(), Cell()}));
  CHECK_FALSE(encode({Cell(), Cell(), Cell(), Cell(std::int64_t{2})}));
  CHECK_FALSE(encode({Cell(), Cell(), Cell(true), Cell()}));
}

TEST_CASE("encoder: whole numbers may be written as decimals and the other way round", "[model]") {
  const auto row = encode({Cell(), Cell(3.0), Cell(std::int64_t{4}), Cell(std::int64_t{1})});
  REQUIRE(row);
  CHECK((*row)[1] == 3.0F);
  CHECK((*row)[2] == 4.0F);
  CHECK((*row)[3] == 1.0F);
}
