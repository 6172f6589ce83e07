// TLS in front of a connection: the far side speaks it, the server behind it sees plain bytes.
//
// After the handshake the bytes are handed through a pair of sockets, whose other end is served like
// any connection; so limits, timeouts and access are the same with and without TLS.  Private to the
// server.  Loop thread.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "daemon/api/connection.h"
#include "dag/result.h"

namespace pipelined::api {

/// Certificate and key, read once.
class TlsContext {
 public:
  /// Reads a certificate chain and its key from PEM files.  An error names the file.
  static Result<std::shared_ptr<TlsContext>> read(const std::string& certificate,
                                                  const std::string& key);
  ~TlsContext();

  struct State;
  State& state() { return *state_; }

 private:
  explicit TlsContext(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Shakes hands and serves until either side leaves.
boost::asio::awaitable<void> serve_tls(std::shared_ptr<Shared> shared,
                                       std::shared_ptr<TlsContext> context,
                                       boost::asio::ip::tcp::socket socket, Entrance entrance);

}  // namespace pipelined::api
