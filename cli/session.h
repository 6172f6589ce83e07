// What a verb works with: its arguments, the daemon's address, where output goes, how to end.
//
// Data goes to `out`, everything else to `err`.  A session lasts for one command; tests make one
// with text streams.  It decides nothing about runs.  One thread.
#pragma once

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "cli/client.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "dag/explain.h"
#include "dag/result.h"
#include "daemon/api/protocol.h"

namespace pipelined::cli {

/// Exit codes that scripts rely on.
enum Exit : int {
  exit_done = 0,
  exit_failed = 1,
  exit_usage = 2,
  exit_halted = 3,
  exit_in_review = 4,
  exit_unreachable = 5,
  exit_rejected = 6,
  exit_denied = 7,
  exit_cancelled = 8,
  exit_timed_out = 124,
};

/// How data is written.
enum class Format { table, wide, json, yaml };

/// Where the words go and what the terminal can do.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  bool is_terminal = false;    ///< `out` is one: names are escaped, tables fit its width
  bool colour = false;
  int width = 0;               ///< columns; 0: not known, nothing is cut
};

/// The environment as far as pipectl looks at it; empty: not set.
struct Environment {
  std::string socket, url, token;           ///< PIPELINED_SOCKET, PIPELINED_URL, PIPELINED_TOKEN
  std::string runtime_dir, state_home, home;
  std::string worker, plugins;              ///< PIPELINED_WORKER, PIPELINED_PLUGINS
  std::string program_folder;               ///< where pipectl itself lies
  std::string token_file;                   ///< PIPELINED_TOKEN_FILE
  std::string authority;                    ///< PIPELINED_CA
};

class Session {
 public:
  Session(Terminal terminal_in, Environment environment_in, Arguments arguments_in);

  Terminal terminal;
  Environment environment;
  Arguments arguments;
  Format format = Format::table;
  bool quiet = false;

  /// The daemon's client, made when it is first needed.
  Client& client();

  /// Says what went wrong and gives the exit code that fits it.
  int fail(const Error& error);
  /// A remark for a person; nothing with --quiet.
  void say(const std::string& sentence);
  /// Text from outside, safe for this terminal.
  std::string safe(const std::string& text) const;

  /// Asks the daemon; the body of the reply is read as T, and kept in `raw` as it came.
  template <class T>
  Result<T> ask(const std::string& method, const std::string& target, const std::string& body = {}) {
    TRY(text, client().ask(method, target, body));
    raw_ = text;
    auto value = protocol::from_json<T>(text);
    if (!value) return value.error().within("the daemon's reply");
    return value;
  }
  template <class T>
  Result<T> get(const std::string& target) {
    return ask<T>("GET", target);
  }

  /// Puts a reply that was put together from several in the place of the last one.
  template <class T>
  void replace_reply(const T& value) {
    raw_ = protocol::to_json(value);
  }
  /// Writes the last reply as JSON or YAML if that is wanted, else what `tell` writes.
  int show(const std::function<void()>& tell);
  /// A table in this session's format.
  Table table(std::vector<Column> columns) const;
  void print(const Table& table);

 private:
  std::optional<Client> client_;
  std::string raw_;
};

/// The exit code of a run's state: 0 succeeded, 3 halted, …
int exit_of_state(const std::string& state);
/// The run that an argument means, for a target: digits or `last`.
std::string run_target(const Session& session, const std::string& rest = {});
/// "?a=b&c=d" of what is not empty, or nothing.
std::string query_of(const std::vector<std::pair<std::string, std::string>>& parameters);
/// "2026-01-31 08:15:00" in UTC, or "-" for never.
std::string short_time(protocol::Time time);
/// "2026-01-31 08:15:00.250" in UTC, or "-" for never.
std::string exact_time(protocol::Time time);

}  // namespace pipelined::cli
