// The bytes of artifacts: content-addressed objects, trees for reading, folders of attempts.
//
// Works on one thread of its own, so that hashing and syncing never hold up the loop; every method
// without a callback says so.  Calls come from the loop thread and callbacks run there, later.  It
// knows folders and files, no database: which artifacts exist is asked through `find_manifest`,
// and what was stored is remembered until the records name it (ObjectView).  Folders and the order
// of durable steps: docs/formats.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/artifacts/intake.h"
#include "daemon/ports.h"
#include "daemon/store/objects.h"
#include "dag/manifest.h"
#include "dag/settle.h"

namespace pipelined {

/// How the folder of artifacts is opened.
struct ArtifactsOptions {
  std::string folder;  ///< absolute; one file system
  /// Runs a function on the loop thread, in order; called from the store thread.
  std::function<void(std::function<void()>)> post;
  /// The recorded manifest of an artifact; called on the loop thread.
  std::function<std::optional<Manifest>(const Digest&)> find_manifest;
};

/// An open file of an artifact, for streaming; the owner closes the descriptor.
struct OpenedFile {
  int descriptor = -1;
  std::int64_t size = 0;
};

/// What looking at every byte of an artifact found.
struct Verdict {
  bool whole = true;
  std::vector<std::string> bad;  ///< a sentence for each wrong file; wrong objects are quarantined
};

/// How much promotion has done since the start, for figures.
struct PromotionCounts {
  std::int64_t batches = 0, files = 0, bytes = 0, deduplicated = 0, quarantined = 0;
};

/// What a sweep removed.
struct Swept {
  std::int64_t files = 0, bytes = 0;
};

/// The store of artifacts.
class Artifacts : public ArtifactPort, public ObjectView {
 public:
  /// Files of a tree that is made from text: path and content.
  using TextFiles = std::vector<std::pair<std::string, std::string>>;
  using StoredCallback = std::function<void(Result<Manifest>)>;

  /// Makes the folders, removes what dead processes left in tmp/ and attempts/ (logs stay) and
  /// starts the thread.  REQUIRES: nobody else uses the folder.
  static Result<std::unique_ptr<Artifacts>> open(const ArtifactsOptions& options);
  /// Finishes what is queued, posts its callbacks and stops the thread.
  ~Artifacts() override;

  void prepare(const effect::StartAttempt& start,
               std::function<void(Result<AttemptPlan>)> done) override;
  void promote(const AttemptPlan& plan, const std::vector<OutputSpec>& outputs,
               std::function<void(Result<Promoted>)> done) override;
  void discard(const std::string& attempt, bool finished) override;

  /// Copies a delivered file into the store under its base name.  `conflict`: it is not the file of
  /// these facts any more, or changed meanwhile; `not_found`; `invalid`: no regular file;
  /// `exhausted`: the disk is full.
  void snapshot(const std::string& path, const std::optional<FileFacts>& at_rest,
                const std::string& type, StoredCallback done);
  /// Copies several delivered files into the store as one artifact, as `snapshot` does one.
  void snapshot_set(std::vector<IntakeFile> files, const std::string& type, StoredCallback done);
  /// Stores texts as one artifact (a bundle, a schema file).
  void put_tree(const std::string& type, TextFiles files, StoredCallback done);
  /// Stores one text as an artifact of one file.
  void put_text(const std::string& type, const std::string& name, std::string text,
                StoredCallback done);
  /// Copies an artifact's files into a folder that must not exist yet; every byte is verified.
  void export_to(const Digest& artifact, const std::string& destination,
                 std::function<void(Result<void>)> done);
  /// Reads every byte of an artifact.
  void verify(const Digest& artifact, std::function<void(Result<Verdict>)> done);

  /// Removes objects, logs and trees, named below the store folder; objects that were touched at
  /// `young_ms` or later stay.  The names are gone durably when `done` is called.  REQUIRES: no row
  /// names these objects, and nobody reads these trees.
  void sweep(std::vector<std::string> names, TimeMs young_ms,
             std::function<void(Result<Swept>)> done);

  /// One file's content, verified; at once, on the calling thread.  `path` empty: the only file.
  Result<std::string> read_file(const Digest& artifact, const std::string& path,
                                std::int64_t size_max = 64 << 20);
  /// One file for streaming; at once.  Bytes are not verified.  `path` empty: the only file.
  Result<OpenedFile> open_file(const Digest& artifact, const std::string& path);

  /// Where an attempt's log is now: in its folder, and in logs/ after `discard`.
  std::string log_path(const std::string& attempt) const;
  /// An attempt's folder.
  std::string attempt_folder(const std::string& attempt) const;
  PromotionCounts promotion_counts() const;

  const std::vector<Manifest>& unrecorded() const override;
  const Manifest* find_unrecorded(const Digest& artifact) const override;
  void forget_unrecorded(std::size_t count) override;
  bool is_whole(const Manifest& manifest) override;

 private:
  struct State;
  explicit Artifacts(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pipelined
