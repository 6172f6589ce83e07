// The tokens of the HTTP port as rows: who made them, what they are good for, whether they still are.
//
// A token's text is never here, only its SHA-256.  Every change is one turn together with its line of
// the audit log.  Rows are kept when a token is revoked.  Loop thread, outside of turns.
#pragma once

#include <string>
#include <vector>

#include "daemon/store/store.h"
#include "dag/audit.h"
#include "dag/digest.h"

namespace pipelined {

/// One token.
struct TokenRow {
  std::string name;          ///< of tokens that are not revoked no two have the same
  Digest digest;             ///< of its text
  std::string role;          ///< "viewer", "operator", "reviewer", "admin"
  TimeMs created_at = 0, expires_at = 0, revoked_at = 0;  ///< 0: never
  std::string created_by, revoked_by;
};

/// All tokens ever made, newest first.
std::vector<TokenRow> list_tokens(Store& store);
/// Records a new token.  Error `conflict`: one of this name is in use.
Result<void> put_token(Store& store, const TokenRow& token, AuditRow audit);
/// The token is good no more.  Error `not_found`: none of this name is in use.
Result<void> revoke_token(Store& store, const std::string& name, TimeMs at, const std::string& who,
                          AuditRow audit);

}  // namespace pipelined
