#include "daemon/artifacts/object_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <ctime>

#include "daemon/artifacts/unsynced.h"
#include "daemon/posix/fault.h"

namespace pipelined {
namespace {

constexpr std::size_t believed_max = 200000;
// Above this many folders one sync of the file system is cheaper than one of each.
constexpr std::size_t single_syncs_max = 8;
constexpr std::int64_t touch_after_s = 3600;

}  // namespace

Result<void> ObjectFolder::create() {
  TRY_VOID(make_folder(root_, "quarantine", 0700));
  TRY_VOID(make_folder(root_, "objects", 0700));
  for (int i = 0; i < 256; ++i) {
    char part[16];
    std::snprintf(part, sizeof part, "objects/%02x", static_cast<unsigned>(i));
    TRY_VOID(make_folder(root_, part, 0700));
    // Names that a killed daemon gave and did not sync are relied on from now on.
    TRY(opened, open_at(root_, part, O_RDONLY | O_DIRECTORY));
    TRY_VOID(sync_file(opened.get(), part));
  }
  TRY(objects, open_at(root_, "objects", O_RDONLY | O_DIRECTORY));
  TRY_VOID(sync_file(objects.get(), "objects"));
  return sync_file(root_, "the store folder");
}

std::string ObjectFolder::name_of(const ManifestFile& file) {
  const std::string hex = file.digest.hex();
  std::string name = "objects/";
  name.append(hex, 0, 2).append(1, '/').append(hex, 2);
  if (file.exec) name += ".x";
  return name;
}

bool ObjectFolder::has(const ManifestFile& file) const {
  struct stat found {};
  return ::fstatat(root_, name_of(file).c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(found.st_mode) && found.st_size == file.size;
}

Result<UniqueFd> ObjectFolder::open(const ManifestFile& file) const {
  return open_at(root_, name_of(file), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
}

ObjectFolder::Seen ObjectFolder::look(const std::string& name) const {
  struct stat found {};
  if (::fstatat(root_, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return {};
  return {found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_ino};
}

void ObjectFolder::believe(const std::string& name, const Seen& seen) {
  if (believed_.size() >= believed_max) believed_.clear();
  believed_[name] = seen;
}

Result<void> ObjectFolder::verify(const ManifestFile& file) {
  const std::string name = name_of(file);
  const auto found = believed_.find(name);
  if (found != believed_.end() && found->second.size == file.size &&
      found->second == look(name)) {
    return {};
  }
  return verify_again(file);
}

Result<void> ObjectFolder::verify_again(const ManifestFile& file) {
  const std::string name = name_of(file);
  believed_.erase(name);
  if (const int error = fault::at(fault::Place::object_verify); error > 0) {
    return system_error("verifying", name, error);
  }
  TRY(object, open(file));
  const Seen before = look(name);
  std::int64_t size = 0;
  TRY(digest, hash_file(object.get(), name, size));
  if (digest == file.digest && size == file.size) {
    believe(name, before);
    return {};
  }
  TRY_VOID(quarantine(name));
  return Error{ErrorCode::corrupt, "verifying the object " + name +
                                       ": its bytes are not what its name says; it was moved to "
                                       "quarantine, and what needs it is computed again"};
}

Result<void> ObjectFolder::quarantine(const std::string& name) {
  if (const int error = fault::at(fault::Place::object_quarantine); error > 0) {
    return system_error("moving to quarantine", name, error);
  }
  std::string flat = name.substr(sizeof "objects/" - 1);
  flat.erase(2, 1);
  for (int i = 0; i < 1000; ++i) {
    const std::string to = "quarantine/" + flat + "." + std::to_string(i);
    if (::renameat2(root_, name.c_str(), root_, to.c_str(), RENAME_NOREPLACE) == 0) {
      ++quarantined_;
      fault::at(fault::Place::object_quarantined);
      unsynced_.insert(name.substr(0, sizeof "objects/ab" - 1));
      return {};
    }
    if (errno != EEXIST) return system_error("moving to quarantine", name, errno);
  }
  return Error{ErrorCode::exhausted,
               "moving " + name + " to quarantine: a thousand copies lie there; remove some"};
}

Result<ObjectFolder::Placed> ObjectFolder::place(int folder, const std::string& name,
                                                 const ManifestFile& file) {
  const std::string target = name_of(file);
  if (const int error = fault::at(fault::Place::object_rename); error > 0) {
    return system_error("storing", target, error);
  }
  for (int tries = 0; tries < 3; ++tries) {
    if (::renameat2(folder, name.c_str(), root_, target.c_str(), RENAME_NOREPLACE) == 0) {
      unsynced::renamed(root_, target);
      fault::at(fault::Place::object_renamed);
      believe(target, look(target));
      unsynced_.insert(target.substr(0, sizeof "objects/ab" - 1));
      return Placed::moved;
    }
    if (errno != EEXIST) return system_error("storing", target, errno);
    // "It exists" is no proof: its bytes are read once before they are relied on.
    auto verified = verify(file);
    if (verified) {
      const Seen seen = look(target);
      // Young files are safe from the sweep of unreferenced objects, so a reused one is made young.
      if (seen.modified_s + touch_after_s < std::time(nullptr) &&
          fault::at(fault::Place::object_touch) <= 0 &&
          ::utimensat(root_, target.c_str(), nullptr, AT_SYMLINK_NOFOLLOW) == 0) {
        believe(target, look(target));
      }
      return Placed::was_there;
    }
    const ErrorCode code = verified.error().code;
    if (code != ErrorCode::corrupt && code != ErrorCode::not_found) return verified.error();
  }
  return Error{ErrorCode::io, "storing " + target + ": another file keeps appearing at its place"};
}

void ObjectFolder::take_back(int folder, const std::string& name, const ManifestFile& file) {
  const std::string target = name_of(file);
  believed_.erase(target);
  // If even this fails the object stays without a record, which is garbage and no loss.
  if (::renameat2(root_, target.c_str(), folder, name.c_str(), RENAME_NOREPLACE) != 0) return;
}

Result<void> ObjectFolder::sync_folders() {
  const std::set<std::string> folders = std::exchange(unsynced_, {});
  if (folders.empty()) return {};
  auto synced = sync_names(folders);
  // Whoever finds one of these objects "there already" must not rely on its name yet.
  if (!synced) unsynced_.insert(folders.begin(), folders.end());
  return synced;
}

Result<void> ObjectFolder::sync_names(const std::set<std::string>& folders) const {
  if (folders.size() > single_syncs_max) return sync_file_system(root_, "the store folder");
  for (const std::string& folder : folders) {
    TRY(opened, open_at(root_, folder, O_RDONLY | O_DIRECTORY));
    TRY_VOID(sync_file(opened.get(), folder));
  }
  return {};
}

}  // namespace pipelined
