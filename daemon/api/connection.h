// One connection: reads requests, keeps the limits, writes answers.  Private to the server.
//
// A coroutine a connection on the loop's thread.  After every wait it looks whether the server is
// still there (`Shared::stopped`) before it touches the backend.  Includes the HTTP library, so no
// header outside server.cc and connection.cc may include this one.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "daemon/api/routes.h"
#include "daemon/api/server.h"

namespace pipelined::api {

/// A socket of either kind with timeouts.
using Stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;

/// What all connections of a server share.
struct Shared {
  Shared(boost::asio::io_context& loop_in, Backend& backend_in, ServerOptions options_in)
      : loop(loop_in),
        backend(backend_in),
        options(std::move(options_in)),
        table(make_routes()),
        tokens(options.tokens) {}

  TimeMs wall_ms() const { return options.wall_ms ? options.wall_ms() : 0; }

  boost::asio::io_context& loop;
  Backend& backend;                ///< not to be touched once `stopped`
  ServerOptions options;
  std::vector<Route> table;
  TokenBook tokens;
  bool stopped = false;
  std::uint16_t port = 0;
  std::uint64_t last_connection = 0;
  std::map<std::uint64_t, std::function<void()>> open;   ///< how to close each
};

/// Where a connection came in.
struct Entrance {
  bool over_tcp = false;
  Caller caller;                   ///< of a Unix socket's peer; over TCP each request says
};

/// Serves until the peer leaves, a limit is broken or the server stops.
boost::asio::awaitable<void> serve(std::shared_ptr<Shared> shared, Stream stream,
                                   Entrance entrance);

}  // namespace pipelined::api
