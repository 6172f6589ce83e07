#include "daemon/notify/webhook_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace pipelined {
namespace {

bool is_private_four(std::uint32_t address) {
  struct Range {
    std::uint32_t network;
    int bits;
  };
  static constexpr Range ranges[] = {
      {0x00000000, 8},   // this network
      {0x0a000000, 8},   // private
      {0x64400000, 10},  // shared by carriers
      {0x7f000000, 8},   // loopback
      {0xa9fe0000, 16},  // link-local, where clouds keep their metadata
      {0xac100000, 12},  // private
      {0xc0000000, 24},  // protocol assignments
      {0xc0a80000, 16},  // private
      {0xc6120000, 15},  // benchmarks
      {0xe0000000, 3},   // multicast, reserved, broadcast
  };
  for (const Range& range : ranges) {
    const std::uint32_t mask = ~std::uint32_t{0} << (32 - range.bits);
    if ((address & mask) == range.network) return true;
  }
  return false;
}

std::uint32_t four_at(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

bool is_private_six(const in6_addr& address) {
  const std::uint8_t* bytes = address.s6_addr;
  static constexpr std::uint8_t zeros[12] = {};
  static constexpr std::uint8_t translated[12] = {0, 0x64, 0xff, 0x9b};
  if (IN6_IS_ADDR_V4MAPPED(&address)) return is_private_four(four_at(bytes + 12));
  if (std::memcmp(bytes, translated, 12) == 0) return is_private_four(four_at(bytes + 12));
  if (std::memcmp(bytes, zeros, 12) == 0) return true;  // ::, ::1 and the old mapped ones
  const bool local = (bytes[0] & 0xfe) == 0xfc;
  const bool link = bytes[0] == 0xfe && (bytes[1] & 0x80) == 0x80;
  return local || link || bytes[0] == 0xff;
}

/// Whether the address writes its host out, so that the administrator meant exactly that one.
bool names_host_literally(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  char* text = nullptr;
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &text, 0) != CURLUE_OK) {
    return false;
  }
  std::string host = text;
  curl_free(text);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  in6_addr address{};
  return host == "localhost" || inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

/// One delivery on its way; owns its curl handle.
struct Transfer {
  WebhookRequest request;
  std::function<void(Result<int>)> done;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  curl_slist* receivers = nullptr;
  std::size_t sent = 0;     ///< bytes of the mail
  std::size_t reply_bytes = 0, reply_bytes_max = 0;
  bool literal = false;     ///< the configuration names the host's very address
  bool refused = false;     ///< the name led to a private address
  bool too_long = false;    ///< the reply was cut

  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    if (easy) curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    curl_slist_free_all(receivers);
  }
};

curl_socket_t open_socket(void* context, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (!transfer.literal && is_private_address(address->addr)) {
    transfer.refused = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::size_t take_reply(char*, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  transfer.reply_bytes += size * count;
  transfer.too_long = transfer.reply_bytes > transfer.reply_bytes_max;
  return transfer.too_long ? 0 : size * count;
}

std::size_t give_mail(char* buffer, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string& text = transfer.request.body;
  const std::size_t piece = std::min(size * count, text.size() - transfer.sent);
  std::memcpy(buffer, text.data() + transfer.sent, piece);
  transfer.sent += piece;
  return piece;
}

bool append(curl_slist*& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list, line.c_str());
  if (longer) list = longer;
  return longer != nullptr;
}

bool set_up_mail(Transfer& transfer) {
  CURL* easy = transfer.easy;
  const WebhookRequest& request = transfer.request;
  for (const std::string& to : request.mail_to) {
    if (!append(transfer.receivers, "<" + to + ">")) return false;
  }
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, ("<" + request.mail_from + ">").c_str());
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, transfer.receivers);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &give_mail);
  curl_easy_setopt(easy, CURLOPT_READDATA, &transfer);
  // Without a password the mail may go unencrypted to a server on this machine; with one, never.
  curl_easy_setopt(easy, CURLOPT_USE_SSL,
                   static_cast<long>(request.user.empty() ? CURLUSESSL_TRY : CURLUSESSL_ALL));
  if (!request.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, request.password.c_str());
  }
  return true;
}

bool set_up_post(Transfer& transfer) {
  CURL* easy = transfer.easy;
  const std::string key = "Idempotency-Key: " + transfer.request.idempotency_key;
  for (const std::string& line : {std::string("Content-Type: application/json"), key,
                                  std::string("Expect:")}) {
    if (!append(transfer.headers, line)) return false;
  }
  for (const std::string& line : transfer.request.headers) {
    if (!append(transfer.headers, line)) return false;
  }
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer.request.body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(transfer.request.body.size()));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers);
  return true;
}

