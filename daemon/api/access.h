// Who may ask: peers of the Unix socket by user and group, peers over TCP by token.
//
// Decides from facts that the connection gathered; it opens no socket, reads no clock and keeps no
// state but the list of tokens.  Nobody is trusted for where they come from: over TCP a token is
// always needed, and the Host header must be ours, so that a web page elsewhere cannot reach in.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/api/exchange.h"
#include "dag/digest.h"
#include "dag/records.h"
#include "dag/result.h"

namespace pipelined::api {

/// Somebody who may come over TCP.
struct Token {
  std::string name;            ///< shown as "token NAME" beside decisions
  Digest digest;               ///< SHA-256 of the token's text; the text itself is not kept
  Role role = Role::viewer;
  TimeMs expires_at = 0;       ///< 0: never
};

/// Makes a token from a text that somebody else chose.  Refuses what has fewer than 128 bits: less
/// than 22 characters of base64 or 32 hexadecimal digits, or too few different ones.
Result<Token> make_token(const std::string& name, std::string_view text, Role role);

/// The text of a new token from 32 random bytes.
std::string token_text(const std::array<std::uint8_t, 32>& random);

/// The tokens that are good now, but for those that have expired.
class TokenBook {
 public:
  TokenBook() = default;
  explicit TokenBook(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  /// The caller behind an Authorization header; role `anyone` when it is absent, wrong or expired.
  /// Takes the same time for every wrong token.
  Caller caller_of(std::string_view authorization, TimeMs now) const;
  /// Whether a caller could come in with any of them.
  bool has_good(TimeMs now) const;

 private:
  std::vector<Token> tokens_;
};

/// Who may use the Unix socket besides root and the daemon's own user, who may everything.
struct SocketPolicy {
  std::uint32_t own_uid = 0;
  std::map<std::uint32_t, Role> users, groups;
};

/// The peer of a Unix socket as the kernel vouches for it.
struct Peer {
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> groups;   ///< primary and supplementary
  std::string name;                    ///< of the user; empty: unknown
  std::int64_t pid = 0;
  std::vector<std::string> group_names = {};  ///< of those groups that have one
};

/// The caller behind a Unix socket with the highest role that its user and groups give; `anyone`
/// when the policy does not know the peer.
Caller caller_of(const Peer& peer, const SocketPolicy& policy);

/// Whether a Host header names us: localhost or a loopback address with our port, or one of
/// `others` (lower case, without port) with any port or none.
bool is_our_host(std::string_view host, std::uint16_t port, const std::vector<std::string>& others);

/// What a request's header says about where it comes from.
struct Approach {
  bool over_tcp = false;
  std::size_t hosts = 0;               ///< how many Host fields there are
  std::string_view host, origin, site; ///< `site`: Sec-Fetch-Site; empty: absent
};

/// Why a request is refused before anything else is looked at.
struct Denial {
  unsigned status = 0;                 ///< 401, 403 or 421
  const char* sentence = "";
};

/// Judges host and page; nothing: they are fine.  Over TCP the host must be ours.  A page of another
/// site is refused on both doors, whatever the method.
std::optional<Denial> judge_approach(const Approach& approach, std::uint16_t port,
                                     const std::vector<std::string>& other_hosts);

/// Judges the role; nothing: it is enough.
std::optional<Denial> judge_role(bool over_tcp, Role has, Role needs);

}  // namespace pipelined::api
