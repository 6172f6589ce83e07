// Who may ask: peers of the Unix socket by user, peers over TCP by token.
//
// Decides from facts that the connection gathered; it opens no socket and keeps no state.  Nobody
// is trusted for where they come from: on the loopback address a token is always needed, and the
// Host header must be ours, so that a web page elsewhere cannot reach in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/api/exchange.h"
#include "dag/digest.h"
#include "dag/result.h"

namespace pipelined::api {

/// Somebody who may come over TCP.
struct Token {
  std::string name;            ///< shown as "token NAME" beside decisions
  Digest digest;               ///< SHA-256 of the token's text; the text itself is not kept
  Role role = Role::writer;
};

/// Makes a token from its text.  Refuses what has fewer than 128 bits: less than 22 characters of
/// base64 or 32 hexadecimal digits, or too few different ones.
Result<Token> make_token(const std::string& name, std::string_view text, Role role);

/// Who may use the Unix socket besides root and the daemon's own user.
struct SocketPolicy {
  std::uint32_t own_uid = 0;
  std::vector<std::uint32_t> groups;   ///< members of these may
};

/// The peer of a Unix socket as the kernel vouches for it.
struct Peer {
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> groups;   ///< primary and supplementary
  std::string name;                    ///< of the user; empty: unknown
};

/// The caller behind a Unix socket; role `anyone` when the policy does not know the peer.
Caller caller_of(const Peer& peer, const SocketPolicy& policy);

/// The caller behind an Authorization header; role `anyone` when it is absent or wrong.  Takes the
/// same time for every wrong token.
Caller caller_of(std::string_view authorization, const std::vector<Token>& tokens);

/// Whether a Host header names us: localhost or a loopback address, with our port.
bool is_our_host(std::string_view host, std::uint16_t port);

}  // namespace pipelined::api
