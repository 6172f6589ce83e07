// The door to every kind of sink: webhooks, mail, commands.
//
// Makes of a message what its sink's kind wants and hands it to whoever carries it.  Secrets are
// looked up at each send, so that a changed one is used at once.  It knows nothing of tries and of
// the outbox.  Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/notify/command_sink.h"
#include "daemon/notify/sink.h"
#include "daemon/notify/webhook_client.h"
#include "dag/records.h"

namespace pipelined {

class Sinks : public WebhookTransport {
 public:
  struct Doors {
    std::function<Result<std::string>(const std::string& name)> secret;
    std::function<TimeMs()> wall_ms;
    std::function<void(std::function<void()>)> post;   ///< runs a function on the loop, later
  };

  /// The transports must outlive this.
  Sinks(WebhookTransport& client, CommandSink& commands, Doors doors);

  /// From now on these are the sinks.
  void set_sinks(std::vector<Sink> sinks) { sinks_ = std::move(sinks); }
  const Sink* find(const std::string& name) const;

  /// Sends to the sink that `request.sink` names; 200 when it took the message.
  void send(WebhookRequest request, std::function<void(Result<int>)> done) override;

 private:
  Result<void> sign(const Sink& sink, WebhookRequest& request) const;
  Result<void> make_mail(const Sink& sink, WebhookRequest& request) const;
  void run_command(const Sink& sink, const WebhookRequest& request,
                   std::function<void(Result<int>)> done);

  WebhookTransport& client_;
  CommandSink& commands_;
  Doors doors_;
  std::vector<Sink> sinks_;
};

}  // namespace pipelined
