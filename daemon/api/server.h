// The HTTP server: a Unix socket, and a loopback port if one is configured.
//
// Accepts connections, finds out who asks, keeps the limits and hands requests to the routes'
// handlers.  Knows nothing of pipelines or runs.  Everything runs on the loop's thread; nothing
// blocks it.  Destroy the server before the backend; what is still being answered is cut off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "daemon/api/access.h"
#include "daemon/api/backend.h"
#include "dag/result.h"

namespace boost::asio {
class io_context;
}

namespace pipelined::api {

/// Where it listens, who may come, and what a caller may cost.
struct ServerOptions {
  std::string socket_path;               ///< empty: no Unix socket
  std::vector<std::uint32_t> groups;     ///< besides root and our own user; the first owns the socket
  std::string listen_address;            ///< a loopback address; empty: no port
  std::uint16_t listen_port = 0;         ///< 0: any free one, see `port`
  std::vector<Token> tokens;             ///< needed for a port
  std::size_t connections_max = 256;
  std::int64_t header_timeout_ms = 10'000, body_timeout_ms = 30'000, write_timeout_ms = 60'000;
  std::int64_t idle_timeout_ms = 60'000, heartbeat_ms = 15'000;
};

class Server {
 public:
  /// Listens.  Errors: `denied` for an address that is not loopback or a port without a token,
  /// `conflict` when somebody answers on the socket already, `io` otherwise.
  static Result<std::unique_ptr<Server>> start(boost::asio::io_context& loop, Backend& backend,
                                               ServerOptions options);
  /// Closes everything and removes the socket file.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The port that it listens on; 0: none.
  std::uint16_t port() const;
  /// Connections that are open now.
  std::size_t connections() const;

 private:
  struct State;
  explicit Server(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace pipelined::api
