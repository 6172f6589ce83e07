#include "daemon/artifacts/artifacts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <unordered_map>
#include <unordered_set>

#include "daemon/artifacts/checkpoint_folder.h"
#include "daemon/artifacts/file_io.h"
#include "daemon/artifacts/intake.h"
#include "daemon/artifacts/object_folder.h"
#include "daemon/artifacts/promotion.h"
#include "daemon/artifacts/removal.h"
#include "daemon/artifacts/store_thread.h"
#include "daemon/artifacts/sweep.h"
#include "daemon/artifacts/tree_folder.h"
#include "daemon/posix/fault.h"

namespace pipelined {
namespace {

constexpr std::size_t spare_max = 512;

/// What only the loop thread touches.  Shared, so that a callback that is still queued when the
/// store goes away finds it alive.
struct LoopSide {
  std::vector<Manifest> unrecorded;
  std::unordered_map<Digest, std::size_t> places;  ///< in unrecorded, counted from the start
  std::size_t forgotten = 0;

  void remember(const Digest& digest, const Manifest& manifest) {
    if (places.emplace(digest, forgotten + unrecorded.size()).second) {
      unrecorded.push_back(manifest);
    }
  }
  const Manifest* find(const Digest& digest) const {
    const auto found = places.find(digest);
    return found != places.end() ? &unrecorded[found->second - forgotten] : nullptr;
  }
};

/// One input of an attempt with its manifest.
struct WantedTree {
  Digest artifact;
  Manifest manifest;
};

Error unknown(const Digest& artifact) {
  return {ErrorCode::not_found,
          "reading the artifact " + artifact.hex() + ": nothing is recorded under that digest"};
}

/// Moves an attempt's log to logs/, so that a start looks at live attempts only.
Result<void> keep_log(int root, const std::string& attempt) {
  const std::string folder = "attempts/" + attempt;
  const std::string log = folder + "/log";
  if (const int error = fault::at(fault::Place::log_keep); error > 0) {
    return system_error("keeping the log of an attempt", log, error);
  }
  struct stat found {};
  if (::fstatat(root, log.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(found.st_mode) &&
      ::renameat(root, log.c_str(), root, ("logs/" + attempt).c_str()) != 0) {
    return system_error("keeping the log of an attempt", log, errno);
  }
  return {};
}

/// Removes an attempt's folder but for its log.
Result<void> clear_attempt(int root, const std::string& attempt) {
  TRY_VOID(keep_log(root, attempt));
  return remove_all_below(root, "attempts/" + attempt, "tmp");
}

/// Whether the folder is as `make_attempt` made it: nothing in it but out/ and scratch/, both empty.
bool is_unused(int root, const std::string& folder) {
  for (const char* part : {"", "/out", "/scratch"}) {
    // Opened without following links before its mode is touched: an operator may have put one here.
    const UniqueFd opened(::openat(root, (folder + part).c_str(),
                                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!opened || ::fchmod(opened.get(), 0700) != 0) return false;
    const auto names = entries_of(root, folder + part);
    if (!names || names->size() != (*part == 0 ? 2U : 0U)) return false;
  }
  return true;
}

/// Takes away the folders of outputs whose files were promoted; others are left as they are.
void remove_emptied_outputs(int root, const std::string& folder) {
  const std::string out = folder + "/out";
  const auto names = entries_of(root, out);
  if (!names || names->empty()) return;
  // No link is followed, and only an empty folder goes.
  const UniqueFd opened(
      ::openat(root, out.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) return;
  for (const std::string& name : *names) ::unlinkat(opened.get(), name.c_str(), AT_REMOVEDIR);
}

/// Removes what processes of before the start left behind.
Result<void> clear_leftovers(int root) {
  if (const int error = fault::at(fault::Place::leftovers_clear); error > 0) {
    return system_error("clearing away", "tmp", error);
  }
  TRY(temporaries, entries_of(root, "tmp"));
  for (const std::string& name : temporaries) {
    TRY_VOID(remove_all_below(root, "tmp/" + name, "tmp"));
  }
  TRY(attempts, entries_of(root, "attempts"));
  for (const std::string& name : attempts) TRY_VOID(clear_attempt(root, name));
  return {};
}

bool is_attempt_name(const std::string& attempt) {
  return is_manifest_path(attempt) && attempt.find('/') == std::string::npos;
}

}  // namespace

struct Artifacts::State {
  ArtifactsOptions options;
  UniqueFd root;
  std::shared_ptr<LoopSide> loop = std::make_shared<LoopSide>();
  std::unique_ptr<ObjectFolder> objects;
  std::unique_ptr<TreeFolder> trees;
  std::unique_ptr<CheckpointFolder> checkpoints;
  std::atomic<std::int64_t> temporaries{0};
  PromotionTotals totals;
  /// Empty folders of ended attempts, used again: making and removing folders is dear on ext4.
  std::vector<std::string> spare;
  std::unique_ptr<StoreThread> thread;  ///< last: stops before the rest goes

  std::string temporary() {
    return "tmp/" + std::to_string(::getpid()) + "-" + std::to_string(temporaries++);
  }
  IntakePlace place() {
    return {root.get(), *objects, [this] { return temporary(); }};
  }
  Result<Manifest> manifest_of(const Digest& artifact) const {
    if (const Manifest* manifest = loop->find(artifact)) return *manifest;
    auto found = options.find_manifest ? options.find_manifest(artifact) : std::nullopt;
    if (!found) return unknown(artifact);
    return *std::move(found);
  }
  /// Queues work that makes an artifact.
  void add_intake(std::function<Result<Manifest>()> make, StoredCallback done);
  Result<void> make_folders(const std::string& attempt);
  Result<void> end_attempt(const std::string& attempt, bool finished);
  Result<AttemptPlan> make_attempt(AttemptPlan plan, const std::vector<WantedTree>& wanted);
};

void Artifacts::State::add_intake(std::function<Result<Manifest>()> make, StoredCallback done) {
  thread->add([make = std::move(make), done = std::move(done), side = loop] {
    return [made = make(), done, side] {
      if (made) side->remember(made->digest(), *made);
      done(made);
    };
  });
}

Result<AttemptPlan> Artifacts::State::make_attempt(AttemptPlan plan,
                                                   const std::vector<WantedTree>& wanted) {
  for (const WantedTree& tree : wanted) TRY_VOID(trees->ensure(tree.artifact, tree.manifest));
  TRY_VOID(make_folders(plan.start.attempt));
  const std::string& key = plan.start.checkpoint;
  if (!key.empty()) TRY_VOID(checkpoints->lend(plan.start.attempt, key));
  return plan;
}

Result<void> Artifacts::State::make_folders(const std::string& attempt) {
  const std::string folder = "attempts/" + attempt;
  if (const int error = fault::at(fault::Place::attempt_make); error > 0) {
    return system_error("making the folder", folder, error);
  }
  while (!spare.empty()) {
    if (fault::at(fault::Place::attempt_reuse) > 0) break;
    const std::string name = std::move(spare.back());
    spare.pop_back();
    if (::renameat2(root.get(), name.c_str(), root.get(), folder.c_str(), RENAME_NOREPLACE) == 0) {
      return {};
    }
    if (errno == EEXIST) break;
  }
  TRY_VOID(make_folder(root.get(), folder, 0700));
  TRY_VOID(make_folder(root.get(), folder + "/out", 0700));
  TRY_VOID(make_folder(root.get(), folder + "/scratch", 0700));
  fault::at(fault::Place::attempt_made);
  return {};
}

Result<void> Artifacts::State::end_attempt(const std::string& attempt, bool finished) {
  const std::string folder = "attempts/" + attempt;
  checkpoints->take_back(attempt, finished);
  TRY_VOID(keep_log(root.get(), attempt));
  if (spare.size() < spare_max) remove_emptied_outputs(root.get(), folder);
  if (spare.size() < spare_max && is_unused(root.get(), folder)) {
    const std::string name = temporary();
    if (::renameat2(root.get(), folder.c_str(), root.get(), name.c_str(), RENAME_NOREPLACE) == 0) {
      spare.push_back(name);
      return {};
    }
  }
  return remove_all_below(root.get(), folder, "tmp");
}

Artifacts::Artifacts(std::unique_ptr<State> state) : state_(std::move(state)) {}
Artifacts::~Artifacts() = default;

Result<std::unique_ptr<Artifacts>> Artifacts::open(const ArtifactsOptions& options) {
  auto state = std::make_unique<State>();
  State* inside = state.get();
  state->options = options;
  TRY_VOID(make_folder(AT_FDCWD, options.folder, 0700));
  TRY(root, open_at(AT_FDCWD, options.folder, O_RDONLY | O_DIRECTORY));
  state->root = std::move(root);
  for (const char* folder : {"tmp", "trees", "attempts", "logs"}) {
    TRY_VOID(make_folder(state->root.get(), folder, 0700));
  }
  state->objects = std::make_unique<ObjectFolder>(state->root.get());
  TRY_VOID(state->objects->create());
  state->checkpoints = std::make_unique<CheckpointFolder>(state->root.get());
  TRY_VOID(state->checkpoints->create());
  TRY_VOID(state->checkpoints->recover());
  TRY_VOID(clear_leftovers(state->root.get()));
  state->trees = std::make_unique<TreeFolder>(state->root.get(), *state->objects,
                                              [inside] { return inside->temporary(); });
  state->thread = std::make_unique<StoreThread>(
      options.post, [inside](const std::vector<PromotionOrder>& orders) {
        return promote_batch(*inside->objects, inside->root.get(), orders, inside->totals);
      },
      [inside](const std::vector<IntakeOrder>& orders) {
        return take_snapshots(inside->place(), orders);
      });
  return std::unique_ptr<Artifacts>(new Artifacts(std::move(state)));
}

void Artifacts::prepare(const effect::StartAttempt& start,
                        std::function<void(Result<AttemptPlan>)> done) {
  AttemptPlan plan{start, attempt_folder(start.attempt), {}};
  std::vector<WantedTree> wanted;
  std::unordered_set<Digest> named;
  std::optional<Error> error;
  if (!is_attempt_name(start.attempt)) {
    error = Error{ErrorCode::invalid, "preparing an attempt: its id is no file name"};
  }
  for (const PortInputs& port : start.inputs) {
    std::vector<std::string> paths;
    for (const ArtifactRef& artifact : port.artifacts) {
      paths.push_back(state_->options.folder + "/" + TreeFolder::name_of(artifact.digest));
      if (error || !named.insert(artifact.digest).second) continue;
      auto manifest = state_->manifest_of(artifact.digest);
      if (!manifest) {
        error = manifest.error();
      } else {
        wanted.push_back({artifact.digest, *std::move(manifest)});
      }
    }
    plan.inputs.push_back(std::move(paths));
  }
  State* inside = state_.get();
  inside->thread->add([inside, plan = std::move(plan), wanted = std::move(wanted), error,
                       done = std::move(done)]() -> StoreThread::Callback {
    auto made = error ? Result<AttemptPlan>(*error) : inside->make_attempt(plan, wanted);
    return [made = std::move(made), done] { done(made); };
  });
}

void Artifacts::promote(const AttemptPlan& plan, const std::vector<OutputSpec>& outputs,
                        std::function<void(Result<Promoted>)> done) {
  State* inside = state_.get();
  inside->thread->add(
      PromotionOrder{"attempts/" + plan.start.attempt, outputs},
      [side = inside->loop, done = std::move(done)](PromotionOutcome outcome) {
        if (outcome.error) return done(*outcome.error);
        Promoted promoted{{}, std::move(outcome.refused)};
        for (const PromotedOutput& output : outcome.outputs) {
          side->remember(output.digest, output.manifest);
          promoted.outputs.push_back(
              {output.port, 0, {output.digest, output.manifest.type, output.manifest.size()}});
        }
        done(std::move(promoted));
      });
}

void Artifacts::discard(const std::string& attempt, bool finished) {
  if (!is_attempt_name(attempt)) return;
  State* inside = state_.get();
  inside->thread->add([inside, attempt, finished]() -> StoreThread::Callback {
    fault::at(fault::Place::attempt_clear);
    // What cannot be removed now goes at the next start.
    const auto cleared = inside->end_attempt(attempt, finished);
    static_cast<void>(cleared);
    fault::at(fault::Place::attempt_cleared);
    return nullptr;
  });
}

void Artifacts::snapshot(const std::string& path, const std::optional<FileFacts>& at_rest,
                         const std::string& type, StoredCallback done) {
  State* inside = state_.get();
  inside->thread->add(IntakeOrder{path, type, at_rest},
                      [side = inside->loop, done = std::move(done)](Result<Manifest> made) {
                        if (made) side->remember(made->digest(), *made);
                        done(std::move(made));
                      });
}

void Artifacts::snapshot_set(std::vector<IntakeFile> files, const std::string& type,
                             StoredCallback done) {
  State* inside = state_.get();
  inside->add_intake([inside, type, files = std::move(files)] {
    return take_set(inside->place(), type, files);
  }, std::move(done));
}

void Artifacts::put_tree(const std::string& type, TextFiles files, StoredCallback done) {
  State* inside = state_.get();
  inside->add_intake([inside, type, files = std::move(files)] {
    return store_texts(inside->place(), type, files);
  }, std::move(done));
}

void Artifacts::put_text(const std::string& type, const std::string& name, std::string text,
                         StoredCallback done) {
  put_tree(type, {{name, std::move(text)}}, std::move(done));
}

void Artifacts::export_to(const Digest& artifact, const std::string& destination,
                          std::function<void(Result<void>)> done) {
  State* inside = state_.get();
  auto manifest = inside->manifest_of(artifact);
  inside->thread->add([inside, manifest, destination,
                       done = std::move(done)]() -> StoreThread::Callback {
    auto copied = manifest ? copy_out(*inside->objects, *manifest, destination)
                           : Result<void>(manifest.error());
    return [copied, done] { done(copied); };
  });
}

void Artifacts::verify(const Digest& artifact, std::function<void(Result<Verdict>)> done) {
  State* inside = state_.get();
  auto manifest = inside->manifest_of(artifact);
  inside->thread->add([inside, manifest, done = std::move(done)]() -> StoreThread::Callback {
    if (!manifest) return [error = manifest.error(), done] { done(error); };
    Verdict verdict;
    for (const ManifestFile& file : manifest->files) {
      const auto verified = inside->objects->verify_again(file);
      if (!verified) verdict.bad.push_back(file.path + ": " + verified.error().message);
    }
    verdict.whole = verdict.bad.empty();
    return [verdict, done] { done(verdict); };
  });
}

void Artifacts::sweep(std::vector<std::string> names, TimeMs young_ms,
                      std::function<void(Result<Swept>)> done) {
  State* inside = state_.get();
  inside->thread->add([inside, names = std::move(names), young_ms,
                       done = std::move(done)]() -> StoreThread::Callback {
    auto swept = sweep_files(inside->root.get(), names, young_ms);
    return [swept, done] { done(swept); };
  });
}

Result<OpenedFile> Artifacts::open_file(const Digest& artifact, const std::string& path) {
  TRY(manifest, state_->manifest_of(artifact));
  for (const ManifestFile& file : manifest.files) {
    if (file.path != path && !(path.empty() && manifest.files.size() == 1)) continue;
    TRY(opened, state_->objects->open(file));
    return OpenedFile{opened.release(), file.size};
  }
  return Error{ErrorCode::not_found, "reading \"" + path + "\" of the artifact " + artifact.brief() +
                                         ": it has no such file" +
                                         (path.empty() ? "; it has several, name one" : "")};
}

Result<std::string> Artifacts::read_file(const Digest& artifact, const std::string& path,
                                         std::int64_t size_max) {
  TRY(manifest, state_->manifest_of(artifact));
  TRY(found, open_file(artifact, path));
  const UniqueFd opened(found.descriptor);
  if (found.size > size_max) {
    return Error{ErrorCode::exhausted, "reading \"" + path + "\" of the artifact " +
                                           artifact.brief() + ": it has " +
                                           std::to_string(found.size) + " bytes; export it"};
  }
  std::string text;
  text.reserve(static_cast<std::size_t>(found.size));
  TRY_VOID(read_pieces(opened.get(), path, [&text](std::string_view piece) -> Result<void> {
    text += piece;
    return {};
  }));
  const Digest digest = sha256(text);
  for (const ManifestFile& file : manifest.files) {
    if ((path.empty() || file.path == path) && file.digest == digest) return text;
  }
  return Error{ErrorCode::corrupt, "reading \"" + path + "\" of the artifact " + artifact.hex() +
                                       ": its bytes are wrong; run the step that makes it again"};
}

std::string Artifacts::attempt_folder(const std::string& attempt) const {
  return state_->options.folder + "/attempts/" + attempt;
}

std::string Artifacts::log_path(const std::string& attempt) const {
  if (!is_attempt_name(attempt)) return {};
  const std::string kept = "logs/" + attempt;
  if (::faccessat(state_->root.get(), kept.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    return state_->options.folder + "/" + kept;
  }
  return attempt_folder(attempt) + "/log";
}

PromotionCounts Artifacts::promotion_counts() const {
  const PromotionTotals& totals = state_->totals;
  return {totals.batches, totals.files, totals.bytes, totals.deduplicated,
          state_->objects->quarantined()};
}

const Manifest* Artifacts::find_unrecorded(const Digest& artifact) const {
  return state_->loop->find(artifact);
}

const std::vector<Manifest>& Artifacts::unrecorded() const { return state_->loop->unrecorded; }

void Artifacts::forget_unrecorded(std::size_t count) {
  LoopSide& side = *state_->loop;
  CHECK(count <= side.unrecorded.size());
  if (count == 0) return;
  std::erase_if(side.places, [&side, count](const auto& place) {
    return place.second < side.forgotten + count;
  });
  side.forgotten += count;
  side.unrecorded.erase(side.unrecorded.begin(),
                        side.unrecorded.begin() + static_cast<std::ptrdiff_t>(count));
}

bool Artifacts::is_whole(const Manifest& manifest) {
  for (const ManifestFile& file : manifest.files) {
    if (!state_->objects->has(file)) return false;
  }
  return true;
}

}  // namespace pipelined
