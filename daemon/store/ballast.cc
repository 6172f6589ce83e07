#include "daemon/store/ballast.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/posix/fault.h"

namespace pipelined {

void Ballast::fill() const {
  if (bytes_ <= 0 || fault::at(fault::Place::ballast_fill) > 0) return;
  const int file = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return;
  struct stat found {};
  const bool filled = ::fstat(file, &found) == 0 && found.st_size >= bytes_;
  if (!filled && ::posix_fallocate(file, 0, bytes_) != 0) {
    // Half a reserve would take the last space without being any use.
    if (::ftruncate(file, 0) != 0) ::unlink(path_.c_str());
  }
  ::close(file);
}

void Ballast::release() const {
  fault::at(fault::Place::ballast_release);
  if (bytes_ > 0) ::unlink(path_.c_str());
}

}  // namespace pipelined
