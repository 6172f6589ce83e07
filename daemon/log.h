// The daemon's log: one line a fact, `event key=value …`, for people who run it and their tools.
//
// Lines go to standard error through a bounded queue and a thread of its own: a stuck terminal or
// pipe never holds up the loop; the oldest lines are dropped instead and counted.  Under systemd the
// lines carry the journal's priorities, else time and level.  It is made once and handed down by
// reference; nothing in dag knows it.  Any thread.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/config.h"

namespace pipelined {

/// One `key=value` of a line; values with blanks or control characters are quoted.
struct LogField {
  LogField(const char* name, std::string_view text);
  LogField(const char* name, const std::string& text) : LogField(name, std::string_view(text)) {}
  LogField(const char* name, const char* text) : LogField(name, std::string_view(text)) {}
  LogField(const char* name, std::int64_t number);

  const char* key;
  std::string value;
};

/// The line of a fact without time and level: `run_changed run=4 state=halted`.
std::string log_line(const char* event, std::initializer_list<LogField> fields);

class Log {
 public:
  /// `journal`: standard error is read by systemd's journal.
  Log(LogLevel level, bool journal);
  /// Writes what waits.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// From now on less or more is written.
  void set_level(LogLevel level);

  void debug(const char* event, std::initializer_list<LogField> fields = {});
  void info(const char* event, std::initializer_list<LogField> fields = {});
  void warning(const char* event, std::initializer_list<LogField> fields = {});
  void error(const char* event, std::initializer_list<LogField> fields = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace pipelined
