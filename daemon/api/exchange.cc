#include "daemon/api/exchange.h"

#include <unistd.h>

#include "daemon/api/protocol.h"

namespace pipelined::api {

const char* name_of(Role role) {
  switch (role) {
    case Role::anyone: return "anyone";
    case Role::viewer: return "viewer";
    case Role::operator_: return "operator";
    case Role::reviewer: return "reviewer";
    case Role::admin: return "admin";
  }
  return "anyone";
}

std::optional<Role> parse_role(std::string_view word) {
  for (const Role role : {Role::viewer, Role::operator_, Role::reviewer, Role::admin}) {
    if (word == name_of(role)) return role;
  }
  return std::nullopt;
}

std::string Request::asked(std::string_view name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second;
}

const std::string& Request::header(std::string_view name) const {
  static const std::string absent;
  const auto found = headers.find(name);
  return found == headers.end() ? absent : found->second;
}

const std::string& Request::part(std::string_view name) const {
  const auto found = captured.find(name);
  CHECK(found != captured.end());
  return found->second;
}

FileBody::~FileBody() {
  if (descriptor >= 0) ::close(descriptor);
}

Answer json_answer(std::string json) {
  Answer answer;
  answer.body = std::move(json) + "\n";
  return answer;
}

namespace {

unsigned status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return 400;
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict: return 409;
    case ErrorCode::exhausted: return 507;
    case ErrorCode::unavailable: return 503;
    case ErrorCode::denied: return 403;
    case ErrorCode::cancelled: return 409;
    case ErrorCode::unsupported: return 501;
    case ErrorCode::corrupt:
    case ErrorCode::io:
    case ErrorCode::internal: return 500;
  }
  return 500;
}

}  // namespace

Answer error_answer(const Error& error) {
  return error_answer(status_of(error.code), name_of(error.code), error.message);
}

Answer error_answer(unsigned status, const std::string& code, const std::string& message) {
  Answer answer = json_answer(protocol::to_json(protocol::FailureReply{{code, message}}));
  answer.status = status;
  return answer;
}

}  // namespace pipelined::api
