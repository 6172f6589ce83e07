// Handlers that concern who may do what: tokens, the audit log, reloading, sinks.
#include <chrono>

#include "daemon/api/asking.h"
#include "daemon/api/handlers.h"
#include "daemon/store/audit.h"
#include "daemon/store/tokens.h"

namespace pipelined::api {
namespace {

TimeMs wall_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

protocol::Token token_of(const TokenRow& row, TimeMs now) {
  protocol::Token token;
  token.name = row.name, token.role = row.role;
  token.created_at = {row.created_at}, token.expires_at = {row.expires_at};
  token.revoked_at = {row.revoked_at}, token.created_by = row.created_by;
  token.revoked_by = row.revoked_by;
  const bool expired = row.expires_at != 0 && now >= row.expires_at;
  token.state = row.revoked_at != 0 ? "revoked" : expired ? "expired" : "good";
  return token;
}

}  // namespace

void get_tokens(Backend& backend, const Request&, const Respond& respond) {
  protocol::TokenList reply;
  const TimeMs now = wall_now();
  for (const TokenRow& row : list_tokens(backend.store())) {
    reply.tokens.push_back(token_of(row, now));
  }
  answer(respond, reply);
}

void post_token(Backend& backend, const Request& request, const Respond& respond) {
  const auto wish = read_body<protocol::TokenRequest>(request);
  if (!wish) return refuse(respond, wish.error());
  if (wish->expires_in_ms < 0) {
    return refuse(respond, {ErrorCode::invalid, "a token cannot expire before it is made"});
  }
  const auto text = backend.create_token(
      {wish->name, wish->role, request.caller.who, wish->expires_in_ms});
  if (!text) return refuse(respond, text.error());
  protocol::Token reply;
  for (const TokenRow& row : list_tokens(backend.store())) {
    if (row.name == wish->name && row.revoked_at == 0) reply = token_of(row, wall_now());
  }
  reply.text = *text;
  answer(respond, reply);
}

void post_token_revoke(Backend& backend, const Request& request, const Respond& respond) {
  const std::string& name = request.part("token");
  const auto done = backend.revoke_token(name, request.caller.who);
  if (!done) return refuse(respond, done.error());
  answer(respond, protocol::Done{0, "Token " + name + " is good no more."});
}

void get_audit(Backend& backend, const Request& request, const Respond& respond) {
  const auto limit = asked_number(request, "limit", 50, 1, view_limit_max);
  if (!limit) return refuse(respond, limit.error());
  const auto before = asked_number(request, "before", 0, 0, INT64_MAX);
  if (!before) return refuse(respond, before.error());
  protocol::AuditLog reply;
  for (const AuditRow& row : list_audit(
           backend.store(), {request.asked("who"), *before, static_cast<int>(*limit)})) {
    reply.lines.push_back({row.number, {row.at}, row.who, row.role, row.from, row.action,
                           row.subject, row.outcome, row.body ? row.body.hex() : std::string(),
                           row.digest.hex()});
  }
  answer(respond, reply);
}

void get_audit_check(Backend& backend, const Request&, const Respond& respond) {
  const AuditCheck check = verify_audit(backend.store());
  answer(respond, protocol::AuditVerdict{check.problems.empty(), check.rows,
                                         check.head ? check.head.hex() : std::string(),
                                         check.problems});
}

void post_reload(Backend& backend, const Request&, const Respond& respond) {
  const auto outcome = backend.reload();
  if (!outcome) return refuse(respond, outcome.error());
  answer(respond, protocol::ReloadReply{outcome->changed, outcome->needs_restart,
                                        outcome->plugins, outcome->problems});
}

void post_sink_test(Backend& backend, const Request& request, const Respond& respond) {
  backend.test_sink(request.part("sink"), [respond](Result<std::string> said) {
    if (!said) return refuse(respond, said.error());
    answer(respond, protocol::Done{0, *said});
  });
}

}  // namespace pipelined::api
