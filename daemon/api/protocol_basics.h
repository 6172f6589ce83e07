// What all parts of the protocol are made of: times, reasons, and text that travels.  See protocol.h.
//
// Knows nothing of HTTP, sockets or the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/records.h"
#include "dag/value.h"

namespace pipelined::protocol {

/// The version of the protocol that this source speaks.
inline constexpr std::int64_t version = 1;

/// A moment in milliseconds since 1970 UTC; 0: never.
struct Time {
  TimeMs ms = 0;
  bool operator==(const Time&) const = default;
};
/// "2026-01-31T08:15:00.250Z"; empty for 0.
std::string iso_time(TimeMs ms);
/// The reverse; nothing if it is no such text.
std::optional<TimeMs> parse_iso_time(std::string_view text);

/// Standard base64 with padding, for files that are no text.
std::string base64_encode(std::string_view bytes);
/// The reverse; nothing if it is no such text.
std::optional<std::string> base64_decode(std::string_view text);
/// Escapes all but letters, digits and `-._~` for a request target.
std::string percent_encode(std::string_view text);
/// Whether the text is valid UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

struct Why {
  std::string code, sentence;
  std::vector<ReasonDetail> details;
};

}  // namespace pipelined::protocol
