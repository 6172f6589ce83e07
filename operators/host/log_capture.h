// The bounded file that keeps what an attempt prints.
//
// The first bytes are kept as they come, then only the last ones: between them stands a line that
// says how much was left out.  The file is readable at any time; behind the head it is brought up to
// date by `flush`.  An attempt that prints nothing has no file.  Writing never fails loudly: a full
// disk costs lines of the log, not the attempt.  One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operators/host/unique_fd.h"

namespace pipelined::host {

/// How many bytes of the beginning and of the end are kept.
struct LogBounds {
  std::size_t head_bytes = 1 << 20, tail_bytes = 1 << 20;
};

class LogCapture {
 public:
  /// The file is made at the first byte; it must not exist yet.
  LogCapture(std::string path, LogBounds bounds) : path_(std::move(path)), bounds_(bounds) {}

  /// From now on these texts are never written: stars stand in their place, however the pieces that
  /// were printed cut them.  Texts of fewer than 4 bytes are left.
  void hide(std::vector<std::string> secrets);
  /// Takes what was printed.
  void append(std::string_view bytes);
  /// Nothing more will be printed: what was held back is taken as it is.
  void end();
  /// Brings the file up to date.  Cheap when nothing happened.
  void flush();
  /// Adds a line of the host itself, then flushes.
  void finish(const std::string& line);
  /// The last lines that were printed, on one line, made harmless for JSON and terminals.
  std::string last_lines() const;
  /// Bytes printed so far.
  std::uint64_t total_bytes() const { return total_; }

 private:
  bool open_file();
  void take(std::string_view bytes);
  void write_at(std::uint64_t offset, std::string_view bytes);

  std::string path_;
  LogBounds bounds_;
  std::vector<std::string> hidden_;  ///< the longest first
  std::string held_;                 ///< printed, but may be the beginning of a hidden text
  UniqueFd file_;
  bool unusable_ = false, dirty_ = false;
  std::uint64_t total_ = 0, head_written_ = 0;
  std::string tail_;    ///< at most twice the bound
  std::string recent_;  ///< the last few hundred bytes
};

/// `text` with every byte that is no valid UTF-8 as `?` and control characters as blanks.
std::string harmless(std::string_view text);

}  // namespace pipelined::host
