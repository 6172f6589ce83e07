#include "daemon/notify/sinks.h"

#include <utility>

#include "daemon/notify/message.h"
#include "dag/hook_signature.h"

namespace pipelined {
namespace {

constexpr std::size_t summary_bytes_max = 400;

/// One line without control characters: it becomes a header or a variable of an environment.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (text.size() > summary_bytes_max) text.resize(summary_bytes_max);
  return text;
}

}  // namespace

Sinks::Sinks(WebhookTransport& client, CommandSink& commands, Doors doors)
    : client_(client), commands_(commands), doors_(std::move(doors)) {}

const Sink* Sinks::find(const std::string& name) const {
  for (const Sink& sink : sinks_) {
    if (sink.name == name) return &sink;
  }
  return nullptr;
}

Result<void> Sinks::sign(const Sink& sink, WebhookRequest& request) const {
  if (sink.secret.empty()) return {};
  TRY(secret, doors_.secret(sink.secret));
  const std::int64_t seconds = doors_.wall_ms() / 1000;
  request.headers.push_back("webhook-id: " + request.idempotency_key);
  request.headers.push_back("webhook-timestamp: " + std::to_string(seconds));
  request.headers.push_back("webhook-signature: " + hook_signature(secret, request.idempotency_key,
                                                                      seconds, request.body));
  return {};
}

Result<void> Sinks::make_mail(const Sink& sink, WebhookRequest& request) const {
  Mail mail;
  mail.from = sink.from, mail.to = sink.to, mail.key = request.idempotency_key;
  mail.subject = one_line(request.summary);
  mail.text = request.summary + "\n\n" + request.body + "\n";
  mail.at = doors_.wall_ms();
  TRY(text, mail_text(mail));
  request.body = std::move(text);
  request.mail_from = sink.from, request.mail_to = sink.to, request.user = sink.user;
  if (!sink.secret.empty()) {
    TRY(password, doors_.secret(sink.secret));
    while (!password.empty() && password.back() == '\n') password.pop_back();
    request.password = std::move(password);
  }
  return {};
}

void Sinks::run_command(const Sink& sink, const WebhookRequest& request,
                        std::function<void(Result<int>)> done) {
  CommandRun run{sink.argv, request.idempotency_key, sink.name, one_line(request.summary),
                 request.body + "\n", sink.timeout_ms};
  commands_.run(std::move(run), [done = std::move(done)](Result<int> status) {
    if (!status) return done(status.error());
    if (*status == 0) return done(200);
    done(Error{ErrorCode::unavailable, "the command ended with status " + std::to_string(*status)});
  });
}

void Sinks::send(WebhookRequest request, std::function<void(Result<int>)> done) {
  const Sink* sink = find(request.sink);
  if (sink == nullptr) {
    // It was taken out of the configuration after the message was queued.
    return doors_.post([done = std::move(done), name = request.sink] {
      done(Error{ErrorCode::not_found, "the configuration names no sink " + name});
    });
  }
  request.url = sink->target;
  request.allow_private = sink->allow_private;
  request.timeout_ms = sink->timeout_ms;
  if (sink->kind == "command") return run_command(*sink, request, std::move(done));
  const auto made = sink->kind == "smtp" ? make_mail(*sink, request) : sign(*sink, request);
  if (!made) return doors_.post([done = std::move(done), error = made.error()] { done(error); });
  client_.send(std::move(request), std::move(done));
}

}  // namespace pipelined
