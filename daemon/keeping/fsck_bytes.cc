// I2 and I3: every recorded artifact's bytes are there and right; every object is what its name says.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <unordered_map>

#include "daemon/artifacts/file_io.h"
#include "daemon/artifacts/object_folder.h"
#include "daemon/keeping/fsck.h"
#include "daemon/store/manifest_text.h"

namespace pipelined {
namespace {

/// What the walk saw of one object.
struct Seen {
  std::int64_t size = 0;
  bool good = true;
};

/// Name below the store folder ("objects/ab/…") → what was seen.
using Objects = std::unordered_map<std::string, Seen>;

bool stopped(const FsckOptions& options) {
  return options.stop != nullptr && options.stop->load();
}

/// "ab" and the rest of the name → the digest that it claims; nothing: no object's name.
std::optional<Digest> claimed(const std::string& part, std::string name, bool& exec) {
  exec = name.size() > 2 && name.compare(name.size() - 2, 2, ".x") == 0;
  if (exec) name.resize(name.size() - 2);
  return parse_digest(part + name);
}

/// Looks at one object; `name` is below the store folder.
Seen look_at(int root, const std::string& name, const Digest& digest, bool exec,
             const FsckOptions& options, ReportRow& row) {
  Seen seen;
  ++row.checked;
  if (options.progress != nullptr) ++*options.progress;
  const auto wrong = [&](const std::string& what) {
    row.violate(name + ": " + what);
    seen.good = false;
  };
  struct stat found {};
  if (::fstatat(root, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
    wrong(std::strerror(errno));
    return seen;
  }
  seen.size = found.st_size;
  if (!S_ISREG(found.st_mode)) {
    wrong("it is no regular file");
    return seen;
  }
  const unsigned mode = exec ? 0555 : 0444;
  if ((found.st_mode & 07777) != mode) {
    char text[64];
    std::snprintf(text, sizeof text, "its mode is %04o, not %04o",
                  static_cast<unsigned>(found.st_mode & 07777), mode);
    row.violate(name + ": " + text);
  }
  if (!options.deep) return seen;
  const auto opened = open_at(root, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!opened) {
    wrong(opened.error().message);
    return seen;
  }
  std::int64_t size = 0;
  const auto hashed = hash_file(opened->get(), name, size);
  if (!hashed) {
    wrong(hashed.error().message);
  } else if (*hashed != digest) {
    wrong("its bytes have the digest " + hashed->hex());
  }
  return seen;
}

/// All objects, hashed if so asked.
Objects walk_objects(int root, const FsckOptions& options, ReportRow& row) {
  Objects objects;
  for (unsigned i = 0; i < 256 && !stopped(options); ++i) {
    char part[3];
    std::snprintf(part, sizeof part, "%02x", i & 0xff);
    const std::string folder = std::string("objects/") + part;
    auto opened = open_at(root, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    DIR* entries = opened ? ::fdopendir(opened->get()) : nullptr;
    if (entries == nullptr) {
      row.violate(folder + ": " + (opened ? "it cannot be read" : opened.error().message));
      continue;
    }
    static_cast<void>(opened->release());
    while (const dirent* entry = ::readdir(entries)) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (stopped(options)) break;
      bool exec = false;
      const auto digest = claimed(part, name, exec);
      if (!digest) {
        ++row.checked;
        row.violate(folder + "/" + name + ": this is no object's name");
        continue;
      }
      const std::string path = folder + "/" + name;
      objects.emplace(path, look_at(root, path, *digest, exec, options, row));
    }
    ::closedir(entries);
  }
  return objects;
}

/// What is wrong with the bytes of a manifest; empty: nothing.
std::string wrong_with(const Manifest& manifest, const Objects& objects) {
  for (const ManifestFile& file : manifest.files) {
    const auto found = objects.find(ObjectFolder::name_of(file));
    if (found == objects.end()) return file.path + " is lost";
    if (found->second.size != file.size) {
      return file.path + " has " + std::to_string(found->second.size) + " bytes, not " +
             std::to_string(file.size);
    }
    if (!found->second.good) return file.path + " is wrong";
  }
  return {};
}

/// Runs that made, read or reused a wrong artifact.
void add_affected(Database& records, ReportRow& row) {
  Query runs(records,
             "SELECT DISTINCT s.run FROM steps s WHERE s.result IN (SELECT b.result FROM bindings b "
             "JOIN temp.wrong w ON w.artifact = b.artifact) UNION SELECT DISTINCT r.run FROM "
             "results r JOIN bindings b ON b.result = r.id JOIN temp.wrong w ON w.artifact = "
             "b.artifact UNION SELECT a.run FROM arrivals a JOIN temp.wrong w ON "
             "w.artifact = a.artifact");
  while (runs.next()) row.affect(runs.integer(0));
}

void check_artifacts(Database& records, const FsckOptions& options, const Objects& objects,
                     ReportRow& row) {
  std::int64_t marked = 0;
  std::vector<std::int64_t> wrong;
  {
    Query artifacts(records,
                    "SELECT id, digest, type, manifest, corrupt_at FROM artifacts "
                    "WHERE tombstone_at IS NULL ORDER BY id");
    while (artifacts.next() && !stopped(options)) {
      ++row.checked;
      if (!artifacts.is_null(4)) {
        ++marked;
        continue;
      }
      const std::string name = artifacts.digest(1).hex() + " (" + artifacts.string(2) + ")";
      std::string problem;
      if (artifacts.is_null(3)) {
        problem = "its files are not recorded";
      } else if (sha256(artifacts.text(3)) != artifacts.digest(1)) {
        problem = "its list of files is not what its digest says";
      } else if (auto manifest = parse_manifest(artifacts.text(3)); !manifest) {
        problem = manifest.error().message;
      } else {
        problem = wrong_with(*manifest, objects);
      }
      if (problem.empty()) continue;
      row.violate("artifact " + name + ": " + problem);
      wrong.push_back(artifacts.integer(0));
    }
  }
  take_failure(records, row);
  if (marked > 0) {
    row.sentence = std::to_string(marked) + " more are marked as wrong already (`pipectl alerts`)";
  }
  if (wrong.empty()) return;
  if (!records.execute("CREATE TEMP TABLE IF NOT EXISTS wrong (artifact INTEGER PRIMARY KEY);"
                       "DELETE FROM temp.wrong")) {
    return;
  }
  for (const std::int64_t id : wrong) records.run("INSERT OR IGNORE INTO temp.wrong VALUES (?1)", id);
  add_affected(records, row);
  take_failure(records, row);
}

}  // namespace

void check_bytes(Database& records, const FsckOptions& options, Report& report) {
  ReportRow second, third;
  second.name = "I2";
  second.about = options.deep ? "every artifact's files are there with their bytes"
                              : "every artifact's files are there with their sizes";
  third.name = "I3";
  third.about = options.deep ? "every object's bytes are what its name says"
                             : "every object has a right name and mode";
  const auto root = open_at(AT_FDCWD, options.store, O_RDONLY | O_DIRECTORY);
  if (root) {
    const Objects objects = walk_objects(root->get(), options, third);
    check_artifacts(records, options, objects, second);
  } else {
    second.violate(root.error().message);
    third.violate(root.error().message);
  }
  if (!options.deep) third.sentence = "sizes and names alone were looked at; --deep reads every byte";
  for (ReportRow* row : {&second, &third}) {
    if (stopped(options)) row->give_up("it was ended before everything was looked at");
  }
  report.push_back(std::move(second));
  report.push_back(std::move(third));
}

}  // namespace pipelined
