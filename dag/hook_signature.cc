#include "dag/hook_signature.h"

#include <charconv>

namespace pipelined {
namespace {

constexpr std::size_t block_bytes = 64;

std::string bytes_of(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.bytes.data()), digest.bytes.size()};
}

std::string base64(std::string_view bytes) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      const bool there = i + j < bytes.size();
      group = group << 8 | (there ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text += i + j <= bytes.size() ? digits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

}  // namespace

Digest hmac_sha256(std::string_view secret, std::string_view text) {
  std::string key = secret.size() > block_bytes ? bytes_of(sha256(secret)) : std::string(secret);
  key.resize(block_bytes, '\0');
  std::string inner = key, outer = key;
  for (char& c : inner) c = static_cast<char>(c ^ 0x36);
  for (char& c : outer) c = static_cast<char>(c ^ 0x5c);
  return sha256(outer + bytes_of(sha256(inner + std::string(text))));
}

std::string hook_signature(std::string_view secret, std::string_view id,
                           std::int64_t timestamp_seconds, std::string_view body) {
  std::string text(id);
  text += "." + std::to_string(timestamp_seconds) + ".";
  text += body;
  return "v1," + base64(bytes_of(hmac_sha256(secret, text)));
}

bool is_signed(std::string_view secret, const HookCall& call, std::int64_t now_seconds) {
  std::int64_t at = 0;
  const char* end = call.timestamp.data() + call.timestamp.size();
  const auto [rest, error] = std::from_chars(call.timestamp.data(), end, at);
  if (error != std::errc() || rest != end || secret.empty()) return false;
  const std::int64_t away = at > now_seconds ? at - now_seconds : now_seconds - at;
  const std::string right = hook_signature(secret, call.id, at, call.body);
  bool found = false;
  for (std::string_view left = call.signatures; !left.empty();) {
    const std::size_t blank = std::min(left.find(' '), left.size());
    if (same_secret(left.substr(0, blank), right)) found = true;
    left.remove_prefix(std::min(blank + 1, left.size()));
  }
  return found && at >= 0 && away <= hook_tolerance_seconds;
}

bool same_secret(std::string_view a, std::string_view b) {
  // Of digests, so that neither length nor beginning shows in the time.
  const Digest left = sha256(a), right = sha256(b);
  unsigned difference = 0;
  for (std::size_t i = 0; i < left.bytes.size(); ++i) {
    difference |= static_cast<unsigned>(left.bytes[i] ^ right.bytes[i]);
  }
  return difference == 0;
}

}  // namespace pipelined
