#include "daemon/posix/sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "daemon/posix/unique_fd.h"

namespace pipelined {

void ServiceNotifier::send(const std::string& lines) const {
  sockaddr_un address{};
  if (socket_.size() < 2 || socket_.size() >= sizeof address.sun_path) return;
  if (socket_[0] != '/' && socket_[0] != '@') return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = 0;
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return;
  const std::size_t length = offsetof(sockaddr_un, sun_path) + socket_.size();
  // A manager that does not read now is told again at the next beat.
  static_cast<void>(::sendto(fd.get(), lines.data(), lines.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address),
                             static_cast<socklen_t>(length)));
}

std::int64_t watchdog_interval_ms(const std::string& usec, const std::string& watched_pid,
                                  std::int64_t own_pid) {
  if (!watched_pid.empty() && watched_pid != std::to_string(own_pid)) return 0;
  if (usec.empty() || usec.size() > 15) return 0;
  std::int64_t value = 0;
  for (const char c : usec) {
    if (c < '0' || c > '9') return 0;
    value = value * 10 + (c - '0');
  }
  return value / 1000;
}

}  // namespace pipelined
