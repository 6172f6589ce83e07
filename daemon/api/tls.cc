#include "daemon/api/tls.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>

namespace pipelined::api {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using Local = net::local::stream_protocol;
using Encrypted = net::ssl::stream<net::ip::tcp::socket>;

constexpr auto token = net::as_tuple(net::use_awaitable);

/// Both ends of one connection; closed together.
struct Bridge {
  Bridge(net::ip::tcp::socket socket, net::ssl::context& context, net::io_context& loop)
      : far(std::move(socket), context), near(loop) {}

  void close() {
    error_code ignored;
    far.lowest_layer().close(ignored);
    near.close(ignored);
  }

  Encrypted far;
  Local::socket near;
};

template <class From, class To>
net::awaitable<void> pump(std::shared_ptr<Bridge> bridge, From& from, To& to) {
  std::array<char, 16384> piece{};
  for (;;) {
    const auto [read_error, got] = co_await from.async_read_some(net::buffer(piece), token);
    if (read_error) break;
    const auto [write_error, put] = co_await net::async_write(to, net::buffer(piece.data(), got),
                                                              token);
    if (write_error) break;
  }
  bridge->close();
}

/// From the server to the far side; at the end the far side is told, so that it sees no cut.
net::awaitable<void> pump_out(std::shared_ptr<Bridge> bridge) {
  std::array<char, 16384> piece{};
  for (;;) {
    const auto [read_error, got] = co_await bridge->near.async_read_some(net::buffer(piece), token);
    if (read_error) break;
    const auto [write_error, put] =
        co_await net::async_write(bridge->far, net::buffer(piece.data(), got), token);
    if (write_error) break;
  }
  co_await bridge->far.async_shutdown(token);
  bridge->close();
}

}  // namespace

struct TlsContext::State {
  net::ssl::context context{net::ssl::context::tls_server};
};

TlsContext::TlsContext(std::unique_ptr<State> state) : state_(std::move(state)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<TlsContext>> TlsContext::read(const std::string& certificate,
                                                     const std::string& key) {
  auto state = std::make_unique<State>();
  error_code error;
  state->context.set_options(net::ssl::context::default_workarounds | net::ssl::context::no_sslv2 |
                             net::ssl::context::no_sslv3 | net::ssl::context::no_tlsv1 |
                             net::ssl::context::no_tlsv1_1);
  state->context.use_certificate_chain_file(certificate, error);
  if (error) {
    return Error{ErrorCode::io, "cannot use the certificate " + certificate + ": " + error.message()};
  }
  state->context.use_private_key_file(key, net::ssl::context::pem, error);
  if (error) return Error{ErrorCode::io, "cannot use the key " + key + ": " + error.message()};
  return std::shared_ptr<TlsContext>(new TlsContext(std::move(state)));
}

net::awaitable<void> serve_tls(std::shared_ptr<Shared> shared, std::shared_ptr<TlsContext> context,
                               net::ip::tcp::socket socket, Entrance entrance) {
  auto bridge =
      std::make_shared<Bridge>(std::move(socket), context->state().context, shared->loop);
  if (shared->open.size() >= shared->options.connections_max) co_return;
  const std::uint64_t id = ++shared->last_connection;
  shared->open[id] = [bridge] { bridge->close(); };
  net::steady_timer patience(shared->loop,
                             std::chrono::milliseconds(shared->options.header_timeout_ms));
  patience.async_wait([bridge](const error_code& error) {
    if (!error) bridge->close();
  });
  const auto [failed] = co_await bridge->far.async_handshake(net::ssl::stream_base::server, token);
  patience.cancel();
  shared->open.erase(id);
  if (failed || shared->stopped) co_return;
  Local::socket served(shared->loop);
  error_code error;
  net::local::connect_pair(bridge->near, served, error);
  if (error) co_return;
  net::generic::stream_protocol::socket any(std::move(served));
  net::co_spawn(shared->loop, serve(shared, Stream(std::move(any)), std::move(entrance)),
                net::detached);
  net::co_spawn(shared->loop, pump_out(bridge), net::detached);
  co_await pump(bridge, bridge->far, bridge->near);
}

}  // namespace pipelined::api
