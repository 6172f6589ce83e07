#include "daemon/posix/sd_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <catch2/catch.hpp>

#include "daemon/posix/unique_fd.h"

namespace pipelined {
namespace {

/// Plays the service manager: a datagram socket in a folder of its own.
class Manager {
 public:
  explicit Manager(bool abstract) {
    char name[] = "/tmp/notify-test-XXXXXX";
    folder_ = ::mkdtemp(name);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_ = abstract ? "@" + folder_ : folder_ + "/notify";
    std::memcpy(address.sun_path, path_.data(), path_.size());
    if (abstract) address.sun_path[0] = 0;
    fd_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
    REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length) == 0);
  }
  ~Manager() { std::filesystem::remove_all(folder_); }

  const std::string& path() const { return path_; }
  /// The oldest message, or "" when there is none.
  std::string receive() {
    char text[512];
    const ssize_t length = ::recv(fd_.get(), text, sizeof text, 0);
    return length > 0 ? std::string(text, static_cast<std::size_t>(length)) : "";
  }

 private:
  std::string folder_, path_;
  UniqueFd fd_;
};

}  // namespace

TEST_CASE("service notifier: the manager hears each word as one message", "[posix]") {
  Manager manager(GENERATE(false, true));
  const ServiceNotifier notifier(manager.path());
  notifier.ready("3 pipelines");
  notifier.alive();
  notifier.extend_start(5'000'000);
  notifier.reloading(77);
  notifier.stopping();
  CHECK(manager.receive() == "READY=1\nSTATUS=3 pipelines");
  CHECK(manager.receive() == "WATCHDOG=1");
  CHECK(manager.receive() == "EXTEND_TIMEOUT_USEC=5000000");
  CHECK(manager.receive() == "RELOADING=1\nMONOTONIC_USEC=77");
  CHECK(manager.receive() == "STOPPING=1");
  CHECK(manager.receive().empty());
}

TEST_CASE("service notifier: a manager that is absent or does not read holds up nobody", "[posix]") {
  ServiceNotifier("").alive();
  ServiceNotifier("relative").alive();
  ServiceNotifier("/nowhere/at/all").alive();
  ServiceNotifier(std::string(200, '/')).alive();
  Manager manager(false);
  const ServiceNotifier notifier(manager.path());
  for (int i = 0; i < 10'000; ++i) notifier.alive();  // far more than the socket's queue takes
  CHECK(manager.receive() == "WATCHDOG=1");
}

TEST_CASE("watchdog interval: only what is meant for this process counts", "[posix]") {
  CHECK(watchdog_interval_ms("30000000", "", 7) == 30'000);
  CHECK(watchdog_interval_ms("30000000", "7", 7) == 30'000);
  CHECK(watchdog_interval_ms("30000000", "8", 7) == 0);
  CHECK(watchdog_interval_ms("", "", 7) == 0);
  CHECK(watchdog_interval_ms("soon", "", 7) == 0);
  CHECK(watchdog_interval_ms("-5", "", 7) == 0);
  CHECK(watchdog_interval_ms("9999999999999999999999", "", 7) == 0);
}

}  // namespace pipelined
