// Messages of protocol buffers byte by byte: fields written by number, and read in the order in which they stand.
//
// Source: https://protobuf.dev/programming-guides/encoding.  Knows no message's meaning; groups, which proto3
// does not have, are errors.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pipelined {

/// One message while it is written.  As in proto3, numbers that are 0 and empty texts are left out.
class ProtoWriter {
 public:
  void whole(int field, std::uint64_t value);
  void number(int field, double value);
  void single(int field, float value);
  void text(int field, std::string_view value);
  /// Also where it is empty: what is one of several fields is there even with nothing in it.
  void message(int field, const ProtoWriter& value);
  const std::string& bytes() const { return bytes_; }

 private:
  void key(int field, int wire_type);
  void varint(std::uint64_t value);
  void fixed(const void* value, std::size_t size);
  std::string bytes_;
};

/// A field as it stands in a message.
struct ProtoField {
  int number = 0;
  int wire_type = 0;
  std::uint64_t bits = 0;   ///< of numbers
  std::string_view bytes;   ///< of texts and messages

  /// What the field holds.  Each throws std::invalid_argument if it was written as something else; a count also
  /// if it has no place in 63 bits.
  std::int64_t count() const;
  double number_value() const;  ///< a double or a float
  std::string_view text() const;
};

/// The fields of one message.  REQUIRES: the bytes outlive it.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes) : rest_(bytes) {}
  /// False at the end.  Throws std::invalid_argument where the bytes are no message.
  bool next(ProtoField& field);

 private:
  std::uint64_t varint();
  std::string_view take(std::uint64_t size);
  std::string_view rest_;
};

}  // namespace pipelined
