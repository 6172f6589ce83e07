#include "daemon/keeping/keeper.h"

#include <pthread.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "daemon/keeping/backup.h"

namespace pipelined {
namespace {

namespace fs = std::filesystem;

// About a millisecond of copying between two turns.
constexpr int pages_a_step = 200;
constexpr std::size_t jobs_kept = 50;
constexpr const char* collected_at = "collected_at";

void remove_copy(const std::string& path) {
  for (const char* rest : {"", "-wal", "-shm", "-journal"}) ::unlink((path + rest).c_str());
}

}  // namespace

const char* name_of(JobState state) {
  switch (state) {
    case JobState::copying: return "copying";
    case JobState::working: return "working";
    case JobState::done: return "done";
    case JobState::failed: return "failed";
  }
  return "failed";
}

Keeper::Keeper(Parts parts)
    : parts_(std::move(parts)), self_(std::make_shared<Keeper*>(this)) {
  std::error_code ignored;
  for (fs::directory_iterator entry(parts_.state, ignored), end; !ignored && entry != end;
       entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    if (name.rfind("copy-", 0) == 0) ::unlink(entry->path().c_str());
  }
}

Keeper::~Keeper() {
  self_.reset();
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  copy_.reset();
  collection_.reset();
  scrub_.reset();
  if (current_ != 0 && temporary_) remove_copy(path_);
}

Result<std::int64_t> Keeper::start(JobOrder order) {
  if (current_ != 0) {
    return Error{ErrorCode::conflict, "starting a " + order.kind + ": job " +
                                          std::to_string(current_) + " (" +
                                          jobs_.at(current_).kind +
                                          ") is under way; wait for its end"};
  }
  if (order.kind == "backup") {
    TRY_VOID(prepare_backup(order.folder));
  } else if (order.kind != "fsck" && order.kind != "gc" && order.kind != "scrub") {
    return Error{ErrorCode::invalid, "there is no job " + order.kind};
  }
  current_ = ++last_;
  progress_ = 0;
  Job& job = jobs_[current_];
  job.number = current_;
  job.kind = order.kind;
  job.started_at = parts_.now();
  if (jobs_.size() > jobs_kept) jobs_.erase(jobs_.begin());
  const std::int64_t number = current_;
  if (order.kind == "gc") {
    start_collection(order);
  } else if (order.kind == "scrub") {
    start_scrub(order);
  } else if (order.kind == "backup") {
    start_backup(order);
  } else {
    start_fsck(std::move(order));
  }
  return number;
}

void Keeper::start_collection(const JobOrder& order) {
  plan_ = std::make_shared<CollectPlan>();
  then_ = {};
  if (!order.dry_run) {
    then_ = [this](Result<Report> planned) { collect(std::move(planned)); };
  }
  CollectOptions options{parts_.folder, parts_.policy, parts_.now(), &stop_};
  copy_records([options, plan = plan_](Database& copy) -> Result<Report> {
    TRY(made, plan_collection(copy, options));
    *plan = std::move(made);
    return plan->report;
  });
}

void Keeper::start_backup(const JobOrder& order) {
  BackupOptions options{parts_.folder, order.folder, &stop_};
  copy_records([options](Database& copy) { return complete_backup(copy, options); },
               order.folder + "/state.db");
}

void Keeper::collect(Result<Report> planned) {
  if (!planned) return end(planned.error());
  collection_ = std::make_unique<Collection>(
      Collection::Parts{parts_.store, parts_.artifacts, parts_.post}, std::move(*plan_), copied_,
      parts_.policy, parts_.now(), [this](Result<Report> report) {
        if (report) {
          const auto noted = parts_.store.set_meta(collected_at, std::to_string(parts_.now()));
          if (!noted) report = noted.error();
        }
        end(std::move(report));
      });
  collection_->start();
}

bool Keeper::collection_is_due(TimeMs now) {
  if (parts_.collect_hours <= 0) return false;
  const std::optional<std::string> last = parts_.store.meta(collected_at);
  const TimeMs then = last ? std::atoll(last->c_str()) : 0;
  if (then == 0 || then > now) {
    // The first one comes a period after the first start, and a clock that went back starts anew.
    const auto noted = parts_.store.set_meta(collected_at, std::to_string(now));
    static_cast<void>(noted);  // on a full disk the next call tries again
    return false;
  }
  return now - then >= parts_.collect_hours * 3'600'000;
}

void Keeper::tick() {
  if (busy()) return;
  const TimeMs now = parts_.now();
  JobOrder order;
  order.who = "pipelined";
  if (collection_is_due(now)) {
    order.kind = "gc";
  } else if (scrub_is_due(now)) {
    order.kind = "scrub", order.portion = true;
  } else {
    return;
  }
  const auto started = start(std::move(order));
  static_cast<void>(started);
}

void Keeper::set_policy(const RetentionPolicy& policy, std::int64_t collect_hours) {
  parts_.policy = policy;
  parts_.collect_hours = collect_hours;
}

void Keeper::start_fsck(JobOrder order) {
  copy_records([this, order = std::move(order)](Database& copy) -> Result<Report> {
    FsckOptions options;
    options.store = parts_.folder;
    options.deep = order.deep;
    options.secrets = order.secrets;
    options.stop = &stop_;
    options.progress = &progress_;
    options.live = live_;
    return fsck(copy, options);
  });
}

void Keeper::copy_records(Work work, const std::string& path) {
  work_ = std::move(work);
  temporary_ = path.empty();
  path_ = temporary_ ? parts_.state + "/copy-" + std::to_string(current_) + ".db" : path;
  if (temporary_) remove_copy(path_);
  auto begun = DatabaseCopy::begin(parts_.store.database(), path_);
  if (!begun) return end(begun.error());
  copy_ = *std::move(begun);
  copy_some();
}

void Keeper::copy_some() {
  auto complete = copy_->step(pages_a_step);
  if (!complete) return end(complete.error().within("copying the records to look at them"));
  if (!*complete) {
    progress_ = copy_->pages() - copy_->remaining();
    parts_.post([self = std::weak_ptr(self_)] {
      if (const auto here = self.lock()) (*here)->copy_some();
    });
    return;
  }
  copy_.reset();
  progress_ = 0;
  live_ = parts_.live();
  copied_ = mark_of(parts_.store, parts_.now());
  jobs_.at(current_).state = JobState::working;
  run([path = path_, work = std::exchange(work_, {})]() -> Result<Report> {
    TRY(copy, Database::open({path, 0}));
    return work(*copy);
  });
}

void Keeper::run(std::function<Result<Report>()> work) {
  if (thread_.joinable()) thread_.join();
  thread_ = std::thread([this, work = std::move(work), post = parts_.post,
                         self = std::weak_ptr(self_)] {
    auto made = std::make_shared<Result<Report>>(work());
    post([made, self] {
      const auto here = self.lock();
      if (!here) return;
      Keeper& keeper = **here;
      if (const auto then = std::exchange(keeper.then_, {})) return then(std::move(*made));
      keeper.end(std::move(*made));
    });
  });
  ::pthread_setname_np(thread_.native_handle(), "keeping");
}

void Keeper::end(Result<Report> report) {
  copy_.reset();
  then_ = {};
  // Not inside its own call.
  if (collection_) parts_.post([old = std::shared_ptr<Collection>(std::move(collection_))] {});
  if (scrub_) parts_.post([old = std::shared_ptr<Scrub>(std::move(scrub_))] {});
  if (temporary_) remove_copy(path_);
  Job& job = jobs_.at(current_);
  job.ended_at = parts_.now();
  job.progress = progress_;
  job.state = report ? JobState::done : JobState::failed;
  if (report) {
    job.report = *std::move(report);
  } else {
    job.error = report.error().message;
  }
  const std::int64_t ended = std::exchange(current_, 0);
  for (auto& done : std::exchange(waiting_[ended], {})) parts_.post(std::move(done));
  waiting_.erase(ended);
}

std::optional<Job> Keeper::find_job(std::int64_t number) {
  const auto found = jobs_.find(number);
  if (found == jobs_.end()) return std::nullopt;
  Job job = found->second;
  if (number == current_) job.progress = progress_;
  return job;
}

void Keeper::when_ended(std::int64_t number, std::function<void()> done) {
  if (number == current_) {
    waiting_[number].push_back(std::move(done));
  } else {
    parts_.post(std::move(done));
  }
}

std::vector<Pin> Keeper::pins() { return list_pins(parts_.store); }

Result<void> Keeper::pin(Pin pin) {
  pin.at = parts_.now();
  return put_pin(parts_.store, pin);
}

Result<void> Keeper::unpin(const std::string& kind, const std::string& subject) {
  return remove_pin(parts_.store, kind, subject);
}

}  // namespace pipelined
