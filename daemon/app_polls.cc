#include "daemon/app_polls.h"

#include <algorithm>
#include <utility>

#include "daemon/posix/fault.h"

namespace pipelined {

Polls::Polls(AdHoc& adhoc, Artifacts& artifacts, std::function<bool(Event)> post)
    : adhoc_(adhoc),
      artifacts_(artifacts),
      post_(std::move(post)),
      self_(std::make_shared<Polls*>(this)) {}

void Polls::start(effect::StartPoll wish) {
  fault::at(fault::Place::poll_start);
  ++live_;
  event::PollEnded ended;
  ended.poll = wish.poll;
  const std::weak_ptr<Polls*> self = self_;
  adhoc_.run(std::move(wish.start), {},
             [self, ended](Result<std::shared_ptr<const AdHocEnd>> end) mutable {
               const auto here = self.lock();
               if (!here) return;
               if (!end) {
                 ended.error = end.error().message;
                 return (*here)->tell(std::move(ended));
               }
               (*here)->on_ended(std::move(ended), *std::move(end));
             });
}

void Polls::on_ended(event::PollEnded ended, std::shared_ptr<const AdHocEnd> end) {
  fault::at(fault::Place::poll_ended);
  const AttemptReport& report = end->report;
  ended.outcome = report.outcome;
  ended.notes = report.notes;
  ended.error = report.error;
  // A worker that died is no fault of the query; neither is a server that took nobody.
  ended.retryable = report.lost || report.retryable || report.outcome == Outcome::retry;
  const auto& outputs = end->outputs;
  if (report.outcome != Outcome::ok || report.outputs.empty()) return tell(std::move(ended));
  AttemptPlan plan;
  plan.start.attempt = report.attempt;
  plan.folder = end->folder;
  const std::weak_ptr<Polls*> self = self_;
  artifacts_.promote(plan, outputs,
                     [self, ended, end](Result<ArtifactPort::Promoted> promoted) mutable {
                       const auto here = self.lock();
                       if (!here) return;
                       fault::at(fault::Place::poll_stored);
                       if (!promoted || !promoted->refused.empty()) {
                         ended.outcome = Outcome::failed;
                         ended.error = promoted ? promoted->refused : promoted.error().message;
                         ended.retryable = true;
                       } else if (!promoted->outputs.empty()) {
                         ended.snapshot = promoted->outputs.front().artifact;
                       }
                       (*here)->tell(std::move(ended));
                     });
}

void Polls::tell(event::PollEnded ended) {
  --live_;
  post_(std::move(ended));
  fault::at(fault::Place::poll_posted);
}

}  // namespace pipelined
