#include "daemon/exec/adhoc.h"

#include <cstdio>

namespace pipelined {
namespace {

constexpr std::int64_t kill_grace_ms = 2000;

/// 26 characters, as every attempt's name; those of runs begin with digits of the time.
std::string name_of_adhoc(const std::string& name, std::int64_t now_ms, std::int64_t number) {
  char text[64];
  std::snprintf(text, sizeof text, "%013lld%08lld", static_cast<long long>(now_ms),
                static_cast<long long>(number % 100'000'000));
  return name + text;
}

}  // namespace

AdHoc::AdHoc(Clock& clock, ArtifactPort& artifacts, Executor& executor, After after,
             std::string name)
    : clock_(clock),
      artifacts_(artifacts),
      executor_(executor),
      after_(std::move(after)),
      name_(std::move(name)),
      others_(executor.on_ended),
      self_(std::make_shared<AdHoc*>(this)) {
  executor_.on_ended = [this](AttemptReport report) {
    if (!take(report)) others_(std::move(report));
  };
}

AdHoc::~AdHoc() { executor_.on_ended = std::move(others_); }

void AdHoc::run(effect::StartAttempt start, Replaced replaced, Done done) {
  if (live_.size() >= at_once_max) {
    return after_(0, [done] {
      done(Error{ErrorCode::unavailable, "two others are looking at something or trying a step "
                                         "now; try again when they are done"});
    });
  }
  const std::string attempt = name_of_adhoc(name_, clock_.now().wall_ms, ++last_);
  start.attempt = attempt, start.fence = std::string(32, '0');
  live_[attempt].done = std::move(done);
  const std::weak_ptr<AdHoc*> self = self_;
  artifacts_.prepare(start, [self, attempt, replaced = std::move(replaced)](
                                Result<AttemptPlan> plan) {
    if (const auto here = self.lock()) (*here)->on_prepared(attempt, replaced, std::move(plan));
  });
}

void AdHoc::on_prepared(const std::string& attempt, const Replaced& replaced,
                        Result<AttemptPlan> plan) {
  if (!plan) return finish(attempt, plan.error());
  Live& live = live_.at(attempt);
  live.plan = *std::move(plan);
  for (std::size_t port = 0; port < live.plan.start.inputs.size(); ++port) {
    for (std::size_t i = 0; i < live.plan.inputs[port].size(); ++i) {
      const auto other = replaced.find({live.plan.start.inputs[port].port, i});
      if (other != replaced.end()) live.plan.inputs[port][i] = other->second;
    }
  }
  live.begun_ms = clock_.now().steady_ms;
  executor_.start(live.plan);
  if (live.plan.start.timeout_ms <= 0) return;
  const std::weak_ptr<AdHoc*> self = self_;
  after_(live.plan.start.timeout_ms, [self, attempt] {
    const auto here = self.lock();
    if (!here || (*here)->live_.count(attempt) == 0) return;
    (*here)->live_.at(attempt).timed_out = true;
    (*here)->executor_.kill(attempt, kill_grace_ms, "timed out");
  });
}

bool AdHoc::take(AttemptReport& report) {
  const auto found = live_.find(report.attempt);
  if (found == live_.end()) return false;
  auto end = std::make_shared<AdHocEnd>();
  end->folder = found->second.plan.folder;
  end->outputs = found->second.plan.start.outputs;
  end->took_ms = clock_.now().steady_ms - found->second.begun_ms;
  if (found->second.timed_out) {
    report.outcome = Outcome::failed;
    report.error = "it took longer than " +
                   std::to_string(found->second.plan.start.timeout_ms / 1000) + " s and was ended";
  }
  const std::string attempt = report.attempt;
  end->report = std::move(report);
  const std::weak_ptr<AdHoc*> self = self_;
  end->discard = [self, attempt] {
    if (const auto here = self.lock()) (*here)->artifacts_.discard(attempt, true);
  };
  finish(attempt, std::shared_ptr<const AdHocEnd>(std::move(end)));
  return true;
}

void AdHoc::finish(const std::string& attempt, Result<std::shared_ptr<const AdHocEnd>> end) {
  const auto found = live_.find(attempt);
  if (found == live_.end()) return;
  const Done done = std::move(found->second.done);
  live_.erase(found);
  done(std::move(end));
}

}  // namespace pipelined
