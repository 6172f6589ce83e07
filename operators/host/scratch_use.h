// How much an attempt has written below its folder, looked at a piece at a time.
//
// A look at a folder may take long (somebody makes a million files), and whoever looks has other
// things to do: `step` goes on where the last one stopped.  Counts what the files take on the disk.
// Best effort: files that were unlinked but are still open are not seen.  One thread.
#pragma once

#include <dirent.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace pipelined::host {

struct ScratchUse {
  std::int64_t bytes = 0, entries = 0;
  bool hidden = false;  ///< there are folders that cannot be looked into
};

class ScratchWalk {
 public:
  /// The file `log` directly in the folder is not counted: the host writes it.
  explicit ScratchWalk(std::string folder) : folder_(std::move(folder)) {}

  /// Looks at about `entries` more; true when the look is complete, and the next begins anew.
  bool step(std::int64_t entries);
  /// Whether a look has begun and is not complete.
  bool under_way() const { return !open_.empty(); }
  /// What the present look has found so far, or the last complete one.
  const ScratchUse& found() const { return found_; }

 private:
  struct Close {
    void operator()(DIR* folder) const { ::closedir(folder); }
  };
  using Folder = std::unique_ptr<DIR, Close>;

  void enter(int parent, const char* name);
  void look_at(int parent, const char* name);

  std::string folder_;
  std::vector<Folder> open_;
  ScratchUse found_;
};

}  // namespace pipelined::host
