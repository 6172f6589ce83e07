#include "daemon/api/access.h"

#include <algorithm>
#include <set>

namespace pipelined::api {
namespace {

/// Compares without leaving early.
bool same_digest(const Digest& a, const Digest& b) {
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.bytes.size(); ++i) {
    difference |= static_cast<unsigned>(a.bytes[i] ^ b.bytes[i]);
  }
  return difference == 0;
}

}  // namespace

Result<Token> make_token(const std::string& name, std::string_view text, Role role) {
  const bool hexadecimal = text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
  const std::set<char> different(text.begin(), text.end());
  if (text.size() < (hexadecimal ? 32u : 22u) || different.size() < 8) {
    return Error{ErrorCode::invalid,
                 "token '" + name + "' is too easy to guess: it needs 128 random bits, for example "
                 "from `openssl rand -hex 32`"};
  }
  if (text.find_first_of(" \t\r\n") != text.npos) {
    return Error{ErrorCode::invalid, "token '" + name + "' holds white space"};
  }
  return Token{name, sha256(text), role};
}

Caller caller_of(const Peer& peer, const SocketPolicy& policy) {
  Caller caller;
  caller.who = peer.name.empty() ? "uid " + std::to_string(peer.uid) : peer.name;
  const bool in_group = std::any_of(
      peer.groups.begin(), peer.groups.end(), [&](std::uint32_t group) {
        return std::find(policy.groups.begin(), policy.groups.end(), group) != policy.groups.end();
      });
  if (peer.uid == 0 || peer.uid == policy.own_uid || in_group) caller.role = Role::writer;
  return caller;
}

Caller caller_of(std::string_view authorization, const std::vector<Token>& tokens) {
  constexpr std::string_view scheme = "Bearer ";
  Caller caller;
  caller.who = "nobody";
  if (authorization.substr(0, scheme.size()) != scheme) return caller;
  const Digest given = sha256(authorization.substr(scheme.size()));
  for (const Token& token : tokens) {
    // Every token is compared, so that the time says nothing of which one was nearest.
    if (same_digest(given, token.digest)) {
      caller.who = "token " + token.name;
      caller.role = token.role;
    }
  }
  return caller;
}

bool is_our_host(std::string_view host, std::uint16_t port) {
  const std::string suffix = ":" + std::to_string(port);
  for (const char* name : {"localhost", "127.0.0.1", "[::1]"}) {
    if (host == name + suffix) return true;
  }
  return false;
}

}  // namespace pipelined::api
