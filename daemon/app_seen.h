// Which delivered files were taken already, so that a restart does not read them all again.
//
// A small text file in the state folder: one line a file with its facts.  It only saves work: when it
// is lost or old, files are read once more and the engine recognises their content.  A file is
// remembered only after the turn that recorded its arrival.  Loop thread.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/watch/watch.h"
#include "dag/result.h"

namespace pipelined {

class SeenFiles {
 public:
  /// `path`: where the file lies or will lie.
  explicit SeenFiles(std::string path) : path_(std::move(path)) {}

  /// Reads what an earlier life left; a damaged file counts as empty.
  void load();
  /// Whether exactly these facts of this file were taken.
  bool knows(const SettledFile& file) const;
  /// Its arrival is on the way to the engine.
  void offered(const SettledFile& file) { offered_.push_back(file); }
  /// A turn has recorded everything that was offered.
  void recorded();
  /// A turn failed: what was offered is read again.
  void failed() { offered_.clear(); }
  /// Files of sources that are watched no more are forgotten.
  void keep_only(const std::vector<WatchedSource>& sources);

  /// Whether something changed since the last save.
  bool dirty() const { return dirty_; }
  /// Writes the file anew, by rename.
  Result<void> save();
  std::size_t size() const { return files_.size(); }

 private:
  static std::string key_of(const std::string& pipeline, const std::string& source,
                            const std::string& path);
  void read_line(std::string_view line);

  std::string path_;
  std::map<std::string, FileFacts> files_;  ///< by pipeline, source and path
  std::vector<SettledFile> offered_;
  bool dirty_ = false;
};

}  // namespace pipelined
