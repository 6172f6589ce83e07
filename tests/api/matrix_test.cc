// Who gets in: every route with every credential, method, host, page and door.
//
// The cases are made from the table of routes.  What should happen is said a second time here, from
// the words of docs/access.md, and compared with what a running server answers.
#include <catch2/catch.hpp>
#include <set>

#include "daemon/api/routes.h"
#include "daemon/api/server.h"
#include "tests/api/fake_backend.h"
#include "tests/api/raw_client.h"

using namespace pipelined;
using namespace pipelined::test;
using api::Role;

namespace {

struct Credential {
  const char* name;
  std::string header;
  Role role = Role::anyone;
};

std::string secret(char letter) {
  return "plt_" + std::string(8, letter) + "0123456789abcdefghijklmnopqrstuvwxyz";
}

std::string bearer(const std::string& text) { return "Authorization: Bearer " + text + "\r\n"; }

/// What somebody may show.  The revoked one was good until `set_tokens`.
std::vector<Credential> credentials() {
  return {{"none", ""},
          {"garbage", bearer("garbage")},
          {"expired", bearer(secret('e'))},
          {"revoked", bearer(secret('r'))},
          {"viewer", bearer(secret('v')), Role::viewer},
          {"operator", bearer(secret('o')), Role::operator_},
          {"reviewer", bearer(secret('w')), Role::reviewer},
          {"admin", bearer(secret('a')), Role::admin}};
}

std::vector<api::Token> good_tokens() {
  std::vector<api::Token> tokens = {*api::make_token("viewer", secret('v'), Role::viewer),
                                    *api::make_token("operator", secret('o'), Role::operator_),
                                    *api::make_token("reviewer", secret('w'), Role::reviewer),
                                    *api::make_token("admin", secret('a'), Role::admin),
                                    *api::make_token("expired", secret('e'), Role::admin)};
  tokens.back().expires_at = 1000;
  return tokens;
}

constexpr const char* methods[] = {"GET",     "HEAD",    "POST",  "PUT",    "DELETE",
                                   "PATCH",   "OPTIONS", "TRACE", "CONNECT"};

/// A path of the table with something in place of its captures.
std::string filled(std::string path) {
  for (std::size_t open = path.find('{'); open != std::string::npos; open = path.find('{')) {
    path.replace(open, path.find('}') - open + 1, "zzzz");
  }
  return path;
}

/// What the documents say: the role of the route at this path and method, or nothing.
std::optional<Role> role_in_table(const std::vector<api::Route>& table, std::string_view method,
                                  const std::string& target) {
  for (const api::Route& route : table) {
    if (filled(route.path) == target && method == route.method) return Role(route.role);
  }
  return std::nullopt;
}

struct Case {
  std::string method, target, host, origin;  ///< host empty: no field
  Credential credential;
  bool tcp = true, host_good = true, page_good = true;
};

/// 0: it may come in; what the route then answers is its own business.
int expected(const std::vector<api::Route>& table, const Case& one, Role socket_role) {
  if (one.tcp && !one.host_good) return 421;
  if (!one.page_good) return 403;
  const auto needs = role_in_table(table, one.method, one.target);
  const Role has = one.tcp ? one.credential.role : socket_role;
  if (has < needs.value_or(Role::viewer)) return one.tcp && has == Role::anyone ? 401 : 403;
  // A webhook judges its callers by its own secret, which none of these has.
  if (needs && one.target.starts_with("/api/v1/hooks/")) return 401;
  return needs ? 0 : 405;
}

std::string text_of(const Case& one, const std::string& body) {
  std::string text = one.method + " " + one.target + " HTTP/1.1\r\n";
  if (!one.host.empty()) text += "Host: " + one.host + "\r\n";
  if (!one.origin.empty()) text += "Origin: " + one.origin + "\r\n";
  text += one.credential.header;
  if (!body.empty()) {
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n";
  }
  return text + "Connection: close\r\n\r\n" + body;
}

int answer_to(TestDaemon& daemon, const Case& one, const std::string& body) {
  const std::string text = text_of(one, body);
  if (one.tcp) {
    RawConnection connection(daemon.port());
    connection.send(text);
    return status_of(connection.until("\r\n"));
  }
  RawConnection connection(daemon.socket());
  connection.send(text);
  return status_of(connection.until("\r\n"));
}

/// Whether what came fits what should: a refusal is exact, an admission anything but a refusal.
bool fits(int wanted, int got) {
  if (wanted != 0) return got == wanted;
  return got != 0 && got != 401 && got != 403 && got != 405 && got != 421;
}

struct Tally {
  int asked = 0, let_in = 0, unexpected = 0;
};

void try_case(TestDaemon& daemon, const std::vector<api::Route>& table, const Case& one,
              Role socket_role, Tally& tally) {
  const int wanted = expected(table, one, socket_role);
  const bool has_body = one.method == "POST";
  const int got = answer_to(daemon, one, has_body ? "{\"no such field\":1}" : "");
  ++tally.asked;
  tally.let_in += wanted == 0;
  if (fits(wanted, got)) return;
  ++tally.unexpected;
  UNSCOPED_INFO(one.method << " " << one.target << " as " << one.credential.name << ", host '"
                           << one.host << "', origin '" << one.origin << "', "
                           << (one.tcp ? "tcp" : "unix") << ": " << got << " instead of "
                           << wanted);
}

struct Text {
  std::string value;
  bool good;
};

void try_route(TestDaemon& daemon, const std::vector<api::Route>& table, const std::string& target,
               bool every_host, Role socket_role, Tally& tally) {
  const std::string port = std::to_string(daemon.port());
  const std::vector<Text> hosts = {
      {"127.0.0.1:" + port, true}, {"evil.example:" + port, false}, {"", false}};
  const std::vector<Text> origins = {{"", true},
                                     {"http://127.0.0.1:" + port, true},
                                     {"https://evil.example", false},
                                     {"null", false}};
  for (const char* method : methods) {
    for (const Credential& credential : credentials()) {
      for (const Text& host : hosts) {
        for (const Text& origin : origins) {
          for (const bool tcp : {true, false}) {
            // What host and page do does not hang on the route: the whole product on some of them.
            if (!every_host && (!host.good || origin.value != "")) continue;
            const bool ends = !(target == "/api/v1/events" && std::string(method) == "GET");
            const Case one{method,     target, host.value, origin.value,
                           credential, tcp,    host.good,  origin.good};
            if (!ends && expected(table, one, socket_role) == 0) continue;  // it never ends
            try_case(daemon, table, one, socket_role, tally);
          }
        }
      }
    }
  }
}

void try_all(Tally& tally) {
  TestDaemon daemon([](api::ServerOptions& options) {
    options.tokens = good_tokens();
    options.tokens.push_back(*api::make_token("revoked", secret('r'), Role::admin));
    options.wall_ms = [] { return TimeMs{2000}; };
  });
  daemon.on_server([](api::Server& server) { server.set_tokens(good_tokens()); });
  const std::vector<api::Route> table = api::make_routes();
  std::set<std::string> targets;
  for (const api::Route& route : table) targets.insert(filled(route.path));
  std::size_t number = 0;
  const Role socket_role = Role::admin;  // the server's own user is at the other end
  for (const std::string& target : targets) {
    try_route(daemon, table, target, number++ % 8 == 0, socket_role, tally);
  }
}

}  // namespace

TEST_CASE("matrix: nobody gets in who should not, and everybody who should",
          "[api][access][security]") {
  Tally tally;
  try_all(tally);
  CHECK(tally.unexpected == 0);
  CHECK(tally.asked > 5000);
  CHECK(tally.let_in > 200);
  CHECK(tally.let_in * 2 < tally.asked);
}
