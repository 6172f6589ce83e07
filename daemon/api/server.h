// The HTTP server: a Unix socket, and a loopback port if one is configured.
//
// Accepts connections, finds out who asks, keeps the limits and hands requests to the routes'
// handlers.  Knows nothing of pipelines or runs.  Everything runs on the loop's thread; nothing
// blocks it.  Destroy the server before the backend; what is still being answered is cut off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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
  SocketPolicy policy;                   ///< who may use it; `own_uid` is filled in
  std::string listen_address;            ///< empty: no port
  std::uint16_t listen_port = 0;         ///< 0: any free one, see `port`
  std::string tls_certificate, tls_key;  ///< PEM files; both: the port speaks TLS
  std::vector<Token> tokens;             ///< of callers over TCP; see `set_tokens`
  std::vector<std::string> hosts;        ///< more names that a Host header may have, lower case
  std::function<TimeMs()> wall_ms;       ///< the time, for tokens that expire; empty: 0
  std::size_t connections_max = 256;
  std::int64_t header_timeout_ms = 10'000, body_timeout_ms = 30'000, write_timeout_ms = 60'000;
  std::int64_t idle_timeout_ms = 60'000, heartbeat_ms = 15'000;
};

class Server {
 public:
  /// Listens.  Errors: `denied` for an address beyond loopback without TLS and a token,
  /// `conflict` when somebody answers on the socket already, `io` otherwise.
  static Result<std::unique_ptr<Server>> start(boost::asio::io_context& loop, Backend& backend,
                                               ServerOptions options);
  /// Closes everything and removes the socket file.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// From now on these tokens are good, and no other.
  void set_tokens(std::vector<Token> tokens);
  /// From now on these users and groups may use the socket; its file keeps its rights.
  void set_policy(SocketPolicy policy);

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
