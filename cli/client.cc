#include "cli/client.h"

#include <unistd.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <optional>

#include "daemon/api/protocol.h"

namespace pipelined::cli {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;
using Socket = net::generic::stream_protocol::socket;
using Parser = http::response_parser<http::buffer_body>;

using Encrypted = net::ssl::stream<Socket>;

/// A connection of either kind, as the HTTP library wants to read and write it.
class Wire {
 public:
  using executor_type = Socket::executor_type;

  explicit Wire(Socket socket) : plain_(std::move(socket)) {}
  Wire(Socket socket, net::ssl::context& context)
      : encrypted_(std::make_unique<Encrypted>(std::move(socket), context)) {}

  executor_type get_executor() {
    return encrypted_ ? encrypted_->get_executor() : plain_->get_executor();
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, error_code& error) {
    return encrypted_ ? encrypted_->read_some(buffers, error) : plain_->read_some(buffers, error);
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    return encrypted_ ? encrypted_->read_some(buffers) : plain_->read_some(buffers);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, error_code& error) {
    return encrypted_ ? encrypted_->write_some(buffers, error) : plain_->write_some(buffers, error);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    return encrypted_ ? encrypted_->write_some(buffers) : plain_->write_some(buffers);
  }
  Encrypted* encrypted() { return encrypted_.get(); }

 private:
  std::optional<Socket> plain_;
  std::unique_ptr<Encrypted> encrypted_;
};

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

ErrorCode code_of(unsigned status, const std::string& word) {
  if (status == 401 || status == 403) return ErrorCode::denied;
  for (const ErrorCode code :
       {ErrorCode::invalid, ErrorCode::not_found, ErrorCode::conflict, ErrorCode::corrupt,
        ErrorCode::io, ErrorCode::exhausted, ErrorCode::unavailable, ErrorCode::denied,
        ErrorCode::cancelled, ErrorCode::unsupported}) {
    if (word == name_of(code)) return code;
  }
  return status == 404 ? ErrorCode::not_found
         : status < 500 ? ErrorCode::invalid
                        : ErrorCode::internal;
}

Error failure_of(unsigned status, const std::string& body) {
  const auto reply = protocol::from_json<protocol::FailureReply>(body);
  if (!reply || reply->error.message.empty()) {
    return {code_of(status, ""), "the daemon answered " + std::to_string(status)};
  }
  return {code_of(status, reply->error.code), reply->error.message};
}

}  // namespace

Address find_address(const std::string& socket, const std::string& url, const std::string& token,
                     const StandardPlaces& places) {
  Address address;
  address.token = token;
  if (!url.empty()) {
    address.tls = url.rfind("https://", 0) == 0;
    const std::string_view scheme = address.tls ? "https://" : "http://";
    const std::string rest = url.substr(0, scheme.size()) == scheme ? url.substr(scheme.size()) : "";
    const std::string authority = rest.substr(0, rest.find('/'));
    const std::size_t colon = authority.rfind(':');
    const std::string port = colon == authority.npos ? "" : authority.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
    if (port.empty() || error != std::errc() || end != port.data() + port.size()) {
      address.problem = "'" + url + "' is no address of a daemon; it looks like http://127.0.0.1:8080";
    }
    address.host = authority.substr(0, colon);
    return address;
  }
  if (!socket.empty()) {
    address.socket = socket;
    return address;
  }
  const std::string state_home =
      !places.state_home.empty() ? places.state_home
      : places.home.empty()      ? std::string()
                                 : places.home + "/.local/state";
  if (!places.runtime_dir.empty() && exists(places.runtime_dir + "/pipelined.sock")) {
    address.socket = places.runtime_dir + "/pipelined.sock";
  } else if (!state_home.empty() && exists(state_home + "/pipelined/pipelined.sock")) {
    address.socket = state_home + "/pipelined/pipelined.sock";
  } else {
    address.socket = "/run/pipelined/pipelined.sock";
  }
  return address;
}

struct Client::State {
  explicit State(Address where) : address(std::move(where)) {}

  Address address;
  net::io_context loop{1};
  net::ssl::context context{net::ssl::context::tls_client};
  std::optional<Wire> socket;
  beast::flat_buffer buffer;

  Result<void> connect();
  Result<void> encrypt(net::ip::tcp::socket tcp, const std::string& where);
  Result<void> send(const std::string& method, const std::string& target, const std::string& body,
                    Parser& parser);
  Result<void> begin(const std::string& method, const std::string& target, const std::string& body,
                     std::optional<Parser>& parser);
  Result<std::size_t> read_piece(Parser& parser, char* piece, std::size_t size);
  Result<std::string> read_all(Parser& parser);
  Error lost(const error_code& error);
};

Error Client::State::lost(const error_code& error) {
  socket.reset();
  buffer.clear();
  return {ErrorCode::unavailable, "the daemon broke off: " + error.message()};
}

