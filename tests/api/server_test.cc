#include "daemon/api/server.h"

#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <filesystem>

#include "daemon/api/protocol.h"
#include "daemon/api/routes.h"
#include "tests/api/fake_backend.h"
#include "tests/api/raw_client.h"

using namespace pipelined;
using namespace pipelined::test;

namespace {

std::string request(const std::string& method, const std::string& target,
                    const std::string& headers, const std::string& body = {}) {
  std::string text = method + " " + target + " HTTP/1.1\r\n" + headers;
  if (!body.empty()) {
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  }
  return text + "Connection: close\r\n\r\n" + body;
}

/// Over the Unix socket, where this process may do everything.
std::string ask(const TestDaemon& daemon, const std::string& method, const std::string& target,
                const std::string& body = {}) {
  RawConnection connection(daemon.socket());
  connection.send(request(method, target, "Host: x\r\n", body));
  return connection.rest();
}

/// Over TCP with these headers beside Host.
std::string ask_tcp(const TestDaemon& daemon, const std::string& method, const std::string& target,
                    const std::string& headers, const std::string& body = {}) {
  RawConnection connection(daemon.port());
  connection.send(request(method, target,
                          "Host: 127.0.0.1:" + std::to_string(daemon.port()) + "\r\n" + headers, body));
  return connection.rest();
}

std::string bearer(const char* token) { return std::string("Authorization: Bearer ") + token + "\r\n"; }

}  // namespace

TEST_CASE("server: who may not come in does not learn what is there", "[api][server][security]") {
  TestDaemon daemon;
  CHECK(status_of(ask_tcp(daemon, "GET", "/api/v1/nothing", "")) == 401);
  CHECK(status_of(ask_tcp(daemon, "GET", "/api/v1/nothing", bearer(reader_token))) == 404);
  CHECK(status_of(ask_tcp(daemon, "DELETE", "/api/v1/runs", "")) == 401);
  const std::string wrong_method = ask_tcp(daemon, "DELETE", "/api/v1/runs", bearer(reader_token));
  CHECK(status_of(wrong_method) == 405);
  CHECK(wrong_method.find("Allow: GET") != std::string::npos);
}

TEST_CASE("server: another host's name or page is refused", "[api][server][security]") {
  TestDaemon daemon;
  RawConnection connection(daemon.port());
  connection.send(request("GET", "/healthz", "Host: evil.example\r\n"));
  CHECK(status_of(connection.rest()) == 421);
  RawConnection without(daemon.port());
  without.send(request("GET", "/healthz", ""));
  CHECK(status_of(without.rest()) == 421);
  const std::string pause = "/api/v1/pipelines/flights/pause";
  CHECK(status_of(ask_tcp(daemon, "POST", pause, bearer(writer_token) + "Origin: https://evil.example\r\n")) == 403);
  CHECK(status_of(ask_tcp(daemon, "POST", pause, bearer(writer_token) + "Sec-Fetch-Site: cross-site\r\n")) == 403);
  CHECK(status_of(ask_tcp(daemon, "POST", pause, bearer(writer_token))) == 200);
}

