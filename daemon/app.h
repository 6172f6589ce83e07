// The daemon put together: which parts there are, who knows whom, in which order they start and end.
//
// Start: lock, database, artifacts, plugins, engine, watching, interface, READY.  Stop: nothing new
// is taken, attempts are killed (they count no try), everything is closed in the opposite order.
// This is the only place that knows all parts, and it does no work of its own.  Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "daemon/config.h"
#include "daemon/log.h"

namespace boost::asio {
class io_context;
}

namespace pipelined {

/// What the program knows of itself when it starts.
struct AppOptions {
  Config config;
  CommandLine line;                ///< over the file again when it is read again
  Surroundings surroundings;
  std::string notify_socket;       ///< of the service manager; empty: none
  std::int64_t watchdog_ms = 0;    ///< 0: nobody watches
  std::string credentials_folder;  ///< where the service manager put secrets; empty: nowhere
};

class App {
 public:
  /// Starts everything; `READY` has been said when this returns.  Errors are sentences for whoever
  /// started the program.
  static Result<std::unique_ptr<App>> start(boost::asio::io_context& loop, Log& log,
                                            AppOptions options);
  /// Closes everything, in order.
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  /// Reads configuration and plugins again; what takes effect only at a start is named in the log.
  void reload();
  /// Ends cleanly and stops the loop.  `patiently`: attempts that run may end by themselves for as
  /// long as the configuration says, else they are killed at once.  A second call kills them, a
  /// third does not wait for anything.
  void stop(bool patiently);
  /// What the program should return after the loop has ended.
  int exit_code() const;
  /// The port of `listen`, for tests; 0: none.
  std::uint16_t port() const;

 private:
  struct State;
  explicit App(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pipelined
