#include "daemon/keeping/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include "daemon/artifacts/file_io.h"
#include "daemon/artifacts/object_folder.h"
#include "daemon/store/manifest_text.h"
#include "daemon/store/old_copy.h"

namespace pipelined {
namespace {

namespace fs = std::filesystem;

/// Name below a store folder → what the records say of it.
using Wanted = std::map<std::string, ManifestFile>;

Wanted wanted_objects(Database& records) {
  Wanted wanted;
  Query query(records, "SELECT manifest FROM artifacts WHERE tombstone_at IS NULL AND manifest "
              "IS NOT NULL");
  while (query.next()) {
    const auto manifest = parse_manifest(query.text(0));
    if (!manifest) continue;
    for (const ManifestFile& file : manifest->files) wanted[ObjectFolder::name_of(file)] = file;
  }
  return wanted;
}

Result<Digest> digest_of(const std::string& path) {
  TRY(opened, open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  std::int64_t size = 0;
  return hash_file(opened.get(), path, size);
}

/// Copies a file while it is hashed; `corrupt`: its bytes are others.
Result<void> copy_file(const std::string& from, const std::string& to, const ManifestFile& file) {
  TRY(source, open_at(AT_FDCWD, from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  TRY(target, open_at(AT_FDCWD, to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  TRY_VOID(read_pieces(source.get(), from, [&](std::string_view piece) {
    return write_all(target.get(), to, piece);
  }));
  if (::fchmod(target.get(), file.exec ? 0555 : 0444) != 0) {
    return system_error("copying to", to, errno);
  }
  TRY(digest, digest_of(to));
  if (digest == file.digest) return {};
  ::unlink(to.c_str());
  return Error{ErrorCode::corrupt, from + ": its bytes are not what its name says"};
}

/// Gives an object a second name, or copies it where that is not possible.
Result<void> take_object(const std::string& from, const std::string& to, const ManifestFile& file,
                         bool may_link) {
  fs::create_directories(fs::path(to).parent_path());
  struct stat found {};
  if (::lstat(from.c_str(), &found) != 0 || !S_ISREG(found.st_mode) || found.st_size != file.size) {
    return Error{ErrorCode::not_found, from + ": it is lost or has another size"};
  }
  if (may_link && ::link(from.c_str(), to.c_str()) == 0) return {};
  return copy_file(from, to, file);
}

/// Takes all objects over; what cannot be had is a finding of the row.
Result<void> take_objects(const Wanted& wanted, const std::string& from, const std::string& to,
                          bool may_link, const std::atomic<bool>* stop, ReportRow& row) {
  for (const auto& [name, file] : wanted) {
    if (stop != nullptr && stop->load()) return Error{ErrorCode::cancelled, "the daemon ends"};
    ++row.checked;
    const auto taken = take_object(from + "/" + name, to + "/" + name, file, may_link);
    if (taken) {
      ++row.found;
      row.bytes += file.size;
    } else if (taken.error().code == ErrorCode::exhausted) {
      return taken.error();
    } else {
      row.verdict = RowVerdict::violated;
      row.findings.push_back("missing " + file.digest.hex() + ": " + taken.error().message);
    }
  }
  TRY(folder, open_at(AT_FDCWD, to, O_RDONLY | O_DIRECTORY));
  return sync_file_system(folder.get(), to);
}

Result<void> write_list(const std::string& folder, const Wanted& wanted, const Digest& database) {
  nlohmann::json objects = nlohmann::json::array();
  for (const auto& [name, file] : wanted) {
    objects.push_back({{"name", name}, {"sha256", file.digest.hex()}, {"size", file.size}});
  }
  const nlohmann::json all = {{"version", 1}, {"state.db", database.hex()}, {"objects", objects}};
  const std::string path = folder + "/backup.json", part = path + ".part";
  {
    TRY(target, open_at(AT_FDCWD, part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
    TRY_VOID(write_all(target.get(), part, all.dump(1) + "\n"));
    TRY_VOID(sync_file(target.get(), part));
  }
  if (::rename(part.c_str(), path.c_str()) != 0) return system_error("naming", path, errno);
  return make_durable(path);
}

bool is_empty(const std::string& folder) {
  std::error_code error;
  return !fs::exists(folder, error) || fs::is_empty(folder, error);
}

/// A folder for the daemon's user alone.
Result<void> make_own_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || ::chmod(path.c_str(), 0700) != 0) {
    return system_error("making the folder", path, error ? error.value() : errno);
  }
  return {};
}

ReportRow row_of(const char* name, const char* about) {
  ReportRow row;
  row.name = name;
  row.about = about;
  return row;
}

}  // namespace

Result<void> prepare_backup(const std::string& folder) {
  if (folder.empty() || folder.front() != '/') {
    return Error{ErrorCode::invalid, "a backup goes to a folder with an absolute path"};
  }
  if (!is_empty(folder)) {
    return Error{ErrorCode::conflict, "backing up to " + folder + ": something is in it; name a new "
                                          "or empty folder"};
  }
  return make_own_folder(folder);
}

Result<Report> complete_backup(Database& records, const BackupOptions& options) {
  const std::string path = options.folder + "/state.db";
  const Wanted wanted = wanted_objects(records);
  if (records.failure()) return *records.failure();
  ReportRow row = row_of("objects", "objects that are linked or copied");
  TRY_VOID(take_objects(wanted, options.store, options.folder, true, options.stop, row));
  // Nothing may be left in a log beside the file whose digest is written down.
  TRY_VOID(records.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
  TRY_VOID(make_durable(path));
  TRY(digest, digest_of(path));
  TRY_VOID(write_list(options.folder, wanted, digest));
  ReportRow database = row_of("state.db", "the records");
  database.checked = database.found = 1;
  database.bytes = static_cast<std::int64_t>(fs::file_size(path));
  return Report{std::move(database), std::move(row)};
}

Result<Report> restore_backup(const RestoreOptions& options) {
  std::ifstream file(options.folder + "/backup.json");
  std::stringstream text;
  text << file.rdbuf();
  const auto list = nlohmann::json::parse(text.str(), nullptr, false);
  if (!file || list.is_discarded() || !list.contains("state.db")) {
    return Error{ErrorCode::not_found, "restoring " + options.folder +
                                           ": it holds no complete backup (backup.json)"};
  }
  for (const std::string& folder : {options.state, options.store + "/objects"}) {
    if (is_empty(folder)) continue;
    return Error{ErrorCode::conflict, "restoring into " + folder +
                                          ": something is in it; move it away first"};
  }
  ReportRow database = row_of("state.db", "the records");
  database.checked = 1;
  TRY(found, digest_of(options.folder + "/state.db"));
  if (found.hex() != list["state.db"].get<std::string>()) {
    return Error{ErrorCode::corrupt, "restoring " + options.folder +
                                         ": its state.db is damaged; use another backup"};
  }
  TRY_VOID(make_own_folder(options.store));
  TRY_VOID(make_own_folder(options.state));
  TRY(root, open_at(AT_FDCWD, options.store, O_RDONLY | O_DIRECTORY));
  TRY_VOID(ObjectFolder(root.get()).create());  // with the folders that stay empty, too
  ManifestFile whole;
  whole.digest = found;
  TRY_VOID(copy_file(options.folder + "/state.db", options.state + "/state.db.part", whole));
  TRY(records, Database::open({options.state + "/state.db.part", 0}));
  const Wanted wanted = wanted_objects(*records);
  records.reset();
  ReportRow row = row_of("objects", "objects that are put back, every byte verified");
  TRY_VOID(take_objects(wanted, options.folder, options.store, false, nullptr, row));
  const std::string name = options.state + "/state.db";
  if (::chmod((name + ".part").c_str(), 0600) != 0 ||
      ::rename((name + ".part").c_str(), name.c_str()) != 0) {
    return system_error("naming", name, errno);
  }
  TRY_VOID(make_durable(name));
  database.found = 1;
  return Report{std::move(database), std::move(row)};
}

}  // namespace pipelined
