// Bytes to a server and what comes back, for requests that no proper client would send.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstring>
#include <string>

namespace pipelined::test {

/// A connected socket of either kind.
class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET, address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    bound_patience();
  }
  explicit RawConnection(const std::string& path) : descriptor_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    bound_patience();
  }
  ~RawConnection() { ::close(descriptor_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  void send(const std::string& bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t put =
          ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (put <= 0) return;  // the server may refuse before it has read everything
      sent += static_cast<std::size_t>(put);
    }
  }
  /// Everything until the server closes.
  std::string rest() {
    std::string all;
    for (std::string piece = some(); !piece.empty(); piece = some()) all += piece;
    return all;
  }
  /// Everything up to and including `mark`.
  std::string until(const std::string& mark) {
    while (kept_.find(mark) == std::string::npos) {
      const std::string piece = some();
      if (piece.empty()) break;
      kept_ += piece;
    }
    const std::size_t end = std::min(kept_.size(), kept_.find(mark) + mark.size());
    std::string text = kept_.substr(0, end);
    kept_.erase(0, end);
    return text;
  }

 private:
  void bound_patience() {
    const timeval limit{10, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }
  std::string some() {
    std::array<char, 4096> piece{};
    const ssize_t got = ::recv(descriptor_, piece.data(), piece.size(), 0);
    return got <= 0 ? std::string() : std::string(piece.data(), static_cast<std::size_t>(got));
  }
  int descriptor_;
  std::string kept_;
};

/// The status of a reply, 0 if it is none.
inline int status_of(const std::string& reply) {
  return reply.substr(0, 9) == "HTTP/1.1 " ? std::stoi(reply.substr(9, 3)) : 0;
}
/// What follows the header.
inline std::string body_of(const std::string& reply) {
  const std::size_t end = reply.find("\r\n\r\n");
  return end == std::string::npos ? std::string() : reply.substr(end + 4);
}

}  // namespace pipelined::test
