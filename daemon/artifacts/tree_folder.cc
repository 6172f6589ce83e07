#include "daemon/artifacts/tree_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <utility>

#include "daemon/artifacts/file_io.h"
#include "daemon/artifacts/removal.h"
#include "daemon/posix/fault.h"

namespace pipelined {
namespace {

constexpr std::size_t ready_max = 100000;

/// Every folder that the paths of the manifest name, outer ones first.
std::set<std::string> folders_of(const Manifest& manifest) {
  std::set<std::string> folders;
  for (const ManifestFile& file : manifest.files) {
    for (std::size_t at = file.path.find('/'); at != std::string::npos;
         at = file.path.find('/', at + 1)) {
      folders.insert(file.path.substr(0, at));
    }
  }
  return folders;
}

Error lost(const Digest& artifact, const Error& error) {
  return error.within("reading the artifact " + artifact.hex());
}

}  // namespace

std::string TreeFolder::name_of(const Digest& artifact) { return "trees/" + artifact.hex(); }

Result<void> TreeFolder::ensure(const Digest& artifact, const Manifest& manifest) {
  const std::string tree = name_of(artifact);
  // A quarantined object may still have a name in some tree.
  if (std::exchange(quarantined_, objects_.quarantined()) != objects_.quarantined()) ready_.clear();
  struct stat found {};
  const bool there = ::fstatat(root_, tree.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0;
  if (there && ready_.count(artifact) > 0) return {};
  for (const ManifestFile& file : manifest.files) {
    if (auto verified = objects_.verify(file); !verified) return lost(artifact, verified.error());
  }
  if (ready_.size() >= ready_max) ready_.clear();
  if (there && is_as(manifest, tree)) {
    ready_.insert(artifact);
    return {};
  }
  if (there) TRY_VOID(remove_all_below(root_, tree, "tmp"));
  if (const int error = fault::at(fault::Place::tree_build); error > 0) {
    return lost(artifact, system_error("building the tree", tree, error));
  }
  const std::string made = temporary_();
  if (auto built = build(manifest, made); !built) {
    // What cannot be removed now goes at the next start.
    const auto removed = remove_all_below(root_, made, "tmp");
    static_cast<void>(removed);
    return lost(artifact, built.error());
  }
  const int error = fault::at(fault::Place::tree_rename);
  if (error > 0) errno = error;
  if (error > 0 || ::renameat(root_, made.c_str(), root_, tree.c_str()) != 0) {
    return lost(artifact, system_error("building the tree", tree, errno));
  }
  fault::at(fault::Place::tree_renamed);
  set_folder_mode(root_, tree, 0555);
  ready_.insert(artifact);
  return {};
}

bool TreeFolder::is_as(const Manifest& manifest, const std::string& tree) const {
  for (const ManifestFile& file : manifest.files) {
    struct stat linked {}, object {};
    if (::fstatat(root_, (tree + "/" + file.path).c_str(), &linked, AT_SYMLINK_NOFOLLOW) != 0 ||
        ::fstatat(root_, ObjectFolder::name_of(file).c_str(), &object, AT_SYMLINK_NOFOLLOW) != 0) {
      return false;
    }
    if (linked.st_ino != object.st_ino || linked.st_dev != object.st_dev) return false;
  }
  return true;
}

Result<void> TreeFolder::build(const Manifest& manifest, const std::string& at) {
  TRY_VOID(make_folder(root_, at, 0700));
  const std::set<std::string> folders = folders_of(manifest);
  for (const std::string& folder : folders) TRY_VOID(make_folder(root_, at + "/" + folder, 0700));
  for (const ManifestFile& file : manifest.files) TRY_VOID(link(file, at + "/" + file.path));
  for (const std::string& folder : folders) {
    set_folder_mode(root_, at + "/" + folder, 0555);
  }
  return {};
}

Result<void> TreeFolder::link(const ManifestFile& file, const std::string& to) {
  const std::string object = ObjectFolder::name_of(file);
  if (const int error = fault::at(fault::Place::tree_link); error > 0) {
    return system_error("building the tree: linking", object, error);
  }
  if (::linkat(root_, object.c_str(), root_, to.c_str(), 0) == 0) return {};
  if (errno != EMLINK) return system_error("building the tree: linking", object, errno);
  // A file system bounds the names of one file; the next tree starts with a fresh copy of it.
  TRY(source, objects_.open(file));
  const std::string copy = temporary_();
  TRY(target, open_at(root_, copy, O_WRONLY | O_CREAT | O_EXCL, 0600));
  TRY_VOID(read_pieces(source.get(), object, [&](std::string_view piece) {
    return write_all(target.get(), copy, piece);
  }));
  TRY_VOID(sync_file(target.get(), copy));
  if (::fchmod(target.get(), file.exec ? 0555 : 0444) != 0 ||
      ::renameat(root_, copy.c_str(), root_, object.c_str()) != 0 ||
      ::linkat(root_, object.c_str(), root_, to.c_str(), 0) != 0) {
    return system_error("building the tree: copying", object, errno);
  }
  return {};
}

}  // namespace pipelined