/// The certificate must be good for the host's name or address, whoever answers there.
Result<void> Client::State::encrypt(net::ip::tcp::socket tcp, const std::string& where) {
  error_code error;
  context.set_default_verify_paths(error);
  if (!address.authority.empty()) context.load_verify_file(address.authority, error);
  if (error) {
    return Error{ErrorCode::invalid, "cannot read the certificates in " + address.authority + ": " +
                                         error.message()};
  }
  context.set_verify_mode(net::ssl::verify_peer);
  context.set_verify_callback(net::ssl::host_name_verification(address.host));
  Wire wire(std::move(tcp), context);
  SSL_set_tlsext_host_name(wire.encrypted()->native_handle(), address.host.c_str());
  wire.encrypted()->handshake(net::ssl::stream_base::client, error);
  if (error) {
    return Error{ErrorCode::unavailable, "no trusted TLS with " + where + " (" + error.message() +
                                             "); PIPELINED_CA names a file with its certificate"};
  }
  socket.emplace(std::move(wire));
  return {};
}

Result<void> Client::State::connect() {
  if (!address.problem.empty()) return Error{ErrorCode::invalid, address.problem};
  error_code error;
  std::string where = address.socket;
  if (where.empty()) {
    where = address.host + ":" + std::to_string(address.port);
    net::ip::tcp::socket tcp(loop);
    net::ip::tcp::resolver resolver(loop);
    const auto found = resolver.resolve(address.host, std::to_string(address.port), error);
    if (!error) net::connect(tcp, found, error);
    if (!error && address.tls) {
      TRY_VOID(encrypt(std::move(tcp), where));
    } else if (!error) {
      socket.emplace(std::move(tcp));
    }
  } else {
    net::local::stream_protocol::socket local(loop);
    if (where.size() >= 108) {
      error = net::error::name_too_long;
    } else {
      local.connect(net::local::stream_protocol::endpoint(where), error);
    }
    if (!error) socket.emplace(std::move(local));
  }
  if (!error) return {};
  if (error == net::error::access_denied) {
    return Error{ErrorCode::denied, "you may not use the daemon's socket " + where +
                                        "; its group's members may"};
  }
  return Error{ErrorCode::unavailable, "no daemon answers on " + where + " (" + error.message() +
                                           "); start `pipelined`, or name its socket with --socket"};
}

Result<void> Client::State::send(const std::string& method, const std::string& target,
                                 const std::string& body, Parser& parser) {
  if (!socket) TRY_VOID(connect());
  http::request<http::string_body> request;
  request.method_string(method);
  request.target(target);
  request.version(11);
  request.set(http::field::host, address.socket.empty()
                                     ? address.host + ":" + std::to_string(address.port)
                                     : "localhost");
  if (!address.token.empty()) {
    request.set(http::field::authorization, "Bearer " + address.token);
  }
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();
  error_code error;
  http::write(*socket, request, error);
  // A refusal may come before all of the request was taken: it is looked for in any case.
  error_code read_error;
  http::read_header(*socket, buffer, parser, read_error);
  if (read_error) return lost(error ? error : read_error);
  return {};
}

Result<void> Client::State::begin(const std::string& method, const std::string& target,
                                  const std::string& body, std::optional<Parser>& parser) {
  const bool reused = socket.has_value();
  for (int round = 0;; ++round) {
    parser.emplace();
    parser->header_limit(1 << 16);
    parser->body_limit(boost::none);
    const Result<void> sent = send(method, target, body, *parser);
    if (sent) return sent;
    // Only a connection that had been idle can have been closed before the request reached anyone.
    const bool again = reused && round == 0 && method == "GET" &&
                       sent.error().code == ErrorCode::unavailable;
    if (!again) return sent;
  }
}

Result<std::size_t> Client::State::read_piece(Parser& parser, char* piece, std::size_t size) {
  parser.get().body().data = piece;
  parser.get().body().size = size;
  error_code error;
  // One piece that has come is handed on at once: a log that grows must not wait for a full buffer.
  http::read_some(*socket, buffer, parser, error);
  if (error == http::error::need_buffer) error = {};
  if (error) return lost(error);
  return size - parser.get().body().size;
}

Result<std::string> Client::State::read_all(Parser& parser) {
  std::string text;
  std::array<char, 16384> piece{};
  while (!parser.is_done()) {
    TRY(got, read_piece(parser, piece.data(), piece.size()));
    text.append(piece.data(), got);
  }
  if (!parser.get().keep_alive()) socket.reset();
  return text;
}

Client::Client(Address address) : state_(std::make_unique<State>(std::move(address))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

const Address& Client::address() const { return state_->address; }

Result<std::string> Client::ask(const std::string& method, const std::string& target,
                                const std::string& body) {
  std::optional<Parser> parser;
  TRY_VOID(state_->begin(method, target, body, parser));
  TRY(text, state_->read_all(*parser));
  const unsigned status = parser->get().result_int();
  if (status != 200) return failure_of(status, text);
  return text;
}

Result<void> Client::stream(const std::string& target,
                            const std::function<bool(std::string_view piece)>& take) {
  std::optional<Parser> parser;
  TRY_VOID(state_->begin("GET", target, {}, parser));
  const unsigned status = parser->get().result_int();
  if (status != 200) {
    TRY(text, state_->read_all(*parser));
    return failure_of(status, text);
  }
  std::array<char, 65536> piece{};
  while (!parser->is_done()) {
    TRY(got, state_->read_piece(*parser, piece.data(), piece.size()));
    if (got > 0 && !take({piece.data(), got})) {
      state_->socket.reset();
      state_->buffer.clear();
      return {};
    }
  }
  if (!parser->get().keep_alive()) state_->socket.reset();
  return {};
}

}  // namespace pipelined::cli
