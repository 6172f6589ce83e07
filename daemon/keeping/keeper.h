// Long work on the store of a running daemon: one job at a time, never on the loop for long.
//
// Most jobs look at a copy of the records that is made a few pages at a time between turns; the
// work itself runs on a thread of its own.  Jobs are told by number; the last few are remembered
// until the daemon ends.  Calls and callbacks on the loop thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/artifacts/artifacts.h"
#include "daemon/keeping/collection.h"
#include "daemon/keeping/fsck.h"
#include "daemon/keeping/keeping.h"
#include "daemon/keeping/scrub.h"
#include "daemon/store/store.h"

namespace pipelined {

/// The jobs of a running daemon.
class Keeper : public Keeping {
 public:
  /// The parts that it works with; all must outlive it.
  struct Parts {
    Store& store;
    Artifacts& artifacts;
    std::string state, folder;                          ///< state folder, store folder
    std::function<TimeMs()> now;
    std::function<void(std::function<void()>)> post;    ///< runs on the loop, later; any thread
    std::function<LiveFacts()> live;                    ///< of this moment
    RetentionPolicy policy;
    std::int64_t collect_hours = 0;                     ///< between collections; 0: none by itself
    ScrubPolicy scrubbing;
    /// A stored artifact turned out to be wrong; may be empty.
    std::function<void(const Digest&, const std::string& sentence)> corrupt_found;
  };

  /// Removes copies that an earlier process left.
  explicit Keeper(Parts parts);
  /// Ends the work that is under way and waits for its thread.
  ~Keeper() override;
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  Result<std::int64_t> start(JobOrder order) override;
  std::optional<Job> find_job(std::int64_t number) override;
  void when_ended(std::int64_t number, std::function<void()> done) override;
  std::vector<Pin> pins() override;
  Result<void> pin(Pin pin) override;
  Result<void> unpin(const std::string& kind, const std::string& subject) override;

  /// Starts what is due by itself; called now and then.
  void tick();
  /// The configuration was read again.
  void set_policy(const RetentionPolicy& policy, std::int64_t collect_hours);
  void set_scrubbing(const ScrubPolicy& policy) { parts_.scrubbing = policy; }
  /// Whether a job is under way.
  bool busy() const { return current_ != 0; }

 private:
  /// Runs on the thread; gets the copy of the records.
  using Work = std::function<Result<Report>(Database& copy)>;

  void start_fsck(JobOrder order);
  void start_collection(const JobOrder& order);
  void collect(Result<Report> planned);
  void start_backup(const JobOrder& order);
  void start_scrub(const JobOrder& order);
  void settle_scrub(bool portion, Result<Report> read);
  bool collection_is_due(TimeMs now);
  bool scrub_is_due(TimeMs now);
  /// `path` empty: a file that goes with the job.
  void copy_records(Work work, const std::string& path = {});
  void copy_some();
  void run(std::function<Result<Report>()> work);
  void end(Result<Report> report);

  Parts parts_;
  std::map<std::int64_t, Job> jobs_;
  std::map<std::int64_t, std::vector<std::function<void()>>> waiting_;
  std::int64_t last_ = 0, current_ = 0;
  std::unique_ptr<DatabaseCopy> copy_;
  Work work_;
  std::string path_;           ///< of the copy
  bool temporary_ = true;      ///< the copy goes when the job ends
  std::function<void(Result<Report>)> then_;   ///< instead of the end, once
  LiveFacts live_;
  CopyMark copied_;
  std::shared_ptr<CollectPlan> plan_;
  std::unique_ptr<Collection> collection_;
  std::shared_ptr<ScrubFound> read_;
  std::unique_ptr<Scrub> scrub_;
  std::atomic<bool> stop_{false};
  std::atomic<std::int64_t> progress_{0};
  std::thread thread_;
  std::shared_ptr<Keeper*> self_;   ///< emptied by the destructor; late callbacks look here
};

}  // namespace pipelined
