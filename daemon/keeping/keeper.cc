#include "daemon/keeping/keeper.h"

#include <pthread.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

namespace pipelined {
namespace {

namespace fs = std::filesystem;

// About a millisecond of copying between two turns.
constexpr int pages_a_step = 200;
constexpr std::size_t jobs_kept = 50;

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
  if (current_ != 0) remove_copy(copy_path());
}

std::string Keeper::copy_path() const {
  return parts_.state + "/copy-" + std::to_string(current_) + ".db";
}

Result<std::int64_t> Keeper::start(JobOrder order) {
  if (current_ != 0) {
    return Error{ErrorCode::conflict, "starting a " + order.kind + ": job " +
                                          std::to_string(current_) + " (" +
                                          jobs_.at(current_).kind +
                                          ") is under way; wait for its end"};
  }
  if (order.kind != "fsck") return Error{ErrorCode::invalid, "there is no job " + order.kind};
  current_ = ++last_;
  progress_ = 0;
  Job& job = jobs_[current_];
  job.number = current_;
  job.kind = order.kind;
  job.started_at = parts_.now();
  if (jobs_.size() > jobs_kept) jobs_.erase(jobs_.begin());
  const std::int64_t number = current_;
  start_fsck(std::move(order));
  return number;
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

void Keeper::copy_records(Work work) {
  work_ = std::move(work);
  remove_copy(copy_path());
  auto begun = DatabaseCopy::begin(parts_.store.database(), copy_path());
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
  jobs_.at(current_).state = JobState::working;
  run([path = copy_path(), work = std::exchange(work_, {})]() -> Result<Report> {
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
      if (const auto here = self.lock()) (*here)->end(std::move(*made));
    });
  });
  ::pthread_setname_np(thread_.native_handle(), "keeping");
}

void Keeper::end(Result<Report> report) {
  copy_.reset();
  remove_copy(copy_path());
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
