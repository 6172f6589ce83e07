#include "daemon/app_watchdog.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <fstream>
#include <string>

#include "daemon/artifacts/artifacts.h"
#include "daemon/posix/sd_notify.h"

namespace pipelined {
namespace {

/// Bytes between two beats below which the process is not said to copy anything.
constexpr std::int64_t copying_bytes = 1 << 20;

/// Bytes that this process has read and written so far; 0 where the system does not say.
std::int64_t bytes_moved() {
  std::ifstream facts("/proc/self/io");
  std::string name;
  std::int64_t value = 0, sum = 0;
  while (facts >> name >> value) {
    if (name == "rchar:" || name == "wchar:") sum += value;
  }
  return sum;
}

}  // namespace

struct Watchdog::State : std::enable_shared_from_this<State> {
  State(boost::asio::io_context& loop, Artifacts& store, const ServiceNotifier& service,
        std::int64_t interval_ms)
      : artifacts(store), notifier(service), interval(interval_ms / 2), timer(loop) {}

  void ask() {
    asked = true;
    // There is no artifact of that name; the answer still comes through the store's thread.
    artifacts.verify(Digest{}, [self = weak_from_this()](const Result<Verdict>&) {
      if (auto here = self.lock()) {
        here->asked = false;
        here->notifier.alive();
      }
    });
  }

  void beat() {
    const std::int64_t moved = bytes_moved();
    if (!asked) {
      ask();
    } else if (moved - moved_before > copying_bytes) {
      notifier.alive();
    }
    moved_before = moved;
    timer.expires_after(interval);
    timer.async_wait([self = weak_from_this()](const boost::system::error_code& error) {
      auto here = self.lock();
      if (here && !error) here->beat();
    });
  }

  Artifacts& artifacts;
  const ServiceNotifier& notifier;
  std::chrono::milliseconds interval;
  boost::asio::steady_timer timer;
  bool asked = false;
  std::int64_t moved_before = 0;
};

Watchdog::Watchdog(boost::asio::io_context& loop, Artifacts& artifacts,
                   const ServiceNotifier& notifier, std::int64_t interval_ms) {
  if (interval_ms <= 0) return;
  state_ = std::make_shared<State>(loop, artifacts, notifier, interval_ms);
  state_->beat();
}

Watchdog::~Watchdog() = default;

}  // namespace pipelined
