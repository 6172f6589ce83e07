#include "daemon/artifacts/sweep.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "daemon/artifacts/file_io.h"
#include "daemon/artifacts/removal.h"

namespace pipelined {
namespace {

bool begins(const std::string& name, const char* with) { return name.rfind(with, 0) == 0; }

}  // namespace

Result<Swept> sweep_files(int root, const std::vector<std::string>& names, TimeMs young_ms) {
  Swept swept;
  std::set<std::string> folders;
  for (const std::string& name : names) {
    struct stat found {};
    if (::fstatat(root, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (begins(name, "trees/") || begins(name, "checkpoints/")) {
      TRY_VOID(remove_all_below(root, name, "tmp"));
      ++swept.files;
      continue;
    }
    const TimeMs touched = static_cast<TimeMs>(found.st_mtim.tv_sec) * 1000;
    if (!S_ISREG(found.st_mode) || (begins(name, "objects/") && touched >= young_ms)) continue;
    if (::unlinkat(root, name.c_str(), 0) != 0) {
      if (errno == ENOENT) continue;
      return system_error("removing", name, errno);
    }
    ++swept.files;
    swept.bytes += found.st_size;
    folders.insert(name.substr(0, name.rfind('/')));
  }
  for (const std::string& folder : folders) {
    TRY(opened, open_at(root, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    TRY_VOID(sync_file(opened.get(), folder));
  }
  return swept;
}

}  // namespace pipelined
