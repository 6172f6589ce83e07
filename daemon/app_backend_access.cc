// Tokens and the audit log behind the interface.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/api/access.h"
#include "daemon/app_backend.h"
#include "daemon/store/tokens.h"

namespace pipelined {
namespace {

/// Denials a minute that are recorded: a caller must not be able to fill the disk with them.
constexpr std::int64_t denials_max = 30;
constexpr TimeMs minute_ms = 60'000;
constexpr std::size_t outcome_length_max = 400;

bool is_token_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '.' || c == '@';
  };
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), plain);
}

}  // namespace

AuditRow DaemonBackend::audit_row(const RequestOrigin& origin, std::string outcome) const {
  AuditRow row;
  row.at = parts_.clock.now().wall_ms;
  row.who = origin.who;
  row.role = origin.role;
  row.from = origin.from;
  row.action = origin.action;
  row.subject = origin.subject;
  row.body = origin.body;
  row.outcome = std::move(outcome);
  if (row.outcome.size() > outcome_length_max) row.outcome.resize(outcome_length_max);
  return row;
}

void DaemonBackend::on_applied(const Event& event, const effect::Reply* reply) {
  const auto found = waiting_.find(request_of(event));
  if (found == waiting_.end() || !found->second.origin) return;
  RequestOrigin& origin = *found->second.origin;
  std::string outcome = "taken";
  if (reply != nullptr) {
    outcome = reply->error ? "refused: " + reply->error->message : "done: " + reply->sentence;
  }
  parts_.store.append_audit(audit_row(origin, std::move(outcome)));
  origin.recorded = true;
}

void DaemonBackend::end_request(const OriginPointer& origin, const std::string& outcome) {
  if (!origin || origin->recorded) return;
  if (outcome == "denied") {
    const TimeMs now = parts_.clock.now().wall_ms;
    if (now - denials_since_ >= minute_ms || now < denials_since_) denials_since_ = now, denials_ = 0;
    if (parts_.note) parts_.note("denied", *origin, "");
    if (++denials_ > denials_max) return;
  } else if (outcome != "answered") {
    return;  // nothing was changed
  }
  if (const auto done = parts_.store.record_audit(audit_row(*origin, outcome)); !done) {
    if (parts_.note) parts_.note("audit_failed", *origin, done.error().message);
    return;
  }
  origin->recorded = true;
}

Result<std::string> DaemonBackend::create_token(const TokenWish& wish) {
  if (!is_token_name(wish.name)) {
    return Error{ErrorCode::invalid, "a token's name has 1 to 64 letters, digits, or any of -_.@"};
  }
  if (!api::parse_role(wish.role)) {
    return Error{ErrorCode::invalid, "the role of a token is viewer, operator, reviewer or admin, "
                                     "not " + pipelined::quoted(wish.role)};
  }
  std::array<std::uint8_t, 32> random{};
  CHECK(::getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size()));
  const std::string text = api::token_text(random);
  const TimeMs now = parts_.clock.now().wall_ms;
  TokenRow row;
  row.name = wish.name, row.role = wish.role, row.digest = sha256(text);
  row.created_at = now, row.created_by = wish.who;
  row.expires_at = wish.expires_in_ms > 0 ? now + wish.expires_in_ms : 0;
  const RequestOrigin origin = origin_ ? *origin_ : RequestOrigin{};
  TRY_VOID(put_token(parts_.store, row,
                     audit_row(origin, "done: token " + wish.name + " with role " + wish.role)));
  if (origin_) origin_->recorded = true;
  if (parts_.tokens_changed) parts_.tokens_changed();
  return text;
}

Result<void> DaemonBackend::revoke_token(const std::string& name, const std::string& who) {
  const RequestOrigin origin = origin_ ? *origin_ : RequestOrigin{};
  TRY_VOID(pipelined::revoke_token(parts_.store, name, parts_.clock.now().wall_ms, who,
                                   audit_row(origin, "done: token " + name + " revoked")));
  if (origin_) origin_->recorded = true;
  if (parts_.tokens_changed) parts_.tokens_changed();
  return {};
}

}  // namespace pipelined
