#include "daemon/store/tokens.h"

#include "daemon/store/sqlite.h"

namespace pipelined {
namespace {

bool in_use(Store& store, const std::string& name) {
  Query query(store.database(), "SELECT 1 FROM tokens WHERE name = ?1 AND revoked_at = 0", name);
  return query.next();
}

}  // namespace

std::vector<TokenRow> list_tokens(Store& store) {
  std::vector<TokenRow> rows;
  Query query(store.database(),
              "SELECT name, digest, role, created_at, expires_at, revoked_at, created_by, "
              "revoked_by FROM tokens ORDER BY id DESC");
  while (query.next()) {
    rows.push_back({query.string(0), query.digest(1), query.string(2), query.integer(3),
                    query.integer(4), query.integer(5), query.string(6), query.string(7)});
  }
  return rows;
}

Result<void> put_token(Store& store, const TokenRow& token, AuditRow audit) {
  if (in_use(store, token.name)) {
    return Error{ErrorCode::conflict, "there is a token '" + token.name +
                                          "' already; revoke it first, or choose another name"};
  }
  TRY_VOID(store.begin());
  store.database().run("INSERT INTO tokens (name, digest, role, created_at, expires_at, revoked_at, "
                       "created_by, revoked_by) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, '')",
                       token.name, token.digest, token.role, token.created_at, token.expires_at,
                       token.created_by);
  store.append_audit(std::move(audit));
  return store.commit();
}

Result<void> revoke_token(Store& store, const std::string& name, TimeMs at, const std::string& who,
                          AuditRow audit) {
  if (!in_use(store, name)) {
    return Error{ErrorCode::not_found,
                 "there is no token '" + name + "' in use; `pipectl token list` shows them"};
  }
  TRY_VOID(store.begin());
  store.database().run("UPDATE tokens SET revoked_at = ?2, revoked_by = ?3 "
                       "WHERE name = ?1 AND revoked_at = 0", name, at, who);
  store.append_audit(std::move(audit));
  return store.commit();
}

}  // namespace pipelined
