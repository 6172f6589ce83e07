#include "daemon/api/connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <deque>

#include "daemon/api/peer.h"
#include "daemon/api/protocol.h"
#include "daemon/api/target.h"
#include "daemon/api/translate.h"

namespace pipelined::api {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using std::chrono::milliseconds;
using HttpRequest = http::request<http::string_body>;
using Parser = http::request_parser<http::string_body>;

constexpr auto token = net::as_tuple(net::use_awaitable);
constexpr std::size_t header_bytes_max = std::size_t{16} << 10;
constexpr std::size_t header_fields_max = 100;
constexpr std::size_t body_bytes_max = std::size_t{8} << 20;
constexpr std::size_t events_waiting_max = 1000;
constexpr milliseconds growing_interval{100};

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// Closes the connection's entry when its coroutine ends, however it ends.
class Entry {
 public:
  Entry(std::shared_ptr<Shared> shared, Stream& stream) : shared_(std::move(shared)) {
    id_ = ++shared_->last_connection;
    shared_->open[id_] = [&stream] {
      beast::error_code ignored;
      stream.socket().close(ignored);
    };
  }
  ~Entry() { shared_->open.erase(id_); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;

 private:
  std::shared_ptr<Shared> shared_;
  std::uint64_t id_ = 0;
};

/// An answer that a handler gives now or later.
struct Pending {
  explicit Pending(net::io_context& loop) : ready(loop, net::steady_timer::time_point::max()) {}
  net::steady_timer ready;
  std::optional<Answer> answer;
};

/// What is known of a request once its header was read: it goes on, or is refused.
struct Admission {
  std::optional<Answer> refusal;
  const Route* route = nullptr;
  Request request;
  OriginPointer denied;            ///< somebody we know wanted more than their role gives
};

Answer refuse_with(unsigned status, const char* code, const std::string& sentence) {
  return error_answer(status, code, sentence);
}

/// The page and the host must be ours; over TCP the token says who asks.  Nothing: all is well.
std::optional<Answer> admit_caller(const Shared& shared, const HttpRequest& header,
                                   const Entrance& entrance, Caller& caller) {
  const Approach approach{entrance.over_tcp, header.count(http::field::host),
                          view(header[http::field::host]), view(header[http::field::origin]),
                          view(header["Sec-Fetch-Site"])};
  if (header.count(http::field::origin) > 1 || header.count(http::field::authorization) > 1) {
    return refuse_with(400, "invalid", "a header field that must stand once stands twice");
  }
  if (auto denial = judge_approach(approach, shared.port, shared.options.hosts)) {
    return refuse_with(denial->status, "denied", denial->sentence);
  }
  if (entrance.over_tcp) {
    caller = shared.tokens.caller_of(view(header[http::field::authorization]), shared.wall_ms());
    caller.from = entrance.caller.from;
  }
  return std::nullopt;
}

/// Limits that concern the header alone.  Nothing when all is well.
std::optional<Answer> admit_shape(const HttpRequest& header) {
  const auto fields = std::distance(header.begin(), header.end());
  if (static_cast<std::size_t>(fields) > header_fields_max) {
    return refuse_with(431, "too_large", "the request has more than 100 header fields");
  }
  const bool chunked = header.count(http::field::transfer_encoding) > 0;
  if (header.count(http::field::content_length) + (chunked ? 1u : 0u) > 1) {
    return refuse_with(400, "invalid", "the request states its length in more than one way");
  }
  if (header.count(http::field::upgrade) > 0) {
    return refuse_with(501, "unsupported", "no upgrade of the protocol is offered");
  }
  return std::nullopt;
}

std::optional<Answer> admit_body(const HttpRequest& header, const Parser& parser,
                                 const Route& route) {
  const auto length = parser.content_length();
  const bool has_body = parser.chunked() || (length && *length > 0);
  if (length && *length > route.body_max) {
    return refuse_with(413, "too_large", "the body has more than " +
                                             std::to_string(route.body_max) + " bytes");
  }
  const std::string_view type = view(header[http::field::content_type]);
  if (has_body && type.substr(0, type.find(';')) != "application/json") {
    return refuse_with(415, "invalid", "the body must be application/json");
  }
  return std::nullopt;
}

/// Whether asking for this route belongs into the audit log: it changes something.
bool is_audited(const Route& route) {
  return std::string_view(route.method) != "GET" && Role(route.role) != Role::viewer;
}

OriginPointer origin_of(const Request& request, const Route& route) {
  auto origin = std::make_shared<RequestOrigin>();
  origin->who = request.caller.who;
  origin->role = name_of(request.caller.role);
  origin->from = request.caller.from;
  origin->action = std::string(route.method) + " " + route.path;
  origin->subject = request.path;
  if (!request.body.empty()) origin->body = sha256(request.body);
  return origin;
}

/// What an answer says about an audited request.
std::string outcome_of(const Answer& answer) {
  if (answer.status < 300) return "answered";
  const auto* text = std::get_if<std::string>(&answer.body);
  const auto failure = text == nullptr ? Result<protocol::FailureReply>(Error{})
                                       : protocol::from_json<protocol::FailureReply>(*text);
  return "refused: " + (failure ? failure->error.message : std::to_string(answer.status));
}

/// Everything that is decided before a byte of the body is read.
Admission admit(const Shared& shared, const Parser& parser, const Entrance& entrance) {
  const HttpRequest& header = parser.get();
  Admission admission;
  admission.request.caller = entrance.caller;
  admission.refusal = admit_shape(header);
  if (!admission.refusal) {
    admission.refusal = admit_caller(shared, header, entrance, admission.request.caller);
  }
  if (admission.refusal) return admission;
  auto target = parse_target(view(header.target()));
  if (!target) {
    admission.refusal = error_answer(target.error());
    return admission;
  }
  Match found = match(shared.table, view(header.method_string()), target->parts);
  // Who may not come in learns nothing of what is there.
  const Role needed = found.route != nullptr ? Role(found.route->role) : Role::viewer;
  const Caller& caller = admission.request.caller;
  if (const auto denial = judge_role(entrance.over_tcp, caller.role, needed)) {
    const bool unknown = denial->status == 401;
    admission.refusal =
        unknown ? refuse_with(401, "unauthorized", denial->sentence)
                : refuse_with(403, "denied",
                              caller.who + " " + denial->sentence + ": it needs the role " +
                                  name_of(needed) + "; the daemon's configuration and its tokens "
                                  "say who has which");
    if (unknown) admission.refusal->headers.emplace_back("WWW-Authenticate", "Bearer");
    if (found.route != nullptr && caller.role != Role::anyone && is_audited(*found.route)) {
      admission.request.path = std::string(view(header.target()));
      admission.denied = origin_of(admission.request, *found.route);
    }
    return admission;
  }
  if (found.route == nullptr && !found.methods.empty()) {
    admission.refusal = refuse_with(405, "invalid", "this path takes another method");
    std::string allowed;
    for (const std::string& method : found.methods) {
      allowed += (allowed.empty() ? "" : ", ") + method;
    }
    admission.refusal->headers.emplace_back("Allow", allowed);
    return admission;
  }
  if (found.route == nullptr) {
    admission.refusal = refuse_with(404, "not_found", "there is nothing at this path; "
                                    "/api/v1/openapi.json lists what there is");
    return admission;
  }
  admission.refusal = admit_body(header, parser, *found.route);
  admission.route = found.route;
  admission.request.method = std::string(view(header.method_string()));
  admission.request.path = std::string(view(header.target()));
  admission.request.query = std::move(target->query);
  admission.request.captured = std::move(found.captured);
  if (Role(found.route->role) == Role::anyone) {
    for (const char* name : {"authorization", "webhook-id", "webhook-signature", "webhook-timestamp"}) {
      const auto field = header.find(name);
      if (field != header.end()) admission.request.headers[name] = std::string(view(field->value()));
    }
  }
  return admission;
}

/// The header of an answer without its body.
http::response<http::empty_body> head_of(const Answer& answer, bool keep_alive) {
  http::response<http::empty_body> head{static_cast<http::status>(answer.status), 11};
  head.set(http::field::content_type, answer.content_type);
  head.set(http::field::cache_control, "no-store");
  head.set("X-Content-Type-Options", "nosniff");
  head.set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox");
  for (const auto& [name, value] : answer.headers) head.set(name, value);
  head.keep_alive(keep_alive);
  return head;
}

net::awaitable<bool> write_head(Stream& stream, http::response<http::empty_body>& head) {
  http::response_serializer<http::empty_body> serializer(head);
  const auto [error, bytes] = co_await http::async_write_header(stream, serializer, token);
  co_return !error;
}

net::awaitable<bool> write_text(const Shared& shared, Stream& stream, const Answer& answer,
                                const std::string& text, bool keep_alive) {
  http::response<http::string_body> response{head_of(answer, keep_alive).base(), text};
  response.prepare_payload();
  stream.expires_after(milliseconds(shared.options.write_timeout_ms));
  const auto [error, bytes] = co_await http::async_write(stream, response, token);
  co_return !error;
}

/// Sends a file in pieces; its size was announced, so a shorter one ends the connection.
net::awaitable<bool> write_file(std::shared_ptr<Shared> shared, Stream& stream,
                                const Answer& answer, std::shared_ptr<FileBody> file,
                                bool keep_alive) {
  http::response<http::empty_body> head = head_of(answer, keep_alive);
  head.content_length(static_cast<std::uint64_t>(file->size));
  stream.expires_after(milliseconds(shared->options.write_timeout_ms));
  const bool begun = co_await write_head(stream, head);
  if (!begun) co_return false;
  std::vector<char> piece(std::size_t{256} << 10);
  std::int64_t offset = 0;
  while (offset < file->size) {
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::int64_t>(file->size - offset,
                                                        static_cast<std::int64_t>(piece.size())));
    const ssize_t got = ::pread(file->descriptor, piece.data(), wanted, offset);
    if (got <= 0) co_return false;
    offset += got;
    stream.expires_after(milliseconds(shared->options.write_timeout_ms));
    const auto [error, bytes] = co_await net::async_write(
        stream, net::buffer(piece.data(), static_cast<std::size_t>(got)), token);
    if (error || shared->stopped) co_return false;
  }
  co_return true;
}

net::awaitable<bool> write_chunk(const Shared& shared, Stream& stream, const std::string& text) {
  stream.expires_after(milliseconds(shared.options.write_timeout_ms));
  const auto [error, bytes] =
      co_await net::async_write(stream, http::make_chunk(net::buffer(text)), token);
  co_return !error;
}

net::awaitable<bool> write_last_chunk(Stream& stream) {
  const auto [error, bytes] = co_await net::async_write(stream, http::make_chunk_last(), token);
  co_return !error;
}

net::awaitable<bool> write_growing(std::shared_ptr<Shared> shared, Stream& stream,
                                   const Answer& answer, GrowingBody growing, bool keep_alive) {
  http::response<http::empty_body> head = head_of(answer, keep_alive);
  head.chunked(true);
  const bool begun = co_await write_head(stream, head);
  if (!begun) co_return false;
  net::steady_timer pause(shared->loop);
  while (!shared->stopped) {
    const bool goes_on = growing.goes_on();  // asked first: what comes after it is in the file
    const std::string text = growing.more();
    if (text.empty() && !goes_on) {
      const bool ended = co_await write_last_chunk(stream);
      co_return ended;
    }
    if (text.empty()) {
      if (peer_is_gone(stream.socket().native_handle())) co_return false;
      pause.expires_after(growing_interval);
      co_await pause.async_wait(token);
      continue;
    }
    const bool written = co_await write_chunk(*shared, stream, text);
    if (!written) co_return false;
  }
  co_return false;
}

/// Holds a subscription and the events that wait for a slow reader.
class Feed {
 public:
  Feed(std::shared_ptr<Shared> shared, std::string pipeline)
      : shared_(std::move(shared)), timer_(shared_->loop) {
    id_ = shared_->backend.subscribe([this, wanted = std::move(pipeline)](const BackendEvent& e) {
      if (wanted.empty() || e.pipeline == wanted) add(change_of(e));
    });
  }
  ~Feed() {
    if (!shared_->stopped) shared_->backend.unsubscribe(id_);
  }
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  net::steady_timer& timer() { return timer_; }
  bool empty() const { return waiting_.empty(); }
  std::string take() {
    std::string all;
    for (const std::string& one : waiting_) all += one;
    waiting_.clear();
    return all;
  }

