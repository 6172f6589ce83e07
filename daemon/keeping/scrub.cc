#include "daemon/keeping/scrub.h"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <unordered_map>
#include <utility>

#include "dag/run_state.h"
#include "daemon/artifacts/file_io.h"
#include "daemon/artifacts/object_folder.h"
#include "daemon/store/manifest_text.h"
#include "daemon/store/removal.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/views.h"

namespace pipelined {
namespace {

using Steady = std::chrono::steady_clock;
// Waits are cut into pieces, so that the end of the daemon does not wait for them.
constexpr std::chrono::milliseconds longest_sleep{50};

/// Reads objects no faster than it may.
class SlowReader {
 public:
  SlowReader(int root, const ScrubOptions& options, ScrubFound& found)
      : root_(root), options_(options), found_(found) {}

  bool stopped() const { return options_.stop != nullptr && options_.stop->load(); }

  /// Whether the object's bytes are what its name says; each is read once.
  bool is_right(const ManifestFile& file) {
    const std::string name = ObjectFolder::name_of(file);
    const auto known = known_.find(name);
    if (known != known_.end()) return known->second;
    ++found_.objects;
    if (options_.progress != nullptr) ++*options_.progress;
    return known_[name] = read(name) == file.digest;
  }

 private:
  std::optional<Digest> read(const std::string& name) {
    const auto opened = open_at(root_, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!opened) return std::nullopt;
    Sha256 hash;
    const auto done = read_pieces(opened->get(), name, [&](std::string_view piece) -> Result<void> {
      hash.update(piece);
      found_.bytes += static_cast<std::int64_t>(piece.size());
      wait();
      if (stopped()) return Error{ErrorCode::cancelled, "the daemon ends"};
      return {};
    });
    return done ? std::optional(hash.finish()) : std::nullopt;
  }
  void wait() const {
    if (options_.bytes_per_second <= 0) return;
    const auto due = began_ + std::chrono::milliseconds(found_.bytes * 1000 / options_.bytes_per_second);
    while (Steady::now() < due && !stopped()) {
      std::this_thread::sleep_for(std::min<Steady::duration>(due - Steady::now(), longest_sleep));
    }
  }

  int root_;
  const ScrubOptions& options_;
  ScrubFound& found_;
  const Steady::time_point began_ = Steady::now();
  std::unordered_map<std::string, bool> known_;
};

}  // namespace

Result<ScrubFound> read_objects(Database& records, const ScrubOptions& options) {
  TRY(root, open_at(AT_FDCWD, options.store, O_RDONLY | O_DIRECTORY));
  ScrubFound found;
  SlowReader reader(root.get(), options, found);
  records.clear_failure();
  const auto until = Steady::now() + std::chrono::seconds(options.seconds_max);
  Query artifacts(records, "SELECT digest, manifest, id FROM artifacts WHERE tombstone_at IS NULL AND "
                  "corrupt_at IS NULL AND manifest IS NOT NULL AND id > ?1 ORDER BY id",
                  options.after);
  while (artifacts.next() && !reader.stopped()) {
    if (options.seconds_max > 0 && found.artifacts > 0 && Steady::now() >= until) break;
    found.last = artifacts.integer(2);
    ++found.artifacts;
    const auto manifest = parse_manifest(artifacts.text(1));
    if (!manifest) continue;  // fsck tells of it
    const bool right = std::all_of(manifest->files.begin(), manifest->files.end(),
                                   [&](const ManifestFile& file) { return reader.is_right(file); });
    if (!right) found.wrong.push_back(artifacts.digest(0));
  }
  if (reader.stopped()) return Error{ErrorCode::cancelled, "the daemon ends"};
  Query rest(records, "SELECT 1 FROM artifacts WHERE tombstone_at IS NULL AND corrupt_at IS NULL AND "
             "manifest IS NOT NULL AND id > ?1 LIMIT 1", found.last);
  if (found.last == 0 || !rest.next()) found.last = 0;
  if (records.failure()) {
    const Error error = records.failure()->within("reading which objects to look at");
    records.clear_failure();
    return error;
  }
  return found;
}

std::string remedy_of(Store& store, const Digest& artifact) {
  const auto detail = show_artifact(store, artifact, 1);
  std::string what = "artifact " + artifact.brief();
  if (!detail) return what + " is corrupt";
  what += " (" + detail->view.ref.type + ")";
  if (!detail->arrivals.empty()) {
    const ArrivalRow& arrival = detail->arrivals.front();
    return what + ", delivered as " + arrival.source + "/" + arrival.span + " of " +
           arrival.pipeline + ", is corrupt; deliver " + arrival.path +
           " again, or restore it from a backup";
  }
  if (detail->producers.empty()) return what + " is corrupt; restore it from a backup";
  const BindingView& made = detail->producers.front();
  return what + ", made by " + step_path(made.step, made.element) + " in run " +
         std::to_string(made.run) + " of " + made.pipeline + ", is corrupt; `pipectl run " +
         made.pipeline + "` makes it again where it is needed";
}

Scrub::Scrub(Parts parts, ScrubFound found, TimeMs now, Done done)
    : parts_(std::move(parts)),
      found_(std::move(found)),
      now_(now),
      done_(std::move(done)),
      self_(std::make_shared<Scrub*>(this)) {
  row_.name = "objects", row_.about = "bytes that are read again";
  row_.checked = found_.objects, row_.bytes = found_.bytes;
  row_.sentence = "of " + std::to_string(found_.artifacts) + " artifacts";
}

void Scrub::next(std::size_t place) {
  if (place >= found_.wrong.size()) {
    const Done done = std::exchange(done_, {});
    return done(Report{std::move(row_)});
  }
  parts_.artifacts.verify(found_.wrong[place],
                          [self = std::weak_ptr(self_), place](const Result<Verdict>& verdict) {
                            if (const auto here = self.lock()) (*here)->on_verdict(place, verdict);
                          });
}

// What was collected or made again since the copy is right or gone by now.
void Scrub::on_verdict(std::size_t place, const Result<Verdict>& verdict) {
  const Digest& artifact = found_.wrong[place];
  if (verdict && !verdict->whole) {
    if (auto marked = mark_corrupt(parts_.store, artifact, now_); !marked) {
      const Done done = std::exchange(done_, {});
      return done(marked.error());
    }
    const std::string sentence = remedy_of(parts_.store, artifact);
    const auto detail = show_artifact(parts_.store, artifact, 100);
    row_.violate(sentence + " (" + verdict->bad.front() + ")");
    for (const BindingView& made : detail ? detail->producers : std::vector<BindingView>()) {
      row_.affect(made.run);
    }
    for (const BindingView& read : detail ? detail->consumers : std::vector<BindingView>()) {
      row_.affect(read.run);
    }
    if (parts_.tell) parts_.tell(artifact, sentence);
  }
  next(place + 1);
}

}  // namespace pipelined
