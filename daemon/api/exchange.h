// One request and its answer as handlers see them: plain data, no socket, no HTTP library.
//
// The connection code reads bytes into a `Request` after it has decided who asks and that this
// caller may; a handler answers once, now or later, through `Respond`.  Everything on the loop
// thread.  `Respond` may be called after the connection is gone; the answer then goes nowhere.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "dag/result.h"

namespace pipelined::api {

/// What a route demands and what a caller has; each includes those before it.
enum class Role {
  anyone,     ///< nothing is known of the caller
  viewer,     ///< reads everything, checks and plans
  operator_,  ///< changes what runs: applies, starts, cancels, drops
  reviewer,   ///< decides for people: accepts, approves, rejects
  admin,      ///< changes who may do what, and the daemon itself
};
/// "anyone", "viewer", "operator", "reviewer", "admin".
const char* name_of(Role role);
/// One of those words but "anyone"; nothing otherwise.
std::optional<Role> parse_role(std::string_view word);

/// Who asks, as the connection found out.
struct Caller {
  std::string who;           ///< "alice", "token ci"; recorded with decisions
  Role role = Role::anyone;
  std::vector<std::string> groups = {};  ///< names of the groups of a peer of the socket
  std::string from;          ///< "socket pid 4711", "127.0.0.1:50412"; for the audit log
};

/// A request whose path was matched.
struct Request {
  std::string method, path;
  std::map<std::string, std::string, std::less<>> query, captured;  ///< decoded once
  std::string body;
  Caller caller;
  /// Of routes for anyone, which judge their callers themselves: what they look at, lower case.
  std::map<std::string, std::string, std::less<>> headers = {};
  /// Calls the function on the loop thread after so many milliseconds.
  std::function<void(std::int64_t delay_ms, std::function<void()> what)> later;

  /// The value of a query parameter, or an empty text.
  std::string asked(std::string_view name) const;
  /// The value of a header that is kept, or an empty text.
  const std::string& header(std::string_view name) const;
  /// The value of `{name}` in the route's path.  REQUIRES: the route has it.
  const std::string& part(std::string_view name) const;
};

/// A file that is sent piece by piece; closed by whoever holds it last.
struct FileBody {
  FileBody(int open_descriptor, std::int64_t bytes) : descriptor(open_descriptor), size(bytes) {}
  ~FileBody();
  FileBody(const FileBody&) = delete;
  FileBody& operator=(const FileBody&) = delete;

  int descriptor;
  std::int64_t size;
};

/// Text that grows: `more` gives what has come since, empty for nothing now; after it returned
/// false for `goes_on` the answer ends.
struct GrowingBody {
  std::function<std::string()> more;
  std::function<bool()> goes_on;
};

/// Server-sent events of everything that changes; the connection subscribes.
struct EventsBody {
  std::string pipeline;      ///< only of this one; empty: of all
};

/// The answer to a request.
struct Answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::variant<std::string, std::shared_ptr<FileBody>, GrowingBody, EventsBody> body;
  std::vector<std::pair<std::string, std::string>> headers;
};

using Respond = std::function<void(Answer)>;

/// 200 with this JSON.
Answer json_answer(std::string json);
/// The status that fits the error, and {"error":{"code","message"}}.
Answer error_answer(const Error& error);
/// The same for what has no ErrorCode: 401, 405, 413, …
Answer error_answer(unsigned status, const std::string& code, const std::string& message);

}  // namespace pipelined::api
