// One line of the audit log and the chain that binds the lines.
//
// Each row's digest covers its own fields and the digest of the row before it, so that no row can be
// changed, taken out or put between others without every later digest being wrong.  Rows are written
// by the store inside the turn that has the effect.  Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dag/digest.h"
#include "dag/records.h"

namespace pipelined {

/// Who did what from where, and what came of it.
struct AuditRow {
  std::int64_t number = 0;   ///< from 1, without gaps
  TimeMs at = 0;
  std::string who;           ///< "alice", "token ci", "file /etc/…"
  std::string role;          ///< at that moment: "operator"
  std::string from;          ///< "socket pid 4711", "127.0.0.1:50412"
  std::string action;        ///< "POST /api/v1/pipelines/{pipeline}/runs"
  std::string subject;       ///< "POST"'s own path: "/api/v1/pipelines/flights/runs"
  std::string outcome;       ///< "done: …", "refused: …", "denied: …"
  Digest body;               ///< of what was sent; zero: nothing
  Digest previous, digest;   ///< of the row before, and of this one
};

/// The digest that a row must have: over every field but `digest` itself.
Digest audit_digest(const AuditRow& row);

/// What is wrong with `row` when it comes after a row of number and digest `number` and `previous`
/// (0 and zero: it is the first); nothing: it is the next link of the chain.
std::optional<std::string> audit_breach(const AuditRow& row, std::int64_t number,
                                        const Digest& previous);

}  // namespace pipelined
