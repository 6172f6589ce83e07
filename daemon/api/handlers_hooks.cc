// Calls from outside that fire a trigger: judged by the webhook's own secret, not by roles.
#include <algorithm>
#include <chrono>

#include "daemon/api/asking.h"
#include "daemon/api/handlers.h"
#include "dag/hook_signature.h"
#include "operators/value_json.h"

namespace pipelined::api {
namespace {

constexpr std::string_view bearer = "Bearer ";

std::int64_t seconds_now() {
  using std::chrono::duration_cast, std::chrono::seconds, std::chrono::system_clock;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

/// Whether the pipeline in force has that webhook.
bool has_hook(Backend& backend, const std::string& name, const std::string& hook) {
  const auto pipeline = backend.pipeline(name);
  if (!pipeline) return false;
  const auto& triggers = pipeline->spec.triggers;
  return std::any_of(triggers.begin(), triggers.end(),
                     [&](const TriggerSpec& trigger) { return trigger.webhook == hook; });
}

/// Whether the caller knows the secret: the call is signed with it, or carries it as its token.
bool knows(const Request& request, const std::string& secret) {
  if (secret.empty()) return false;
  if (!request.header("webhook-signature").empty()) {
    return is_signed(secret, {request.header("webhook-id"), request.header("webhook-timestamp"),
                              request.header("webhook-signature"), request.body},
                     seconds_now());
  }
  const std::string_view given = request.header("authorization");
  return given.starts_with(bearer) && same_secret(given.substr(bearer.size()), secret);
}

/// The parameters in the body; what else a sender puts there is its own business.
Result<ValueTable> params_in(const std::string& body) {
  if (body.empty()) return ValueTable{};
  TRY(value, value_from_json(body));
  const ValueTable* table = value.as_table();
  if (table == nullptr) return Error{ErrorCode::invalid, "the call's body is no JSON object"};
  const auto params = table->find("params");
  if (params == table->end()) return ValueTable{};
  if (params->second.as_table() == nullptr) {
    return Error{ErrorCode::invalid, "the call's params are no JSON object"};
  }
  return *params->second.as_table();
}

}  // namespace

void post_hook(Backend& backend, const Request& request, const Respond& respond) {
  event::HookCalled call;
  call.pipeline = request.part("pipeline"), call.hook = request.part("hook");
  const bool known = !call.hook.empty() && has_hook(backend, call.pipeline, call.hook);
  const auto secret = backend.secret("webhook-" + call.pipeline + "-" + call.hook);
  if (!known || !secret || !knows(request, *secret)) {
    // The same words whether the name or the secret is wrong: nobody finds out which hooks there are.
    respond(error_answer(401, "denied", "there is no such webhook, or the call is not signed with "
                                        "its secret, or it is older than five minutes"));
    return;
  }
  call.delivery = request.header("webhook-id");
  if (call.delivery.empty()) {
    return refuse(respond, {ErrorCode::invalid, "a call needs an id of its own, the same when it is "
                                                "sent again: webhook-id: …"});
  }
  auto params = params_in(request.body);
  if (!params) return refuse(respond, params.error());
  call.params = *std::move(params), call.who = "webhook " + call.hook;
  submit(backend, std::move(call), respond);
}

}  // namespace pipelined::api
