// A place that alerts are sent to, as the configuration describes it.
//
// Plain data; what a kind of sink does with it is sinks.h.  The password and the signing key are
// named, never here.  Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/store/store.h"

namespace pipelined {

/// One `[[sink]]`.
struct Sink : AlertSink {
  std::string secret;               ///< webhook: the secret that signs; smtp: the password
  bool allow_private = false;       ///< a name may lead to this machine or a private network
  std::string from, user;           ///< smtp
  std::vector<std::string> to;      ///< smtp: addresses
  std::vector<std::string> argv;    ///< command: an absolute path and its words
  std::int64_t timeout_ms = 10'000;
};

}  // namespace pipelined
