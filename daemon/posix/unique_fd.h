// An open file descriptor that closes itself.
//
// Owns exactly one descriptor; moving hands it on.  Knows nothing of what is behind it and reports
// no error of close: whoever needs the data durable has synced before.  One owner, any thread.
#pragma once

#include <unistd.h>

#include <utility>

namespace pipelined {

class UniqueFd {
 public:
  UniqueFd() = default;
  /// Takes the descriptor over; -1 stands for none.
  explicit UniqueFd(int descriptor) : descriptor_(descriptor) {}
  UniqueFd(UniqueFd&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.descriptor_, -1));
    return *this;
  }
  ~UniqueFd() { reset(); }

  /// The descriptor, or -1.
  int get() const { return descriptor_; }
  /// Whether there is one.
  explicit operator bool() const { return descriptor_ >= 0; }
  /// Closes what it holds and takes over another.
  void reset(int descriptor = -1) {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = descriptor;
  }
  /// Gives the descriptor away.
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_ = -1;
};

}  // namespace pipelined
