// Tells systemd how the service is: started, alive, stopping.
//
// The protocol is one datagram of lines to a Unix socket, so that no library is linked for it.
// Without a socket every call does nothing.  Failures are not reported: a service manager that does
// not listen is no reason to stop.  It knows nothing of why the daemon is well.  Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace pipelined {

class ServiceNotifier {
 public:
  /// `socket`: the value of NOTIFY_SOCKET, a path or `@name`; empty: nobody listens.
  explicit ServiceNotifier(std::string socket) : socket_(std::move(socket)) {}

  /// The start is over: requests are answered.
  void ready(const std::string& status) const { send("READY=1\nSTATUS=" + status); }
  /// Everything made progress since the last call.
  void alive() const { send("WATCHDOG=1"); }
  /// The start takes longer than the manager allows; this much more is needed.
  void extend_start(std::int64_t usec) const {
    send("EXTEND_TIMEOUT_USEC=" + std::to_string(usec));
  }
  /// The configuration is read again; `ready` follows.
  void reloading(std::int64_t monotonic_usec) const {
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_usec));
  }
  void stopping() const { send("STOPPING=1"); }
  /// A line for `systemctl status`.
  void status(const std::string& text) const { send("STATUS=" + text); }

 private:
  void send(const std::string& lines) const;
  std::string socket_;
};

/// The watchdog's interval in milliseconds from WATCHDOG_USEC and WATCHDOG_PID; 0: there is none.
std::int64_t watchdog_interval_ms(const std::string& usec, const std::string& watched_pid,
                                  std::int64_t own_pid);

}  // namespace pipelined
