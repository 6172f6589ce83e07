// The route table as an OpenAPI 3.0 document.
#include <nlohmann/json.hpp>

#include "daemon/api/protocol.h"
#include "daemon/api/routes.h"

namespace pipelined::api {
namespace {

using Json = nlohmann::ordered_json;

Json parameters_of(const Route& route) {
  Json list = Json::array();
  std::string_view path = route.path;
  for (std::size_t open = path.find('{'); open != path.npos; open = path.find('{', open + 1)) {
    const std::string name(path.substr(open + 1, path.find('}', open) - open - 1));
    list.push_back({{"name", name}, {"in", "path"}, {"required", true},
                    {"schema", {{"type", "string"}}}});
  }
  for (const QueryParameter& parameter : route.query) {
    list.push_back({{"name", parameter.name}, {"in", "query"},
                    {"description", parameter.summary}, {"schema", {{"type", "string"}}}});
  }
  return list;
}

Json operation_of(const Route& route) {
  Json operation;
  operation["summary"] = route.summary;
  operation["x-role"] = name_of(route.role);
  operation["parameters"] = parameters_of(route);
  if (route.request_schema != nullptr) {
    operation["requestBody"]["content"]["application/json"]["schema"] =
        Json::parse(route.request_schema());
  }
  Json& done = operation["responses"]["200"];
  done["description"] = "done";
  if (route.reply_schema != nullptr) {
    done["content"]["application/json"]["schema"] = Json::parse(route.reply_schema());
  }
  Json& failed = operation["responses"]["default"];
  failed["description"] = "not done, and why";
  failed["content"]["application/json"]["schema"] = {{"$ref", "#/components/schemas/Failure"}};
  return operation;
}

/// "GET" → "get".
std::string lower(std::string_view text) {
  std::string low;
  for (const char c : text) low += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return low;
}

}  // namespace

std::string openapi(const std::vector<Route>& routes) {
  Json document;
  document["openapi"] = "3.0.3";
  document["info"] = {{"title", "pipelined"}, {"version", std::to_string(protocol::version)}};
  document["components"]["schemas"]["Failure"] =
      Json::parse(protocol::json_schema<protocol::FailureReply>());
  document["components"]["securitySchemes"]["token"] = {{"type", "http"}, {"scheme", "bearer"}};
  document["security"] = Json::array({{{"token", Json::array()}}});
  for (const Route& route : routes) {
    document["paths"][route.path][lower(route.method)] = operation_of(route);
  }
  return document.dump();
}

}  // namespace pipelined::api