TEST_CASE("server: malformed requests get an answer or are cut off, and never more",
          "[api][server][security]") {
  TestDaemon daemon;
  struct Case { std::string bytes; std::vector<int> expected; };  // 0: cut off
  const std::string many_fields = [] {
    std::string text;
    for (int i = 0; i < 150; ++i) text += "X-" + std::to_string(i) + ": 1\r\n";
    return text;
  }();
  const std::vector<Case> cases = {
      {"nonsense\r\n\r\n", {400}},
      {"GET\r\n\r\n", {400}},
      {"GET /healthz HTTP/9.9\r\n\r\n", {400}},
      {"GET http://x/healthz HTTP/1.1\r\nHost: x\r\n\r\n", {400}},
      {"GET /../healthz HTTP/1.1\r\nHost: x\r\n\r\n", {400}},
      {"GET /%2e%2e/healthz HTTP/1.1\r\nHost: x\r\n\r\n", {400}},
      {"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n", {400}},
      {"GET /healthz HTTP/1.1\r\nX: a\r\n b\r\nA:\x01\r\n\r\n", {400}},
      {"GET /healthz HTTP/1.1\r\n" + many_fields + "\r\n", {431}},
      {"GET /healthz HTTP/1.1\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n", {431}},
      {"POST /api/v1/check HTTP/1.1\r\nContent-Type: application/json\r\n"
       "Content-Length: 99999999999\r\n\r\n", {413}},
      {"POST /api/v1/check HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", {415}},
      {"POST /api/v1/check HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", {400}},
      {"POST /api/v1/check HTTP/1.1\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       {400}},
      {"POST /api/v1/check HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
       "\r\nzz\r\n", {400}},
      {"GET /healthz HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", {501}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.bytes.substr(0, 120));
    RawConnection connection(daemon.socket());
    connection.send(one.bytes);
    const int status = status_of(connection.rest());
    CHECK(std::find(one.expected.begin(), one.expected.end(), status) != one.expected.end());
  }
  CHECK(status_of(ask(daemon, "GET", "/healthz")) == 200);
}

TEST_CASE("server: a connection serves several requests", "[api][server]") {
  TestDaemon daemon;
  RawConnection connection(daemon.socket());
  for (int i = 0; i < 3; ++i) {
    connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(connection.until("alive\n").find("200 OK") != std::string::npos);
  }
  CHECK(daemon.connections() == 1);
}

TEST_CASE("server: more connections than allowed are told to come later", "[api][server]") {
  TestDaemon daemon([](api::ServerOptions& options) { options.connections_max = 2; });
  RawConnection first(daemon.socket()), second(daemon.socket());
  for (RawConnection* one : {&first, &second}) {
    one->send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    one->until("alive\n");
  }
  RawConnection third(daemon.socket());
  third.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(status_of(third.rest()) == 503);
}

TEST_CASE("server: a peer that says nothing is cut off", "[api][server]") {
  TestDaemon daemon([](api::ServerOptions& options) { options.header_timeout_ms = 50; });
  RawConnection silent(daemon.socket());
  silent.send("GET /healthz HT");
  CHECK(silent.rest().empty());
  CHECK(daemon.connections() == 0);
}

TEST_CASE("server: refuses places where it must not listen", "[api][server][security]") {
  boost::asio::io_context loop;
  FakeBackend backend(loop);
  const api::Token token = *api::make_token("x", writer_token, api::Role::operator_);
  api::ServerOptions options;
  for (const char* address : {"0.0.0.0", "::", "192.0.2.1", "localhost", "127.evil.example"}) {
    CAPTURE(address);
    options.listen_address = address, options.tokens = {token};
    const auto server = api::Server::start(loop, backend, options);
    REQUIRE_FALSE(server);
    CHECK(server.error().code == ErrorCode::denied);
  }
  options = {};
  options.socket_path = backend.folder.write("data", "precious");
  CHECK(api::Server::start(loop, backend, options).error().code == ErrorCode::conflict);
  CHECK(std::filesystem::file_size(options.socket_path) == 8);
  options.socket_path = "/" + std::string(200, 'a');
  CHECK(api::Server::start(loop, backend, options).error().code == ErrorCode::invalid);
}

TEST_CASE("server: a socket that a dead daemon left is replaced, a live one is not",
          "[api][server]") {
  TestDaemon daemon;
  struct stat facts {};
  REQUIRE(::stat(daemon.socket().c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777) == 0600);
  boost::asio::io_context loop;
  FakeBackend backend(loop);
  api::ServerOptions options;
  options.socket_path = daemon.socket();
  CHECK(api::Server::start(loop, backend, options).error().code == ErrorCode::conflict);

  options.socket_path = backend.folder.path() + "/left.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, options.socket_path.c_str(), sizeof address.sun_path - 1);
  const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(dead);
  CHECK(api::Server::start(loop, backend, options));
}

TEST_CASE("server: decisions reach the engine with the caller's name", "[api][server]") {
  TestDaemon daemon;
  const std::string reply = ask_tcp(daemon, "POST", "/api/v1/runs/4/accept", bearer(writer_token),
                                    R"({"step":"validate","element":"2013-12","why":"holidays"})");
  CHECK(status_of(reply) == 200);
  CHECK(protocol::from_json<protocol::Done>(body_of(reply))->run == 4);
  daemon.on_loop([](FakeBackend& backend) {
    REQUIRE(backend.submitted.size() == 1);
    const auto& wish = std::get<event::AcceptRequested>(backend.submitted.front());
    CHECK(wish.run == 4);
    CHECK(wish.step == "validate");
    CHECK(wish.element == "2013-12");
    CHECK(wish.who == "token writer");
    CHECK(wish.why == "holidays");
  });
  const std::string misspelt = ask(daemon, "POST", "/api/v1/runs/last/accept",
                                   R"({"step":"validat","element":"2013-12","why":"x"})");
  CHECK(status_of(misspelt) == 404);
  CHECK(misspelt.find("did you mean 'validate/2013-12'?") != std::string::npos);
  CHECK(status_of(ask(daemon, "POST", "/api/v1/runs/4/accept",
                      R"({"step":"validate","element":"2013-12","why":" "})")) == 400);
  CHECK(status_of(ask(daemon, "POST", "/api/v1/runs/99/cancel", "{}")) == 404);
}

TEST_CASE("server: what the engine refuses is told with a fitting status", "[api][server]") {
  TestDaemon daemon;
  struct Case { ErrorCode code; int status; };
  for (const Case& one : {Case{ErrorCode::conflict, 409}, Case{ErrorCode::exhausted, 507},
                          Case{ErrorCode::io, 500}, Case{ErrorCode::not_found, 404}}) {
    daemon.on_loop([&](FakeBackend& backend) { backend.outcome = Error{one.code, "because"}; });
    const std::string reply = ask(daemon, "POST", "/api/v1/pipelines/flights/runs", "{}");
    CHECK(status_of(reply) == one.status);
    const auto failure = protocol::from_json<protocol::FailureReply>(body_of(reply));
    CHECK(failure->error.code == name_of(one.code));
    CHECK(failure->error.message == "because");
  }
}

TEST_CASE("server: a run shows waiting steps, the halt's explanation and the ways on",
          "[api][server]") {
  TestDaemon daemon;
  const auto run = protocol::from_json<protocol::RunDetail>(body_of(ask(daemon, "GET", "/api/v1/runs/last")));
  REQUIRE(run);
  CHECK(run->run.number == 4);
  std::map<std::string, std::string> states;
  for (const protocol::Step& step : run->steps) states[step.step + "/" + step.element] = step.state;
  CHECK(states["validate/2013-12"] == "halted");
  CHECK(states["validate/2013-11"] == "waiting");
  CHECK(states["split/"] == "waiting");
  CHECK(run->explanation ==
        std::vector<std::string>{
            "validate/2013-12 halted: label late moved from 9.8 % to 21.1 % true (l_infinity 0.114 > "
            "0.1) between 2013-11 and 2013-12, 27,020 rows; steps split and backtest wait."});
  CHECK(run->ways_on.front() == "pipectl accept 4 validate/2013-12 --why …");
}

TEST_CASE("server: unknown runs, steps and artifacts are told with the nearest name",
          "[api][server]") {
  TestDaemon daemon;
  CHECK(status_of(ask(daemon, "GET", "/api/v1/runs/99")) == 404);
  CHECK(status_of(ask(daemon, "GET", "/api/v1/runs/-1")) == 400);
  CHECK(status_of(ask(daemon, "GET", "/api/v1/runs/4x")) == 400);
  const std::string step = ask(daemon, "GET", "/api/v1/runs/4/explanation?step=validat");
  CHECK(status_of(step) == 404);
  CHECK(step.find("did you mean 'validate'?") != std::string::npos);
  CHECK(ask(daemon, "GET", "/api/v1/pipelines/flight").find("did you mean 'flights'?") != std::string::npos);
  CHECK(status_of(ask(daemon, "GET", "/api/v1/artifacts/0000")) == 404);
  CHECK(status_of(ask(daemon, "GET", "/api/v1/artifacts/..")) == 400);
  CHECK(status_of(ask(daemon, "GET", "/api/v1/runs?limit=0")) == 400);
  CHECK(status_of(ask(daemon, "GET", "/api/v1/runs?limit=2000")) == 400);
  CHECK(status_of(ask(daemon, "GET", "/api/v1/runs?state=happy")) == 400);
}

TEST_CASE("server: a file of an artifact is sent byte by byte, whatever its size", "[api][server]") {
  TestDaemon daemon;
  std::string digest;
  const std::string large(std::size_t{3} << 20, 'x');
  daemon.on_loop([&](FakeBackend& backend) {
    backend.turn([&](Store&) { digest = backend.artifact("files/1", "large.bin", large).digest.hex(); });
  });
  const std::string reply =
      ask(daemon, "GET", "/api/v1/artifacts/" + digest.substr(0, 12) + "/file?path=large.bin");
  CHECK(status_of(reply) == 200);
  CHECK(reply.find("Content-Disposition: attachment") != std::string::npos);
  CHECK(reply.find("X-Content-Type-Options: nosniff") != std::string::npos);
  CHECK(body_of(reply) == large);
  for (const char* path : {"../large.bin", "/etc/passwd", "", "large.bin%00", "x/../large.bin"}) {
    CAPTURE(path);
    const int status = status_of(ask(daemon, "GET", "/api/v1/artifacts/" + digest + "/file?path=" + path));
    CHECK((status == 404 || status == 400));
  }
}

TEST_CASE("server: lineage leads from an artifact to the delivered file", "[api][server]") {
  TestDaemon daemon;
  std::string anomalies, december;
  daemon.on_loop([&](FakeBackend& backend) {
    anomalies = backend.anomalies.digest.hex(), december = backend.december.digest.hex();
  });
  const auto lineage = protocol::from_json<protocol::Lineage>(
      body_of(ask(daemon, "GET", "/api/v1/artifacts/" + anomalies + "/lineage")));
  REQUIRE(lineage);
  CHECK(lineage->nodes.front().step == "validate");
  const auto source = std::find_if(lineage->nodes.begin(), lineage->nodes.end(),
                                   [&](const auto& node) { return node.digest == december; });
  REQUIRE(source != lineage->nodes.end());
  CHECK(source->step == "source flights");
  CHECK(source->element == "2013-12");
  CHECK_FALSE(source->delivered.empty());
}

TEST_CASE("server: lineage leads from a delivered span or file to all that was made of it",
          "[api][server]") {
  TestDaemon daemon;
  std::string anomalies, december;
  daemon.on_loop([&](FakeBackend& backend) {
    anomalies = backend.anomalies.digest.hex(), december = backend.december.digest.hex();
  });
  const auto below = [&](const std::string& of) {
    const auto lineage = protocol::from_json<protocol::Lineage>(body_of(
        ask(daemon, "GET", "/api/v1/lineage?way=down&of=" + protocol::percent_encode(of))));
    REQUIRE(lineage);
    return *lineage;
  };
  const protocol::Lineage of_span = below("flights/2013-12");
  CHECK(of_span.nodes.front().digest == december);
  const auto made = std::find_if(of_span.nodes.begin(), of_span.nodes.end(),
                                 [&](const auto& node) { return node.digest == anomalies; });
  REQUIRE(made != of_span.nodes.end());
  CHECK(made->step == "validate");
  CHECK_FALSE(made->runs.empty());
  CHECK_FALSE(made->from.empty());
  for (const std::string& same : {std::string("flights/flights/2013-12"), december.substr(0, 12),
                                  of_span.nodes.front().delivered.front()}) {
    CAPTURE(same);
    CHECK(below(same).nodes.size() == of_span.nodes.size());
  }
  // Nothing leads back up, and what was made of the last artifact is that alone.
  CHECK(below(anomalies).nodes.front().digest == anomalies);
  CHECK(status_of(ask(daemon, "GET", "/api/v1/lineage?of=flights/1999-01")) == 404);
  CHECK(status_of(ask(daemon, "GET", "/api/v1/lineage?way=sideways&of=" + december)) == 400);
}

TEST_CASE("server: waiting ends with the state, at once when it is reached already",
          "[api][server]") {
  TestDaemon daemon;
  const auto halted = protocol::from_json<protocol::RunSummary>(body_of(ask(daemon, "GET", "/api/v1/runs/4/wait")));
  CHECK(halted->state == "halted");
  RawConnection connection(daemon.socket());
  connection.send(request("GET", "/api/v1/runs/4/wait?final=true&timeout_ms=60000", "Host: x\r\n"));
  bool listening = false;
  while (!listening) {
    daemon.on_loop([&](FakeBackend& backend) { listening = !backend.listeners.empty(); });
  }
  daemon.on_loop([](FakeBackend& backend) { backend.set_state(4, RunState::rejected); });
  CHECK(protocol::from_json<protocol::RunSummary>(body_of(connection.rest()))->state == "rejected");
  daemon.on_loop([](FakeBackend& backend) { CHECK(backend.listeners.empty()); });
}

TEST_CASE("server: waiting gives the state as it is when the time is over", "[api][server]") {
  TestDaemon daemon;
  const std::string reply = ask(daemon, "GET", "/api/v1/runs/4/wait?final=true&timeout_ms=20");
  CHECK(protocol::from_json<protocol::RunSummary>(body_of(reply))->state == "halted");
  daemon.on_loop([](FakeBackend& backend) { CHECK(backend.listeners.empty()); });
}

TEST_CASE("server: events come as they happen, of the wanted pipeline", "[api][server]") {
  TestDaemon daemon;
  {
    RawConnection connection(daemon.socket());
    connection.send("GET /api/v1/events?pipeline=flights HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(connection.until(": connected\n\n").find("text/event-stream") != std::string::npos);
    daemon.on_loop([](FakeBackend& backend) {
      backend.tell({BackendEvent::Kind::alert, "other", 0, "", "not for us"});
      backend.tell({BackendEvent::Kind::run, "flights", 4, "running", ""});
    });
    const std::string text = connection.until("\n\n");
    CHECK(text.find("event: run\ndata: {\"kind\":\"run\",\"pipeline\":\"flights\",\"run\":4") != std::string::npos);
    CHECK(text.find("not for us") == std::string::npos);
  }
  // The listener goes with the connection: the next event finds the peer gone.
  for (int left = 1; left > 0;) {
    daemon.on_loop([&](FakeBackend& backend) {
      backend.tell({BackendEvent::Kind::run, "flights", 4, "running", ""});
      left = static_cast<int>(backend.listeners.size());
    });
  }
  CHECK(daemon.connections() == 0);
}

TEST_CASE("server: a log is sent whole, and followed until its attempt has ended", "[api][server]") {
  TestDaemon daemon;
  const std::string target = "/api/v1/runs/4/log?step=validate&element=2013-12";
  CHECK(body_of(ask(daemon, "GET", target)) == "first line\nsecond line\n");
  AttemptRow attempt;
  daemon.on_loop([&](FakeBackend& backend) {
    attempt = list_attempts(backend.store(), 4, "validate", "2013-12").front();
    attempt.running = true;
    backend.turn([&](Store& store) { store.put(attempt); });
  });
  RawConnection connection(daemon.socket());
  connection.send(request("GET", target + "&follow=true", "Host: x\r\n"));
  connection.until("second line\n");
  std::ofstream(daemon.folder() + "/" + attempt.id + ".log", std::ios::app) << "third line\n";
  CHECK(connection.until("third line\n").find("third line") != std::string::npos);
  daemon.on_loop([&](FakeBackend& backend) {
    attempt.running = false;
    backend.turn([&](Store& store) { store.put(attempt); });
  });
  CHECK(connection.rest().find("0\r\n\r\n") != std::string::npos);
  std::filesystem::remove(daemon.folder() + "/" + attempt.id + ".log");
  const auto silent = ask(daemon, "GET", target);
  CHECK(status_of(silent) == 200);
  CHECK(body_of(silent).empty());
  CHECK(status_of(ask(daemon, "GET", "/api/v1/runs/4/log?step=validate&element=2013-11")) == 404);
  CHECK(status_of(ask(daemon, "GET", target + "&attempt=7")) == 404);
}

TEST_CASE("server: uploads are bundles with an absolute folder", "[api][server]") {
  TestDaemon daemon;
  protocol::Upload upload;
  upload.folder = "/data", upload.file = "flights.toml";
  upload.files["pipeline.toml"] = "name = \"x\"\n[step.a]\noperator = \"test.cpy\"\n";
  const auto check = protocol::from_json<protocol::CheckReply>(
      body_of(ask(daemon, "POST", "/api/v1/check", protocol::to_json(upload))));
  REQUIRE(check);
  CHECK_FALSE(check->ok);
  CHECK(check->findings.front().file == "flights.toml");
  CHECK(check->findings.front().line == 3);
  upload.files["pipeline.toml"] = flights_toml;
  upload.binary["model.bin"] = protocol::base64_encode(std::string("\0\xff", 2));
  const auto applied = protocol::from_json<protocol::ApplyReply>(
      body_of(ask(daemon, "POST", "/api/v1/pipelines", protocol::to_json(upload))));
  REQUIRE(applied);
  CHECK(applied->ok);
  CHECK(applied->pipeline == "flights");
  daemon.on_loop([](FakeBackend& backend) {
    REQUIRE(backend.uploads.size() == 1);
    CHECK(backend.uploads.front().files.at("model.bin") == std::string("\0\xff", 2));
  });
  upload.folder = "data";
  CHECK(status_of(ask(daemon, "POST", "/api/v1/pipelines", protocol::to_json(upload))) == 400);
  upload.folder = "/data", upload.files["../../etc/passwd"] = "x";
  CHECK(status_of(ask(daemon, "POST", "/api/v1/pipelines", protocol::to_json(upload))) == 400);
}

TEST_CASE("server: health, readiness and figures", "[api][server]") {
  TestDaemon daemon;
  CHECK(status_of(ask(daemon, "GET", "/readyz")) == 200);
  const std::string figures = body_of(ask(daemon, "GET", "/metrics"));
  CHECK(figures.find("pipelined_open_runs{state=\"halted\"} 1\n") != std::string::npos);
  CHECK(figures.find("pipelined_open_runs{state=\"running\"} 0\n") != std::string::npos);
  CHECK(figures.find("# TYPE pipelined_turns_total counter\npipelined_turns_total 7\n") != std::string::npos);
  CHECK(figures.find("pipelined_live_attempts 2\n") != std::string::npos);
  daemon.on_loop([](FakeBackend& backend) { backend.ready = false; });
  CHECK(status_of(ask(daemon, "GET", "/readyz")) == 503);
  CHECK(status_of(ask(daemon, "GET", "/healthz")) == 200);
}
