// The table of routes: everything that the interface offers, each with the role that it demands.
//
// What is not in the table does not exist (404); a path is compared part by part, never by prefix.
// The OpenAPI document, docs/http-api.md's list and the tests of access are made from this table.
// Pure but for the handlers.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "daemon/api/backend.h"
#include "daemon/api/exchange.h"

namespace pipelined::api {

/// Answers a request, at once or later.
using Handler = void (*)(Backend& backend, const Request& request, const Respond& respond);

/// A parameter behind the `?`.
struct QueryParameter {
  const char* name;
  const char* summary;
};

/// The least role that a route demands.  It cannot be left out: a row of the table that names none
/// does not compile.
class LeastRole {
 public:
  constexpr LeastRole(Role role) : role_(role) {}  // NOLINT: a row is written with the bare role
  constexpr operator Role() const { return role_; }

 private:
  Role role_;
};
static_assert(!std::is_default_constructible_v<LeastRole>);

struct Route {
  const char* method;
  const char* path;                      ///< "/api/v1/runs/{run}"
  LeastRole role;
  Handler handler;
  const char* summary;                   ///< one sentence
  std::vector<QueryParameter> query = {};
  std::string (*request_schema)() = nullptr;  ///< nothing: the request has no body
  std::string (*reply_schema)() = nullptr;    ///< nothing: the reply is no JSON
  std::size_t body_max = 1 << 20;
};

/// All routes, in the order of the documentation.
std::vector<Route> make_routes();

/// What a method and a path lead to.
struct Match {
  const Route* route = nullptr;
  std::map<std::string, std::string, std::less<>> captured;
  std::vector<std::string> methods;      ///< of the path, when the method alone is wrong
};

/// Finds the route of decoded path parts.
Match match(const std::vector<Route>& routes, std::string_view method,
            const std::vector<std::string>& parts);

/// The OpenAPI 3.0 document of the table, as JSON.
std::string openapi(const std::vector<Route>& routes);

}  // namespace pipelined::api
