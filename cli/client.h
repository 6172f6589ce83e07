// A blocking HTTP client for the daemon: over its Unix socket, or a URL with a token.
//
// One connection, kept for further requests; made anew when the daemon closed it in between.  It
// knows HTTP and the shape of failures, nothing of what is asked.  The HTTP library stays inside
// client.cc.  One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "dag/result.h"

namespace pipelined::cli {

/// Where the daemon is.
struct Address {
  std::string socket;        ///< path; empty: `host` and `port`
  std::string host;
  std::uint16_t port = 0;
  bool tls = false;          ///< of host and port
  std::string authority;     ///< PEM file of certificates to trust beside the system's; empty: none
  std::string token;
  std::string problem;       ///< why it could not be found out; empty: fine
};

/// Folders in which a daemon without configuration puts its socket.
struct StandardPlaces {
  std::string runtime_dir, state_home, home;
};

/// The daemon's address: the URL or the socket that was named, else the first that exists of the
/// user's own places, else the system's.
Address find_address(const std::string& socket, const std::string& url, const std::string& token,
                     const StandardPlaces& places);

class Client {
 public:
  explicit Client(Address address);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// The reply's body if the status is 200.  Else the daemon's own error; `unavailable` when it
  /// cannot be reached, `denied` for 401 and 403.
  Result<std::string> ask(const std::string& method, const std::string& target,
                          const std::string& body = {});
  /// Hands the body over piece by piece as it comes; `take` returns false to stop.
  Result<void> stream(const std::string& target,
                      const std::function<bool(std::string_view piece)>& take);

  const Address& address() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pipelined::cli
