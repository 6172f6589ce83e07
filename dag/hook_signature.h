// The signature of a webhook's call, as the Standard Webhooks specification makes it.
//
// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` under a shared secret.  The same text
// is made for what is sent and judged for what comes in.  Knows no HTTP and no clock.  Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dag/digest.h"

namespace pipelined {

/// HMAC-SHA256 (RFC 2104).
Digest hmac_sha256(std::string_view secret, std::string_view text);

/// "v1,…" over the id, the time in seconds and the body.
std::string hook_signature(std::string_view secret, std::string_view id,
                           std::int64_t timestamp_seconds, std::string_view body);

/// A call may be so much older or younger than now.
inline constexpr std::int64_t hook_tolerance_seconds = 300;

/// What a call says about itself.
struct HookCall {
  std::string_view id, timestamp;  ///< timestamp: seconds since 1970 in digits
  std::string_view signatures;     ///< one or more, with blanks between
  std::string_view body;
};

/// Whether one of its signatures is right and its time within the tolerance.  Compares without
/// leaving early.
bool is_signed(std::string_view secret, const HookCall& call, std::int64_t now_seconds);

/// Whether two texts are equal, in a time that depends on neither.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace pipelined
