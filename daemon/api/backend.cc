#include "daemon/api/backend.h"

namespace pipelined {
namespace {

Error not_here(const char* what) {
  return {ErrorCode::unsupported, std::string(what) + " is not offered by this daemon"};
}

}  // namespace

Result<std::string> Backend::create_token(const TokenWish&) { return not_here("making tokens"); }

Result<void> Backend::revoke_token(const std::string&, const std::string&) {
  return not_here("revoking tokens");
}

Result<std::string> Backend::secret(const std::string&) { return not_here("looking secrets up"); }

Result<ReloadOutcome> Backend::reload() { return not_here("reading the configuration again"); }

void Backend::test_sink(const std::string&, std::function<void(Result<std::string>)> done) {
  done(not_here("testing sinks"));
}

}  // namespace pipelined
