#include "daemon/api/peer.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace pipelined::api {
namespace {

std::string user_name(uid_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0) return {};
  return found == nullptr ? std::string() : std::string(found->pw_name);
}

std::string group_name(gid_t gid) {
  std::array<char, 16384> buffer{};
  group entry{};
  group* found = nullptr;
  if (::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) != 0) return {};
  return found == nullptr ? std::string() : std::string(found->gr_name);
}

}  // namespace

Result<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return Error{ErrorCode::io,
                 std::string("the kernel does not tell who connected: ") + std::strerror(errno)};
  }
  Peer peer;
  peer.uid = credentials.uid;
  peer.pid = credentials.pid;
  peer.name = user_name(credentials.uid);
  peer.groups.push_back(credentials.gid);
  std::vector<gid_t> groups(64);
  size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
  int outcome = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
  if (outcome != 0 && errno == ERANGE) {  // the kernel has set `size` to what it needs
    groups.resize(size / sizeof(gid_t) + 1);
    outcome = ::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size);
  }
  if (outcome == 0) {
    groups.resize(size / sizeof(gid_t));
    peer.groups.insert(peer.groups.end(), groups.begin(), groups.end());
  }
  for (const std::uint32_t id : peer.groups) {
    if (std::string name = group_name(id); !name.empty()) peer.group_names.push_back(std::move(name));
  }
  return peer;
}

bool peer_is_gone(int socket) {
  char byte = 0;
  const ssize_t got = ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace pipelined::api