bool set_up(Transfer& transfer, const WebhookLimits& limits) {
  transfer.easy = curl_easy_init();
  CURL* easy = transfer.easy;
  if (!easy) return false;
  transfer.literal = transfer.request.allow_private || names_host_literally(transfer.request.url);
  transfer.reply_bytes_max = limits.reply_bytes_max;
  curl_easy_setopt(easy, CURLOPT_URL, transfer.request.url.c_str());
  const bool mail = !transfer.request.mail_from.empty();
  if (!(mail ? set_up_mail(transfer) : set_up_post(transfer))) return false;
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "pipelined");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  const std::int64_t timeout_ms =
      transfer.request.timeout_ms > 0 ? transfer.request.timeout_ms : limits.timeout_ms;
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &take_reply);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  return true;
}

/// A status, also of a reply that was longer than we care to read; or why there is none.
Result<int> outcome_of(const Transfer& transfer, CURLcode code) {
  if (transfer.refused) {
    return Error{ErrorCode::denied,
                 "the name in " + transfer.request.url +
                     " leads to this machine or a private network; to reach such a receiver "
                     "write its address instead of a name"};
  }
  if (code != CURLE_OK && !transfer.too_long) {
    const bool slow = code == CURLE_OPERATION_TIMEDOUT;
    return Error{ErrorCode::unavailable, "POST " + transfer.request.url + ": " +
                                             (slow ? "no reply in time" : curl_easy_strerror(code))};
  }
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

}  // namespace

bool is_private_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in four{};
    std::memcpy(&four, &address, sizeof four);
    return is_private_four(ntohl(four.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 six{};
    std::memcpy(&six, &address, sizeof six);
    return is_private_six(six.sin6_addr);
  }
  return true;  // a kind of address that we do not know is nobody's receiver
}

/// The thread and what it works on.
class WebhookClient::Worker {
 public:
  Worker(std::function<void(std::function<void()>)> post, WebhookLimits limits)
      : post_(std::move(post)), limits_(limits), alive_(std::make_shared<bool>(true)) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi_ = curl_multi_init();
    CHECK(multi_);
    thread_ = std::thread([this] { run(); });
  }
  ~Worker() {
    *alive_ = false;  // loop thread, as the callbacks that look at it
    stopping_ = true;
    curl_multi_wakeup(multi_);
    thread_.join();
    for (auto& [easy, transfer] : running_) curl_multi_remove_handle(multi_, easy);
    running_.clear();
    curl_multi_cleanup(multi_);
  }

  void send(WebhookRequest request, std::function<void(Result<int>)> done) {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->done = std::move(done);
    {
      const std::lock_guard lock(mutex_);
      inbox_.push_back(std::move(transfer));
    }
    curl_multi_wakeup(multi_);
  }

 private:
  void run() {
    while (!stopping_) {
      begin_waiting();
      int busy = 0;
      curl_multi_perform(multi_, &busy);
      finish_done();
      // The timeout only bounds a missed wake-up; transfers and `send` end the wait themselves.
      curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
  }

  void begin_waiting() {
    std::deque<std::unique_ptr<Transfer>> fresh;
    {
      const std::lock_guard lock(mutex_);
      fresh.swap(inbox_);
    }
    for (auto& transfer : fresh) {
      if (!set_up(*transfer, limits_)) {
        answer(*transfer, Error{ErrorCode::exhausted, "no memory for a delivery"});
        continue;
      }
      CURL* easy = transfer->easy;
      curl_multi_add_handle(multi_, easy);
      running_.emplace(easy, std::move(transfer));
    }
  }

  void finish_done() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      const auto found = running_.find(message->easy_handle);
      curl_multi_remove_handle(multi_, found->first);
      answer(*found->second, outcome_of(*found->second, code));
      running_.erase(found);
    }
  }

  void answer(Transfer& transfer, Result<int> outcome) {
    post_([alive = alive_, done = std::move(transfer.done), outcome = std::move(outcome)] {
      if (*alive) done(outcome);
    });
  }

  std::function<void(std::function<void()>)> post_;
  WebhookLimits limits_;
  std::shared_ptr<bool> alive_;  ///< touched by the loop thread alone
  CURLM* multi_ = nullptr;
  std::mutex mutex_;             ///< guards inbox_
  std::deque<std::unique_ptr<Transfer>> inbox_;
  std::map<CURL*, std::unique_ptr<Transfer>> running_;  ///< of the thread
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

WebhookClient::WebhookClient(std::function<void(std::function<void()>)> post, WebhookLimits limits)
    : worker_(std::make_unique<Worker>(std::move(post), limits)) {}

WebhookClient::~WebhookClient() = default;

void WebhookClient::send(WebhookRequest request, std::function<void(Result<int>)> done) {
  worker_->send(std::move(request), std::move(done));
}

}  // namespace pipelined
