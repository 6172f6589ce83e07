// Bytes of a statistics.state: fixed-width little-endian numbers and texts with their length before them.
//
// The reader never reads beyond its bytes: what is not there is zero, and `good` says so at the end.
// Knows nothing of statistics.  One thread each.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace pipelined {

static_assert(std::endian::native == std::endian::little, "a state is written as memory holds it");

class StateWriter {
 public:
  template <class Number>
  void number(Number value) {
    static_assert(std::is_arithmetic_v<Number>);
    array(&value, 1);
  }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes_.append(value);
  }
  template <class Number>
  void array(const Number* values, std::size_t count) {
    bytes_.append(reinterpret_cast<const char*>(values), count * sizeof(Number));
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class StateReader {
 public:
  explicit StateReader(std::string_view bytes) : bytes_(bytes) {}

  template <class Number>
  Number number() {
    static_assert(std::is_arithmetic_v<Number>);
    Number value{};
    const std::string_view piece = take(sizeof value);
    if (!piece.empty()) std::memcpy(&value, piece.data(), sizeof value);
    return value;
  }
  std::string_view text() { return take(number<std::uint32_t>()); }
  /// How many elements follow, each at least so many bytes; a count that cannot be is no count.
  std::size_t count(std::size_t bytes_each) {
    const std::uint64_t value = number<std::uint64_t>();
    if (value <= bytes_.size() / bytes_each) return value;
    good_ = false;
    return 0;
  }
  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) {
      good_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view piece = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return piece;
  }
  /// Whether nothing was missing so far.
  bool good() const { return good_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool good_ = true;
};

}  // namespace pipelined
