#include "daemon/app_access.h"

#include <grp.h>
#include <pwd.h>

#include <algorithm>

namespace pipelined {

Result<api::SocketPolicy> socket_policy(const Config& config) {
  api::SocketPolicy policy;
  std::map<std::string, api::Role> groups = config.groups;
  if (!config.group.empty()) groups.emplace(config.group, api::Role::reviewer);
  for (const auto& [name, role] : groups) {
    const group* found = ::getgrnam(name.c_str());
    if (!found) return Error{ErrorCode::invalid, "there is no group " + name + " on this machine"};
    policy.groups[found->gr_gid] = std::max(policy.groups[found->gr_gid], role);
  }
  for (const auto& [name, role] : config.users) {
    const passwd* found = ::getpwnam(name.c_str());
    if (!found) return Error{ErrorCode::invalid, "there is no user " + name + " on this machine"};
    policy.users[found->pw_uid] = role;
  }
  return policy;
}

}  // namespace pipelined
