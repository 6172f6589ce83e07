// The encoding beside the examples of its specification, and bytes that are no message.
#include "plugins/common/protobuf_wire.h"

#include <catch2/catch.hpp>
#include <limits>

using namespace pipelined;

namespace {

std::string bytes(std::initializer_list<int> list) {
  std::string text;
  for (const int byte : list) text.push_back(static_cast<char>(byte));
  return text;
}

/// All fields of a message, to its end.
std::vector<ProtoField> fields_of(const std::string& message) {
  std::vector<ProtoField> fields;
  ProtoReader reader(message);
  for (ProtoField field; reader.next(field);) fields.push_back(field);
  return fields;
}

}  // namespace

TEST_CASE("protobuf: the examples of the specification", "[protobuf]") {
  ProtoWriter number, text, outer;
  number.whole(1, 150);
  CHECK(number.bytes() == bytes({0x08, 0x96, 0x01}));
  text.text(2, "testing");
  CHECK(text.bytes() == bytes({0x12, 0x07}) + "testing");
  outer.message(3, number);
  CHECK(outer.bytes() == bytes({0x1a, 0x03, 0x08, 0x96, 0x01}));
  const auto inner = fields_of(std::string(fields_of(outer.bytes()).at(0).text()));
  CHECK(inner.at(0).number == 1);
  CHECK(inner.at(0).count() == 150);
}

TEST_CASE("protobuf: numbers come back as they were, and nothing stands for zero", "[protobuf]") {
  ProtoWriter message;
  message.number(1, -0.1);
  message.single(2, 2.5F);
  message.whole(3, INT64_MAX);
  message.number(300, std::numeric_limits<double>::infinity());
  message.number(5, 0), message.whole(6, 0), message.text(7, ""), message.single(8, 0);
  const auto fields = fields_of(message.bytes());
  REQUIRE(fields.size() == 4);
  CHECK(fields[0].number_value() == -0.1);
  CHECK(fields[1].number_value() == 2.5);
  CHECK(fields[2].count() == INT64_MAX);
  CHECK(fields[3].number == 300);
  CHECK(fields[3].number_value() == std::numeric_limits<double>::infinity());
  CHECK_THROWS_WITH(fields[0].count(), "field 1 is no whole number");
  CHECK_THROWS_WITH(fields[2].number_value(), "field 3 is no number");
  CHECK_THROWS_WITH(fields[2].text(), "field 3 is neither a text nor a message");
}

TEST_CASE("protobuf: what is no message says why", "[protobuf]") {
  CHECK_THROWS_WITH(fields_of(bytes({0x08})), "it ends in the middle of a number");
  CHECK_THROWS_WITH(fields_of(bytes({0x12, 0x07, 'a'})), "a field of 7 bytes has only 1");
  CHECK_THROWS_WITH(fields_of(bytes({0x09, 1, 2})), "a field of 8 bytes has only 2");
  CHECK_THROWS_WITH(fields_of(bytes({0x00, 0x00})), "a field has no valid number");
  CHECK_THROWS_WITH(fields_of(bytes({0x0b})), "a field is written as type 3, which proto3 does not have");
  CHECK_THROWS_WITH(fields_of("\x08" + std::string(10, '\xff') + "\x01"), "a number has more than ten bytes");
  const auto huge = fields_of(bytes({0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}));
  CHECK_THROWS_WITH(huge.at(0).count(), "field 1 is 18446744073709551615, more than any count");
}