 private:
  void add(const protocol::Change& change) {
    if (waiting_.size() >= events_waiting_max) {
      // The reader is too slow: it is told to look at everything anew.
      waiting_.assign(1, "event: lost\ndata: {}\n\n");
    }
    waiting_.push_back("event: " + change.kind + "\ndata: " + protocol::to_json(change) + "\n\n");
    timer_.cancel();
  }

  std::shared_ptr<Shared> shared_;
  net::steady_timer timer_;
  std::uint64_t id_ = 0;
  std::deque<std::string> waiting_;
};

net::awaitable<bool> write_events(std::shared_ptr<Shared> shared, Stream& stream,
                                  const Answer& answer, const EventsBody& events) {
  http::response<http::empty_body> head = head_of(answer, false);
  head.chunked(true);
  Feed feed(shared, events.pipeline);
  const bool begun = co_await write_head(stream, head);
  if (!begun) co_return false;
  std::string text = ": connected\n\n";
  while (!shared->stopped) {
    const bool written = co_await write_chunk(*shared, stream, text);
    if (!written || shared->stopped) co_return false;
    if (feed.empty()) {
      feed.timer().expires_after(milliseconds(shared->options.heartbeat_ms));
      co_await feed.timer().async_wait(token);
      if (shared->stopped || peer_is_gone(stream.socket().native_handle())) co_return false;
    }
    text = feed.empty() ? ": still here\n\n" : feed.take();
  }
  co_return false;
}

net::awaitable<bool> write_answer(std::shared_ptr<Shared> shared, Stream& stream, Answer answer,
                                  bool keep_alive) {
  bool written = false;
  if (const auto* text = std::get_if<std::string>(&answer.body)) {
    written = co_await write_text(*shared, stream, answer, *text, keep_alive);
  } else if (const auto* file = std::get_if<std::shared_ptr<FileBody>>(&answer.body)) {
    written = co_await write_file(shared, stream, answer, *file, keep_alive);
  } else if (const auto* growing = std::get_if<GrowingBody>(&answer.body)) {
    written = co_await write_growing(shared, stream, answer, *growing, keep_alive);
  } else {
    written = co_await write_events(shared, stream, answer, std::get<EventsBody>(answer.body));
  }
  co_return written && keep_alive;
}

/// Runs the handler and waits for what it answers.
net::awaitable<Answer> handle(std::shared_ptr<Shared> shared, Stream& stream,
                              Admission& admission) {
  auto pending = std::make_shared<Pending>(shared->loop);
  admission.request.later = [shared](std::int64_t delay_ms, std::function<void()> what) {
    auto timer = std::make_shared<net::steady_timer>(shared->loop, milliseconds(delay_ms));
    timer->async_wait([shared, timer, what = std::move(what)](const beast::error_code& error) {
      if (!error && !shared->stopped) what();
    });
  };
  stream.expires_never();
  OriginPointer origin;
  if (is_audited(*admission.route)) origin = origin_of(admission.request, *admission.route);
  shared->backend.set_origin(origin);
  admission.route->handler(shared->backend, admission.request, [shared, origin, pending](Answer answer) {
    if (pending->answer) return;
    if (origin && !shared->stopped) shared->backend.end_request(origin, outcome_of(answer));
    pending->answer = std::move(answer);
    pending->ready.cancel();
  });
  if (!shared->stopped) shared->backend.set_origin(nullptr);
  while (!pending->answer && !shared->stopped) co_await pending->ready.async_wait(token);
  if (!pending->answer) co_return refuse_with(503, "unavailable", "the daemon is stopping");
  co_return std::move(*pending->answer);
}

/// What is said to a peer whose bytes could not be read as a request; nothing: it just left.
std::optional<Answer> complaint(const beast::error_code& error) {
  if (error == http::error::end_of_stream || error == beast::error::timeout) return std::nullopt;
  if (error == http::error::header_limit) {
    return refuse_with(431, "too_large", "the request's header has more than 16 KiB");
  }
  if (error == http::error::body_limit) {
    return refuse_with(413, "too_large", "the request's body is too large");
  }
  if (error.category() == http::make_error_code(http::error::bad_target).category()) {
    return refuse_with(400, "invalid", "this is no HTTP request: " + error.message());
  }
  return std::nullopt;
}

/// Reads the body that an admitted request announced.  False: the connection must end.
net::awaitable<bool> read_body(const Shared& shared, Stream& stream, beast::flat_buffer& buffer,
                               Parser& parser, Admission& admission) {
  if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    const auto [error, bytes] = co_await net::async_write(stream, net::buffer(go_on), token);
    if (error) co_return false;
  }
  stream.expires_after(milliseconds(shared.options.body_timeout_ms));
  const auto [error, bytes] = co_await http::async_read(stream, buffer, parser, token);
  if (error) {
    admission.refusal = complaint(error);
    co_return admission.refusal.has_value();
  }
  admission.request.body = std::move(parser.get().body());
  if (admission.request.body.size() > admission.route->body_max) {
    admission.refusal = refuse_with(413, "too_large", "the request's body is too large");
  }
  co_return true;
}

