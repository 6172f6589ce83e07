#include "plugins/common/protobuf_wire.h"

#include <bit>
#include <cstring>

namespace pipelined {
namespace {

static_assert(std::endian::native == std::endian::little, "fixed fields are little-endian");

constexpr int varint_type = 0, fixed64_type = 1, bytes_type = 2, fixed32_type = 5;

}  // namespace

void ProtoWriter::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
  bytes_.push_back(static_cast<char>(value));
}

void ProtoWriter::key(int field, int wire_type) {
  varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire_type));
}

void ProtoWriter::fixed(const void* value, std::size_t size) {
  bytes_.append(static_cast<const char*>(value), size);
}

void ProtoWriter::whole(int field, std::uint64_t value) {
  if (value == 0) return;
  key(field, varint_type);
  varint(value);
}

void ProtoWriter::number(int field, double value) {
  if (std::bit_cast<std::uint64_t>(value) == 0) return;
  key(field, fixed64_type);
  fixed(&value, sizeof value);
}

void ProtoWriter::single(int field, float value) {
  if (std::bit_cast<std::uint32_t>(value) == 0) return;
  key(field, fixed32_type);
  fixed(&value, sizeof value);
}

void ProtoWriter::text(int field, std::string_view value) {
  if (value.empty()) return;
  key(field, bytes_type);
  varint(value.size());
  bytes_.append(value);
}

void ProtoWriter::message(int field, const ProtoWriter& value) {
  key(field, bytes_type);
  varint(value.bytes_.size());
  bytes_.append(value.bytes_);
}

std::int64_t ProtoField::count() const {
  if (wire_type != varint_type) {
    throw std::invalid_argument("field " + std::to_string(number) + " is no whole number");
  }
  if (bits > static_cast<std::uint64_t>(INT64_MAX)) {
    throw std::invalid_argument("field " + std::to_string(number) + " is " + std::to_string(bits) +
                                ", more than any count");
  }
  return static_cast<std::int64_t>(bits);
}

double ProtoField::number_value() const {
  if (wire_type == fixed64_type) return std::bit_cast<double>(bits);
  if (wire_type == fixed32_type) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  throw std::invalid_argument("field " + std::to_string(number) + " is no number");
}

std::string_view ProtoField::text() const {
  if (wire_type == bytes_type) return bytes;
  throw std::invalid_argument("field " + std::to_string(number) + " is neither a text nor a message");
}

std::uint64_t ProtoReader::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) throw std::invalid_argument("it ends in the middle of a number");
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw std::invalid_argument("a number has more than ten bytes");
}

std::string_view ProtoReader::take(std::uint64_t size) {
  if (size > rest_.size()) {
    throw std::invalid_argument("a field of " + std::to_string(size) + " bytes has only " +
                                std::to_string(rest_.size()));
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

bool ProtoReader::next(ProtoField& field) {
  if (rest_.empty()) return false;
  const std::uint64_t key = varint();
  const std::uint64_t number = key >> 3;
  if (number == 0 || number > 0x1fffffff) throw std::invalid_argument("a field has no valid number");
  field = {static_cast<int>(number), static_cast<int>(key & 7), 0, {}};
  switch (field.wire_type) {
    case varint_type: field.bits = varint(); return true;
    case fixed64_type: std::memcpy(&field.bits, take(8).data(), 8); return true;
    case fixed32_type: std::memcpy(&field.bits, take(4).data(), 4); return true;
    case bytes_type: field.bytes = take(varint()); return true;
    default:
      throw std::invalid_argument("a field is written as type " + std::to_string(field.wire_type) +
                                  ", which proto3 does not have");
  }
}

}  // namespace pipelined
