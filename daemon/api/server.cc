#include "daemon/api/server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>

#include "daemon/api/connection.h"
#include "daemon/api/peer.h"
#include "daemon/api/tls.h"

namespace pipelined::api {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using Local = net::local::stream_protocol;
using Tcp = net::ip::tcp;

Error failed(const std::string& what, const error_code& error) {
  return {ErrorCode::io, what + ": " + error.message()};
}

/// Removes a socket that a dead daemon left.  An error if somebody answers or it is no socket.
Result<void> clear_the_way(net::io_context& loop, const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return {};
  if (!S_ISSOCK(facts.st_mode)) {
    return Error{ErrorCode::conflict, "cannot listen on " + path + ": a file that is no socket is "
                                      "there; move it away or name another --socket"};
  }
  Local::socket probe(loop);
  error_code error;
  probe.connect(Local::endpoint(path), error);
  if (!error) {
    return Error{ErrorCode::conflict, "cannot listen on " + path + ": another daemon answers there"};
  }
  if (::unlink(path.c_str()) != 0) {
    return Error{ErrorCode::io, "cannot remove the old socket " + path + ": " +
                                    std::strerror(errno)};
  }
  return {};
}

Result<void> set_rights(const std::string& path, const SocketPolicy& policy) {
  // The kernel can check one group; for more, and for users, SO_PEERCRED and SO_PEERGROUPS decide.
  const bool one_group = policy.users.empty() && policy.groups.size() == 1;
  const gid_t group = one_group ? policy.groups.begin()->first : 0;
  if (one_group && ::chown(path.c_str(), static_cast<uid_t>(-1), group) != 0) {
    return Error{ErrorCode::io, "cannot give the socket " + path + " to group " +
                                    std::to_string(group) + ": " + std::strerror(errno)};
  }
  const bool nobody_else = policy.users.empty() && policy.groups.empty();
  const mode_t mode = nobody_else ? 0600 : one_group ? 0660 : 0666;
  if (::chmod(path.c_str(), mode) != 0) {
    return Error{ErrorCode::io, "cannot set the rights of " + path + ": " + std::strerror(errno)};
  }
  return {};
}

}  // namespace

struct Server::State {
  State(net::io_context& loop, Backend& backend, ServerOptions options)
      : shared(std::make_shared<Shared>(loop, backend, std::move(options))),
        local(loop), tcp(loop) {}

  std::shared_ptr<Shared> shared;
  Local::acceptor local;
  Tcp::acceptor tcp;
  bool bound = false;              ///< the socket's file is ours
  std::shared_ptr<TlsContext> tls; ///< nothing: the port speaks plain HTTP

  Result<void> listen_local();
  Result<void> listen_tcp();
};

namespace {

/// After an error of accept (no descriptors left, for example) it waits before it tries again.
net::awaitable<void> rest(net::io_context& loop) {
  net::steady_timer pause(loop, std::chrono::milliseconds(100));
  co_await pause.async_wait(net::as_tuple(net::use_awaitable));
}

net::awaitable<void> accept_local(std::shared_ptr<Shared> shared, Local::acceptor& acceptor) {
  while (!shared->stopped) {
    auto [error, socket] = co_await acceptor.async_accept(net::as_tuple(net::use_awaitable));
    if (shared->stopped) co_return;
    if (error) {
      co_await rest(shared->loop);
      continue;
    }
    Entrance entrance;
    const Result<Peer> peer = peer_of(socket.native_handle());
    if (!peer) continue;
    entrance.caller = caller_of(*peer, shared->options.policy);
    net::generic::stream_protocol::socket any(std::move(socket));
    net::co_spawn(shared->loop, serve(shared, Stream(std::move(any)), std::move(entrance)),
                  net::detached);
  }
}

net::awaitable<void> accept_tcp(std::shared_ptr<Shared> shared, Tcp::acceptor& acceptor,
                                std::shared_ptr<TlsContext> tls) {
  while (!shared->stopped) {
    auto [error, socket] = co_await acceptor.async_accept(net::as_tuple(net::use_awaitable));
    if (shared->stopped) co_return;
    if (error) {
      co_await rest(shared->loop);
      continue;
    }
    Entrance entrance;
    entrance.over_tcp = true;
    error_code unknown;
    const Tcp::endpoint far = socket.remote_endpoint(unknown);
    entrance.caller.from = far.address().to_string() + ":" + std::to_string(far.port());
    if (tls) {
      net::co_spawn(shared->loop, serve_tls(shared, tls, std::move(socket), std::move(entrance)),
                    net::detached);
      continue;
    }
    net::generic::stream_protocol::socket any(std::move(socket));
    net::co_spawn(shared->loop, serve(shared, Stream(std::move(any)), std::move(entrance)),
                  net::detached);
  }
}

}  // namespace

