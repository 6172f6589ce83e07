// Tells the service manager that the daemon is alive, only when it is.
//
// Each beat asks the store's thread for a sign of life; the word goes out when that sign came back on
// the loop, so a wedged loop or a wedged thread is silent and the manager restarts the daemon.  A
// thread that is busy with one large file gives no sign for a while: then bytes that the process
// has moved since the last beat count.  Loop thread.
#pragma once

#include <cstdint>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace pipelined {

class Artifacts;
class ServiceNotifier;

class Watchdog {
 public:
  /// Beats twice in `interval_ms`; 0: never.  The references must outlive it.
  Watchdog(boost::asio::io_context& loop, Artifacts& artifacts, const ServiceNotifier& notifier,
           std::int64_t interval_ms);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pipelined
