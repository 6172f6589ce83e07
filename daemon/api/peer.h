// Who is at the other end of a connected Unix socket, as the kernel tells.
//
// Reads SO_PEERCRED and SO_PEERGROUPS and the name of the user; keeps nothing.  Any thread.
#pragma once

#include "daemon/api/access.h"
#include "dag/result.h"

namespace pipelined::api {

/// The peer of a connected socket.
Result<Peer> peer_of(int socket);

/// Whether the peer has closed its side and nothing is left to read.
bool peer_is_gone(int socket);

}  // namespace pipelined::api
