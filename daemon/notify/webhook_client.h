// Posts one JSON text to one HTTP address, or hands one mail to a mail server, carefully.
//
// The thread of a WebhookClient does all network work, several deliveries at a time, so that a
// receiver that hangs holds up neither the loop nor other receivers.  Redirects are not followed,
// proxies of the environment not used, certificates checked.  A name is never followed to an address
// of this machine or a private network (only an address that the configuration writes out itself,
// or `localhost`, may be one).  It knows nothing of alerts, tries or the outbox.
// Calls come from the loop thread and callbacks run there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dag/result.h"

struct sockaddr;

namespace pipelined {

/// One message on its way: a POST, or a mail if `mail_from` is set.
struct WebhookRequest {
  std::string url;              ///< http, https, smtp or smtps
  std::string idempotency_key;  ///< the same for every try of one alert
  std::string body;             ///< JSON; of a mail its whole text
  std::string sink = {}, summary = {};    ///< the sink's name; the message in one line
  std::vector<std::string> headers = {};   ///< more headers of a POST, "Name: value"
  bool allow_private = false;         ///< a name may lead to a private address
  std::string mail_from = {}, user = {}, password = {};
  std::vector<std::string> mail_to = {};
  std::int64_t timeout_ms = 0;        ///< 0: the client's
};

/// Whatever carries requests away; tests put another in its place.
class WebhookTransport {
 public:
  virtual ~WebhookTransport() = default;
  /// `done` gets the HTTP status, or why there is none; later, on the loop thread, once.
  virtual void send(WebhookRequest request, std::function<void(Result<int>)> done) = 0;
};

/// Bounds of one delivery; tests shorten them.
struct WebhookLimits {
  std::int64_t timeout_ms = 10'000;      ///< from name to the end of the reply
  std::size_t reply_bytes_max = 65'536;  ///< what comes beyond is not read
};

/// The real transport.
class WebhookClient : public WebhookTransport {
 public:
  /// `post` runs a function on the loop thread; it is called from the client's own thread.
  explicit WebhookClient(std::function<void(std::function<void()>)> post, WebhookLimits limits = {});
  /// Gives up what is on its way; its callbacks do not come any more.
  ~WebhookClient() override;

  void send(WebhookRequest request, std::function<void(Result<int>)> done) override;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

/// Whether an address is of this machine, a private network or none that a receiver can have.
bool is_private_address(const sockaddr& address);

}  // namespace pipelined