Result<void> Server::State::listen_local() {
  const std::string& path = shared->options.socket_path;
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{ErrorCode::invalid, "the socket's path " + path + " is longer than the system's " +
                                         std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                         " bytes; name a shorter one with --socket"};
  }
  TRY_VOID(clear_the_way(shared->loop, path));
  error_code error;
  local.open(Local(), error);
  if (error) return failed("cannot open a socket", error);
  // On Linux the file takes its mode from the descriptor: nobody can slip in before chmod.
  ::fchmod(local.native_handle(), 0600);
  local.bind(Local::endpoint(path), error);
  if (error) return failed("cannot listen on " + path, error);
  bound = true;
  TRY_VOID(set_rights(path, shared->options.policy));
  local.listen(net::socket_base::max_listen_connections, error);
  if (error) return failed("cannot listen on " + path, error);
  return {};
}

Result<void> Server::State::listen_tcp() {
  const ServerOptions& options = shared->options;
  error_code error;
  const auto address = net::ip::make_address(options.listen_address, error);
  if (error) {
    return Error{ErrorCode::denied, "will not listen on '" + options.listen_address +
                                        "': it is no address of the form 127.0.0.1 or ::1"};
  }
  if (!options.tls_certificate.empty()) {
    TRY(read, TlsContext::read(options.tls_certificate, options.tls_key));
    tls = std::move(read);
  }
  if (!address.is_loopback() && (!tls || !shared->tokens.has_good(shared->wall_ms()))) {
    return Error{ErrorCode::denied,
                 "will not listen on '" + options.listen_address + "', which other machines reach, "
                 "without TLS and a token: set tls_certificate and tls_key and make a token with "
                 "`pipectl token create`, or listen on 127.0.0.1 and put a reverse proxy with TLS in "
                 "front"};
  }
  const Tcp::endpoint endpoint(address, options.listen_port);
  tcp.open(endpoint.protocol(), error);
  if (!error) tcp.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) tcp.bind(endpoint, error);
  if (!error) tcp.listen(net::socket_base::max_listen_connections, error);
  if (error) {
    return failed("cannot listen on " + options.listen_address + ":" +
                      std::to_string(options.listen_port), error);
  }
  shared->port = tcp.local_endpoint().port();
  return {};
}

Result<std::unique_ptr<Server>> Server::start(net::io_context& loop, Backend& backend,
                                              ServerOptions options) {
  options.policy.own_uid = ::geteuid();
  auto state = std::make_shared<State>(loop, backend, std::move(options));
  std::unique_ptr<Server> server(new Server(state));
  if (!state->shared->options.socket_path.empty()) {
    TRY_VOID(state->listen_local());
    net::co_spawn(loop, accept_local(state->shared, state->local),
                  [state](const std::exception_ptr&) {});
  }
  if (!state->shared->options.listen_address.empty()) {
    TRY_VOID(state->listen_tcp());
    net::co_spawn(loop, accept_tcp(state->shared, state->tcp, state->tls),
                  [state](const std::exception_ptr&) {});
  }
  return server;
}

Server::Server(std::shared_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  Shared& shared = *state_->shared;
  shared.stopped = true;
  error_code ignored;
  if (state_->bound) ::unlink(shared.options.socket_path.c_str());
  state_->local.close(ignored);
  state_->tcp.close(ignored);
  for (const auto& [id, close] : shared.open) close();
}

void Server::set_tokens(std::vector<Token> tokens) {
  state_->shared->tokens = TokenBook(std::move(tokens));
}

void Server::set_policy(SocketPolicy policy) {
  policy.own_uid = ::geteuid();
  state_->shared->options.policy = std::move(policy);
}

std::uint16_t Server::port() const { return state_->shared->port; }
std::size_t Server::connections() const { return state_->shared->open.size(); }

}  // namespace pipelined::api
