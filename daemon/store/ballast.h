// A file that holds some space back, so that a full disk leaves room to close cleanly.
//
// It is given up when the disk is full and made again when there is space.  It knows nothing of the
// database beside it.  One thread.
#pragma once

#include <cstdint>
#include <string>

namespace pipelined {

/// The reserve of one folder.
class Ballast {
 public:
  /// `bytes` 0: keeps nothing.
  Ballast(std::string path, std::int64_t bytes) : path_(std::move(path)), bytes_(bytes) {}

  /// Makes the file if it is not there; without space it does nothing.
  void fill() const;
  /// Gives the space back to the file system.
  void release() const;

 private:
  std::string path_;
  std::int64_t bytes_;
};

}  // namespace pipelined
