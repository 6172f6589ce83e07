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

bool is_good(const Token& token, TimeMs now) {
  return token.expires_at == 0 || now < token.expires_at;
}

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return made;
}

/// Whether a page at this origin is one of ours.
bool is_our_origin(std::string_view origin, std::uint16_t port,
                   const std::vector<std::string>& others) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.substr(0, scheme.size()) != scheme) continue;
    return is_our_host(origin.substr(scheme.size()), port, others);
  }
  return false;
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
  return Token{name, sha256(text), role, 0};
}

std::string token_text(const std::array<std::uint8_t, 32>& random) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text = "plt_";
  unsigned bits = 0, held = 0;
  for (const std::uint8_t byte : random) {
    bits = (bits << 8 | byte) & 0xffff;
    for (held += 8; held >= 6; held -= 6) text += digits[bits >> (held - 6) & 63];
  }
  return text + digits[bits << (6 - held) & 63];
}

Caller TokenBook::caller_of(std::string_view authorization, TimeMs now) const {
  constexpr std::string_view scheme = "Bearer ";
  Caller caller;
  caller.who = "nobody";
  if (authorization.substr(0, scheme.size()) != scheme) return caller;
  const Digest given = sha256(authorization.substr(scheme.size()));
  for (const Token& token : tokens_) {
    // Every token is compared, so that the time says nothing of which one was nearest.
    if (same_digest(given, token.digest) && is_good(token, now)) {
      caller.who = "token " + token.name;
      caller.role = token.role;
    }
  }
  return caller;
}

bool TokenBook::has_good(TimeMs now) const {
  return std::any_of(tokens_.begin(), tokens_.end(),
                     [now](const Token& token) { return is_good(token, now); });
}

Caller caller_of(const Peer& peer, const SocketPolicy& policy) {
  Caller caller;
  caller.who = peer.name.empty() ? "uid " + std::to_string(peer.uid) : peer.name;
  caller.groups = peer.group_names;
  caller.from = "socket" + (peer.pid > 0 ? " pid " + std::to_string(peer.pid) : std::string());
  if (peer.uid == 0 || peer.uid == policy.own_uid) {
    caller.role = Role::admin;
    return caller;
  }
  const auto give = [&caller](const std::map<std::uint32_t, Role>& roles, std::uint32_t id) {
    const auto found = roles.find(id);
    if (found != roles.end()) caller.role = std::max(caller.role, found->second);
  };
  give(policy.users, peer.uid);
  for (const std::uint32_t group : peer.groups) give(policy.groups, group);
  return caller;
}

bool is_our_host(std::string_view host, std::uint16_t port,
                 const std::vector<std::string>& others) {
  const std::string suffix = ":" + std::to_string(port);
  const std::string given = lower(host);
  for (const char* name : {"localhost", "127.0.0.1", "[::1]"}) {
    if (given == name + suffix) return true;
  }
  // A reverse proxy or our own TLS answers on a port of its own.
  const std::size_t colon = given.rfind(':');
  const bool digits = colon != given.npos && colon + 1 < given.size() &&
                      given.find_first_not_of("0123456789", colon + 1) == given.npos;
  const std::string name = digits ? given.substr(0, colon) : given;
  return std::find(others.begin(), others.end(), name) != others.end();
}

std::optional<Denial> judge_approach(const Approach& approach, std::uint16_t port,
                                     const std::vector<std::string>& other_hosts) {
  if (approach.over_tcp &&
      (approach.hosts != 1 || !is_our_host(approach.host, port, other_hosts))) {
    return Denial{421, "the Host header does not name this daemon"};
  }
  const bool same_site =
      approach.site.empty() || approach.site == "same-origin" || approach.site == "none";
  const bool our_page =
      approach.origin.empty() || is_our_origin(approach.origin, port, other_hosts);
  if (!same_site || !our_page) {
    return Denial{403, "the request comes from a page of another site"};
  }
  return std::nullopt;
}

std::optional<Denial> judge_role(bool over_tcp, Role has, Role needs) {
  if (has >= needs) return std::nullopt;
  if (over_tcp && has == Role::anyone) {
    return Denial{401, "a token is needed: Authorization: Bearer …"};
  }
  return Denial{403, "may not do this"};
}

}  // namespace pipelined::api
