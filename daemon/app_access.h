// Users and groups of the configuration as the kernel numbers them.
//
// Looks names up in the system's lists; decides nothing.  Loop thread.
#pragma once

#include "daemon/api/access.h"
#include "daemon/config.h"

namespace pipelined {

/// Who may use the socket.  `group` of the configuration gives the role reviewer.  Errors: a user
/// or group that this machine does not know.
Result<api::SocketPolicy> socket_policy(const Config& config);

}  // namespace pipelined
