// What travels about tokens, the audit log, long work on the store, and pins: a part of protocol.h.
//
// Plain structs like the others there, with the same readers and writers.  Knows nothing of HTTP,
// sockets or the engine.
#pragma once

#include <map>

#include "daemon/api/protocol_basics.h"

namespace pipelined::protocol {

/// A token that was made or is wished for; `text` is shown when it is made, never again.
struct Token {
  std::string name, role, text;
  Time created_at, expires_at, revoked_at;
  std::string created_by, revoked_by, state;   ///< state: good expired revoked
};
struct TokenList {
  std::vector<Token> tokens;
};
struct TokenRequest {
  std::string name, role;
  std::int64_t expires_in_ms = 0;              ///< 0: never
};
struct AuditLine {
  std::int64_t number = 0;
  Time at;
  std::string who, role, from, action, subject, outcome, body, digest;
};
struct AuditLog {
  std::vector<AuditLine> lines;
};
struct AuditVerdict {
  bool whole = false;
  std::int64_t lines = 0;
  std::string head;                            ///< digest of the last line
  std::vector<std::string> problems;
};
struct ReloadReply {
  std::vector<std::string> changed, needs_restart, plugins, problems;
};
/// Long work on the store.
struct JobRequest {
  bool deep = false, dry_run = false;
  std::string folder;
  std::vector<std::string> secrets;
};
struct JobRow {
  std::string name, about, verdict, sentence;  ///< verdict: ok, violated or not_possible
  std::int64_t checked = 0, found = 0, bytes = 0;
  std::vector<std::string> findings;
  std::vector<std::int64_t> runs;              ///< affected ones
};
struct JobInfo {
  std::int64_t job = 0;
  std::string kind, state, error;              ///< state: copying, working, done or failed
  std::int64_t progress = 0;
  Time started_at, ended_at;
  bool ok = false;                             ///< done, and no row is violated
  std::vector<JobRow> rows;
};
struct PinRequest {
  std::string kind, subject, why;              ///< kind: artifact or run
};
struct PinInfo {
  std::string kind, subject, who, why;
  Time at;
};
struct PinList {
  std::vector<PinInfo> pins;
};

}  // namespace pipelined::protocol
