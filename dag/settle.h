// When has a delivered file come to rest?
//
// A file is settled once its facts (size, times, inode) have stayed the same for the settle time, on
// the steady clock, seen twice: at the beginning and at the end.  No event of the operating system
// proves that a file is complete, so events only make us look.  Nothing here opens or stats a file;
// the watcher brings facts, this decides.  One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipelined {

/// What the file system says about a file at one moment.
struct FileFacts {
  std::int64_t size = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0;
  std::uint64_t inode = 0, device = 0;
  bool operator==(const FileFacts&) const = default;
};

/// Whether a name is left alone: hidden (`.x`), or still being made (`*.tmp`, `*.part`, any case).
bool is_ignored_name(std::string_view base_name);

/// Where a file stands.
enum class SettleState {
  waiting,  ///< look again at `due`
  settled,  ///< at rest with these facts: said once for these facts
  known,    ///< at rest and said before
  gone,     ///< not there any more; forgotten
};

/// The files of one source on their way to rest.
class Settling {
 public:
  explicit Settling(std::int64_t settle_ms) : settle_ms_(settle_ms) {}

  /// A look at `path`: its facts, or nothing when it is not there.  `stirred`: an event said that it
  /// was written to, so a file that waits begins its settle time anew even if the facts look the
  /// same (clocks of file systems are coarse).
  SettleState look(const std::string& path, const std::optional<FileFacts>& facts,
                   std::int64_t now_ms, bool stirred = false);

  /// Steady time at which some file should be looked at; nothing: no file waits.
  std::optional<std::int64_t> next_due() const;
  /// Files to look at now.
  std::vector<std::string> due(std::int64_t now_ms) const;

  /// The file at rest turned out to be still changing: it must settle again.
  void unsettle(const std::string& path, std::int64_t now_ms);
  /// These facts need not be said: somebody knows them already.
  void mark_known(const std::string& path, const FileFacts& facts);
  /// Every path that is waiting or known.
  std::vector<std::string> paths() const;
  void forget(const std::string& path);

 private:
  struct File {
    FileFacts facts;
    std::int64_t due_ms = 0;
    bool at_rest = false;
  };
  void wait_until(const std::string& path, File& file, std::int64_t due_ms);

  std::int64_t settle_ms_;
  std::map<std::string, File> files_;
  std::set<std::pair<std::int64_t, std::string>> waiting_;  // by due_ms: files not at rest
};

}  // namespace pipelined
