// A receiver of webhooks on a free port of this machine: a real HTTP/1.1 server, as small as it can
// be.  Keeps every request; answers what the test says.  Its own thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pipelined::testing {

class Receiver {
 public:
  struct Request {
    std::string head, body;
    /// The value of a header, by its name as it was sent.
    std::string header(const std::string& name) const;
  };
  /// Gives the whole answer to the request of that number (from 0); empty: never answers.
  using Answer = std::function<std::string(std::size_t)>;

  explicit Receiver(Answer answer);
  ~Receiver();

  std::string url(const std::string& host = "127.0.0.1") const;
  std::vector<Request> requests();
  /// Waits, running nothing meanwhile, until so many came or ten seconds have passed.
  bool wait_for(std::size_t count);

 private:
  void serve();
  void serve_one(int connection);

  Answer answer_;
  int listening_ = -1, stop_[2] = {-1, -1};
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Request> requests_;
  std::vector<int> open_;  ///< connections that are never answered
  std::thread thread_;
};

/// An answer with this status and body.
std::string reply(int status, const std::string& body = "");

/// A queue of functions that stands for the daemon's loop.
class Loop {
 public:
  void post(std::function<void()> task);
  /// Runs what is posted until `done` or ten seconds have passed; whether it was done.
  bool run_until(const std::function<bool()>& done);

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::function<void()>> tasks_;
};

}  // namespace pipelined::testing
