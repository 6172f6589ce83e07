// Whether the log of the database comes down again, as it does after every checkpoint.
//
// A log that stays large means that checkpoints do not finish, for example because the disk refuses
// writes to the database itself while it takes those to the log; commits go on, and starts and reads
// become slower and slower.  Pure; the owner says how large it is and when.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace pipelined {

class WalWatch {
 public:
  /// So large it never stays: after a checkpoint it is cut to 64 MiB (daemon/store/sqlite.cc).
  static constexpr std::int64_t large_bytes = 96 << 20;
  /// So long it may be.
  static constexpr std::int64_t patience_ms = 600'000;

  /// A sentence once an episode: when it has been large for so long.
  std::optional<std::string> look(std::int64_t bytes, std::int64_t steady_ms) {
    if (bytes < large_bytes) {
      large_since_.reset();
      told_ = false;
      return std::nullopt;
    }
    if (!large_since_) large_since_ = steady_ms;
    if (told_ || steady_ms - *large_since_ < patience_ms) return std::nullopt;
    told_ = true;
    return "the log of the database has " + std::to_string(bytes >> 20) + " MiB and has not shrunk for " +
           std::to_string((steady_ms - *large_since_) / 60'000) +
           " minutes: its pages cannot be written to state.db; look at the disk of the state folder";
  }

 private:
  std::optional<std::int64_t> large_since_;
  bool told_ = false;
};

}  // namespace pipelined