/// One request and its answer.  False: the connection must end.
net::awaitable<bool> serve_one(std::shared_ptr<Shared> shared, Stream& stream,
                               beast::flat_buffer& buffer, const Entrance& entrance) {
  Parser parser;
  parser.header_limit(header_bytes_max);
  parser.body_limit(body_bytes_max);
  const auto [error, bytes] = co_await http::async_read_header(stream, buffer, parser, token);
  if (shared->stopped) co_return false;
  Admission admission;
  if (error) {
    admission.refusal = complaint(error);
    if (!admission.refusal) co_return false;
  } else {
    admission = admit(*shared, parser, entrance);
  }
  if (!admission.refusal) {
    const bool goes_on = co_await read_body(*shared, stream, buffer, parser, admission);
    if (!goes_on || shared->stopped) co_return false;
  }
  if (admission.denied) shared->backend.end_request(admission.denied, "denied");
  if (admission.refusal) {
    // The body was not read, so what follows on this connection cannot be understood.
    co_await write_answer(shared, stream, std::move(*admission.refusal), false);
    co_return false;
  }
  const bool keep_alive = parser.get().keep_alive();
  Answer answer = co_await handle(shared, stream, admission);
  if (shared->stopped) co_return false;
  const bool goes_on = co_await write_answer(shared, stream, std::move(answer), keep_alive);
  co_return goes_on;
}

}  // namespace

net::awaitable<void> serve(std::shared_ptr<Shared> shared, Stream stream, Entrance entrance) {
  const Entry entry(shared, stream);
  beast::flat_buffer buffer;
  if (shared->open.size() > shared->options.connections_max) {
    Answer busy = refuse_with(503, "exhausted", "too many connections; try again later");
    co_await write_answer(shared, stream, std::move(busy), false);
    co_return;
  }
  std::int64_t patience_ms = shared->options.header_timeout_ms;
  while (!shared->stopped) {
    stream.expires_after(milliseconds(patience_ms));
    const bool goes_on = co_await serve_one(shared, stream, buffer, entrance);
    if (!goes_on) break;
    patience_ms = shared->options.idle_timeout_ms;
  }
  beast::error_code ignored;
  stream.socket().shutdown(net::socket_base::shutdown_send, ignored);
}

}  // namespace pipelined::api
