#include "daemon/artifacts/intake.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "daemon/artifacts/file_io.h"
#include "daemon/artifacts/output_walk.h"
#include "daemon/posix/fault.h"
#include "daemon/posix/file_facts.h"

namespace pipelined {
namespace {

// Up to here single syncs are cheaper than one sync of the whole file system.
constexpr std::int64_t single_syncs_max = 4;

/// A file in tmp/ that goes away unless it was given a name.
class TemporaryFile {
 public:
  TemporaryFile(int root, std::string name) : root_(root), name_(std::move(name)) {}
  ~TemporaryFile() {
    if (!name_.empty()) ::unlinkat(root_, name_.c_str(), 0);
  }
  TemporaryFile(TemporaryFile&& other) noexcept
      : root_(other.root_), name_(std::exchange(other.name_, {})) {}
  TemporaryFile& operator=(TemporaryFile&& other) noexcept {
    std::swap(root_, other.root_);
    std::swap(name_, other.name_);
    return *this;
  }
  const std::string& name() const { return name_; }

 private:
  int root_;
  std::string name_;
};

Error still_changing(const std::string& path) {
  return {ErrorCode::conflict, "copying the delivered file " + path +
                                   ": it is still changing; it is copied again when it has settled"};
}

/// Copies `source` into `target` and hashes what arrived there.
Result<Digest> copy_and_hash(int source, const std::string& path, int target,
                             const std::string& name, std::int64_t& size) {
  if (::ioctl(target, FICLONE, source) == 0) return hash_file(target, name, size);
  Sha256 hash;
  size = 0;
  TRY_VOID(read_pieces(source, path, [&](std::string_view piece) -> Result<void> {
    hash.update(piece);
    size += static_cast<std::int64_t>(piece.size());
    return write_all(target, name, piece);
  }));
  return hash.finish();
}

/// A delivered file, copied to tmp/.
struct Copied {
  TemporaryFile file;
  ManifestFile facts;
  bool synced = false;
};

Result<Copied> copy_delivery(const IntakePlace& place, const IntakeOrder& order) {
  const std::string& path = order.path;
  const std::string base = std::filesystem::path(path).filename().string();
  if (!is_utf8(base) || !is_manifest_path(base)) {
    return Error{ErrorCode::invalid, "copying a delivered file: its name is no UTF-8; rename it"};
  }
  if (const int error = fault::at(fault::Place::intake_open); error > 0) {
    return system_error("opening", path, error);
  }
  TRY(source, open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat before {}, after {};
  if (::fstat(source.get(), &before) != 0) return system_error("looking at", path, errno);
  if (!S_ISREG(before.st_mode)) {
    return Error{ErrorCode::invalid, "copying the delivered file " + path +
                                         ": it is no regular file; deliver a plain file"};
  }
  // Between its rest and this look it may have been cut, or another put in its place.
  if (order.at_rest && *order.at_rest != facts_of(before)) return still_changing(path);
  TemporaryFile copy(place.root, place.temporary());
  if (const int error = fault::at(fault::Place::intake_create); error > 0) {
    return system_error("opening", copy.name(), error);
  }
  TRY(target, open_at(place.root, copy.name(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  ManifestFile file{base, {}, 0, false};
  TRY(digest, copy_and_hash(source.get(), path, target.get(), copy.name(), file.size));
  file.digest = digest;
  if (::fstat(source.get(), &after) != 0) return system_error("looking at", path, errno);
  if (facts_of(before) != facts_of(after) || file.size != after.st_size) return still_changing(path);
  const int refused = fault::at(fault::Place::intake_mode);
  if (refused > 0) return system_error("making read-only", path, refused);
  if (::fchmod(target.get(), 0444) != 0) return system_error("making read-only", path, errno);
  const bool large = file.size > sync_alone_bytes;
  if (large) TRY_VOID(sync_file(target.get(), copy.name()));
  return Copied{std::move(copy), std::move(file), large};
}

/// Makes the copies durable: a few one by one, many with one sync of the file system.
Result<void> sync_copies(const IntakePlace& place, std::vector<Result<Copied>>& copies,
                         std::int64_t unsynced) {
  if (unsynced > single_syncs_max) return sync_file_system(place.root, "the store folder");
  for (Result<Copied>& copy : copies) {
    if (!copy || copy->synced) continue;
    const std::string& name = copy->file.name();
    auto opened = open_at(place.root, name, O_RDONLY | O_NOFOLLOW);
    auto synced = opened ? sync_file(opened->get(), name) : Result<void>(opened.error());
    if (!synced) copy = synced.error();
  }
  return {};
}

}  // namespace

std::vector<Result<Manifest>> take_snapshots(IntakePlace place,
                                             const std::vector<IntakeOrder>& orders) {
  std::vector<Result<Copied>> copies;
  std::int64_t unsynced = 0;
  for (const IntakeOrder& order : orders) {
    copies.push_back(copy_delivery(place, order));
    if (copies.back() && !copies.back()->synced) ++unsynced;
  }
  auto synced = sync_copies(place, copies, unsynced);
  fault::at(fault::Place::intake_place);
  for (Result<Copied>& copy : copies) {
    if (!copy || !synced) continue;
    auto placed = place.objects.place(place.root, copy->file.name(), copy->facts);
    if (!placed) copy = placed.error();
  }
  if (synced) synced = place.objects.sync_folders();
  std::vector<Result<Manifest>> made;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    if (!copies[i]) {
      made.emplace_back(copies[i].error());
    } else if (!synced) {
      made.emplace_back(synced.error());
    } else {
      made.emplace_back(Manifest{orders[i].type, {std::move(copies[i]->facts)}});
    }
  }
  return made;
}

Result<Manifest> take_set(IntakePlace place, const std::string& type,
                          const std::vector<IntakeFile>& files) {
  std::vector<IntakeOrder> orders;
  for (const IntakeFile& file : files) orders.push_back({file.path, type, std::nullopt});
  std::vector<Result<Manifest>> taken = take_snapshots(place, orders);
  Manifest manifest{type, {}};
  for (std::size_t i = 0; i < files.size(); ++i) {
    TRY(one, std::move(taken[i]));
    ManifestFile& file = one.files.front();
    if (files[i].digest && *files[i].digest != file.digest) {
      return Error{ErrorCode::invalid, "the content of " + files[i].path +
                                           " is not what its manifest states: SHA-256 " +
                                           file.digest.hex() + ", stated " +
                                           files[i].digest->hex()};
    }
    file.path = files[i].name;
    manifest.files.push_back(std::move(file));
  }
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const ManifestFile& a, const ManifestFile& b) { return a.path < b.path; });
  return manifest;
}

Result<Manifest> store_texts(IntakePlace place, const std::string& type,
                             const std::vector<std::pair<std::string, std::string>>& files) {
  Manifest manifest{type, {}};
  std::vector<TemporaryFile> written;
  for (const auto& [path, text] : files) {
    if (!is_manifest_path(path) || !is_utf8(path)) {
      return Error{ErrorCode::invalid, "storing \"" + path +
                                           "\": a path must be relative, without . and .., UTF-8"};
    }
    written.emplace_back(place.root, place.temporary());
    const std::string& name = written.back().name();
    if (const int error = fault::at(fault::Place::text_create); error > 0) {
      return system_error("opening", name, error);
    }
    TRY(target, open_at(place.root, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    TRY_VOID(write_all(target.get(), name, text));
    if (::fchmod(target.get(), 0444) != 0) return system_error("making read-only", name, errno);
    TRY_VOID(sync_file(target.get(), name));
    manifest.files.push_back(
        {path, sha256(text), static_cast<std::int64_t>(text.size()), false});
  }
  fault::at(fault::Place::text_place);
  for (std::size_t i = 0; i < files.size(); ++i) {
    TRY(placed, place.objects.place(place.root, written[i].name(), manifest.files[i]));
    static_cast<void>(placed);
  }
  TRY_VOID(place.objects.sync_folders());
  const auto by_path = [](const ManifestFile& a, const ManifestFile& b) { return a.path < b.path; };
  std::sort(manifest.files.begin(), manifest.files.end(), by_path);
  for (std::size_t i = 1; i < manifest.files.size(); ++i) {
    if (manifest.files[i].path == manifest.files[i - 1].path) {
      return Error{ErrorCode::invalid,
                   "storing \"" + manifest.files[i].path + "\": the path stands there twice"};
    }
  }
  return manifest;
}

Result<void> copy_out(ObjectFolder& objects, const Manifest& manifest,
                      const std::string& destination) {
  if (::mkdir(destination.c_str(), 0777) != 0) {
    if (errno == EEXIST) {
      return Error{ErrorCode::conflict, "exporting to " + destination +
                                            ": it exists already; name a folder that does not"};
    }
    return system_error("exporting to", destination, errno);
  }
  for (const ManifestFile& file : manifest.files) {
    const std::filesystem::path to = std::filesystem::path(destination) / file.path;
    std::error_code failed;
    std::filesystem::create_directories(to.parent_path(), failed);
    if (failed) return system_error("exporting to", to.string(), failed.value());
    TRY(source, objects.open(file));
    TRY(target, open_at(AT_FDCWD, to.string(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
                        file.exec ? 0777 : 0666));
    std::int64_t size = 0;
    TRY(digest, copy_and_hash(source.get(), ObjectFolder::name_of(file), target.get(), to.string(),
                              size));
    if (digest != file.digest || size != file.size) {
      ::unlink(to.c_str());
      return Error{ErrorCode::corrupt, "exporting " + file.path +
                                           ": the stored bytes are wrong; run the step that makes "
                                           "them again"};
    }
  }
  return {};
}

}  // namespace pipelined
