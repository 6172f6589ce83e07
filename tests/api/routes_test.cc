#include "daemon/api/routes.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

using namespace pipelined::api;

namespace {

// A row of the table that names no role is no valid expression, so it does not build.
template <class Row>
concept BuildsWithoutRole = requires { Row{"GET", "/x"}; } || requires { Row{}; };
template <class Row>
concept BuildsWithRole = requires { Row{"GET", "/x", Role::viewer}; };
static_assert(!BuildsWithoutRole<Route>);
static_assert(BuildsWithRole<Route>);

}  // namespace

TEST_CASE("routes: every route stands once and says what it is for", "[api][routes]") {
  std::set<std::string> seen;
  for (const Route& route : make_routes()) {
    CAPTURE(route.method, route.path);
    CHECK(seen.insert(std::string(route.method) + " " + route.path).second);
    CHECK(std::string(route.summary).back() == '.');
    CHECK(route.handler != nullptr);
    const bool changes = std::string(route.method) != "GET";
    const bool asks = std::string(route.path).find("/plan") != std::string::npos ||
                      std::string(route.path) == "/api/v1/check" ||
                      std::string(route.path).ends_with("/query");
    // A call of a webhook is judged by the webhook's secret.
    const bool signed_call = std::string(route.path).starts_with("/api/v1/hooks/");
    CHECK((route.role >= Role::operator_) >= (changes && !asks && !signed_call));
  }
}

TEST_CASE("routes: paths match part by part, never by prefix or suffix", "[api][routes]") {
  const std::vector<Route> table = make_routes();
  const auto at = [&](std::vector<std::string> parts) { return match(table, "GET", parts); };
  CHECK(at({"healthz"}).route != nullptr);
  CHECK(at({"healthz", "x"}).route == nullptr);
  CHECK(at({"api", "v1"}).route == nullptr);
  CHECK(at({"API", "v1", "runs"}).route == nullptr);
  const Match run = at({"api", "v1", "runs", "4"});
  REQUIRE(run.route != nullptr);
  CHECK(run.captured.find("run")->second == "4");
  const Match wrong = match(table, "DELETE", {"api", "v1", "pipelines"});
  CHECK(wrong.route == nullptr);
  CHECK(wrong.methods == std::vector<std::string>{"GET", "POST"});
}

TEST_CASE("routes: the OpenAPI document holds every route", "[api][routes]") {
  const auto document = nlohmann::json::parse(openapi(make_routes()));
  CHECK(document["openapi"] == "3.0.3");
  for (const Route& route : make_routes()) {
    CAPTURE(route.path);
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(c - 'A' + 'a');
    const auto& operation = document["paths"][route.path][method];
    CHECK(operation["summary"] == route.summary);
    CHECK(operation["x-role"] == name_of(route.role));
    CHECK(operation.contains("requestBody") == (route.request_schema != nullptr));
  }
}

TEST_CASE("routes: the documentation lists every route with its role, and no other",
          "[api][routes][docs]") {
  std::ifstream in(std::string(PIPELINED_SOURCE_DIR) + "/docs/http-api.md");
  std::ostringstream text;
  text << in.rdbuf();
  std::size_t rows = 0;
  for (std::size_t at = text.str().find("| `GET /"); at != std::string::npos;
       at = text.str().find("| `GET /", at + 1)) {
    ++rows;
  }
  for (std::size_t at = text.str().find("| `POST /"); at != std::string::npos;
       at = text.str().find("| `POST /", at + 1)) {
    ++rows;
  }
  CHECK(rows == make_routes().size());
  for (const Route& route : make_routes()) {
    const std::string row = std::string("| `") + route.method + " " + route.path + "` | " +
                            name_of(route.role) + " | " + route.summary + " |";
    CAPTURE(row);
    CHECK(text.str().find(row) != std::string::npos);
  }
}
