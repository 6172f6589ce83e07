// SHA-256 digests: the names of artifacts and keys.
//
// A `Digest` is a plain 32-byte value; `Sha256` computes one piece by piece.  Nothing here opens a
// file: whoever has the bytes feeds them in.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pipelined {

/// A SHA-256 value.  All zero means "none".
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  auto operator<=>(const Digest&) const = default;
  /// Whether it names anything at all.
  explicit operator bool() const { return *this != Digest{}; }
  /// 64 lower-case hexadecimal digits.
  std::string hex() const;
  /// The first 12 digits, for people.
  std::string brief() const { return hex().substr(0, 12); }
};

/// Reads 64 lower-case hexadecimal digits; nothing otherwise.
std::optional<Digest> parse_digest(std::string_view hex);

/// SHA-256 over pieces.  Not copyable; one thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(const void* data, std::size_t size);
  void update(std::string_view text) { update(text.data(), text.size()); }
  /// The digest of all that was fed in.  REQUIRES: called once.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The digest of one piece of text.
Digest sha256(std::string_view text);

}  // namespace pipelined

template <>
struct std::hash<pipelined::Digest> {
  std::size_t operator()(const pipelined::Digest& digest) const noexcept {
    std::size_t value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8 | digest.bytes[i];
    return value;
  }
};
