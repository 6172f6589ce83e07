#include "tests/notify/receiver.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include <catch2/catch.hpp>

namespace pipelined::testing {

std::string Receiver::Request::header(const std::string& name) const {
  const std::size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

Receiver::Receiver(Answer answer) : answer_(std::move(answer)) {
  listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(listening_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listening_, 16) == 0);
  socklen_t length = sizeof address;
  REQUIRE(::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  port_ = ntohs(address.sin_port);
  REQUIRE(::pipe(stop_) == 0);
  thread_ = std::thread([this] { serve(); });
}

Receiver::~Receiver() {
  ::close(stop_[1]);
  thread_.join();
  for (int connection : open_) ::close(connection);
  ::close(listening_);
  ::close(stop_[0]);
}

std::string Receiver::url(const std::string& host) const {
  return "http://" + host + ":" + std::to_string(port_) + "/hook";
}

std::vector<Receiver::Request> Receiver::requests() {
  const std::lock_guard lock(mutex_);
  return requests_;
}

bool Receiver::wait_for(std::size_t count) {
  std::unique_lock lock(mutex_);
  return came_.wait_for(lock, std::chrono::seconds(10),
                        [this, count] { return requests_.size() >= count; });
}

void Receiver::serve() {
  for (;;) {
    pollfd waiting[2] = {{listening_, POLLIN, 0}, {stop_[0], POLLIN, 0}};
    ::poll(waiting, 2, -1);
    if (waiting[1].revents != 0) return;
    const int connection = ::accept(listening_, nullptr, nullptr);
    if (connection >= 0) serve_one(connection);
  }
}

void Receiver::serve_one(int connection) {
  std::string text;
  std::size_t end = std::string::npos, wanted = 0;
  char piece[4096];
  while (end == std::string::npos || text.size() < end + 4 + wanted) {
    const ssize_t length = ::read(connection, piece, sizeof piece);
    if (length <= 0) break;
    text.append(piece, static_cast<std::size_t>(length));
    end = text.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const std::size_t at = text.find("Content-Length: ");
    wanted = at == std::string::npos ? 0 : static_cast<std::size_t>(std::atoll(&text[at + 16]));
  }
  if (end == std::string::npos) return void(::close(connection));
  std::size_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = requests_.size();
    requests_.push_back({text.substr(0, end + 2), text.substr(end + 4)});
    came_.notify_all();
  }
  const std::string answer = answer_(number);
  if (answer.empty()) return open_.push_back(connection);
  std::size_t sent = 0;
  while (sent < answer.size()) {
    const ssize_t length =
        ::send(connection, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
    if (length <= 0) break;
    sent += static_cast<std::size_t>(length);
  }
  ::close(connection);
}

std::string reply(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) + " Word\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

void Loop::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  wake_.notify_one();
}

bool Loop::run_until(const std::function<bool()>& done) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!done()) {
    std::vector<std::function<void()>> tasks;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_until(lock, std::min(end, std::chrono::steady_clock::now() +
                                               std::chrono::milliseconds(20)),
                       [this] { return !tasks_.empty(); });
      tasks.swap(tasks_);
    }
    for (auto& task : tasks) task();
    if (std::chrono::steady_clock::now() > end) return done();
  }
  return true;
}

}  // namespace pipelined::testing
