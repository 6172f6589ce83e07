// From a poll that the engine wishes to its end as an event: asked in a worker, stored, told.
//
// The attempt belongs to no run; what it brought is made durable before the engine hears of it, and
// is named by nothing until the engine's turn records it.  What a poll takes and when it is due is
// not known here.  Loop thread.
#pragma once

#include <functional>
#include <memory>

#include "daemon/artifacts/artifacts.h"
#include "daemon/exec/adhoc.h"
#include "dag/engine.h"

namespace pipelined {

class Polls {
 public:
  /// `post` gives the engine an event.  The references must outlive this and every callback.
  Polls(AdHoc& adhoc, Artifacts& artifacts, std::function<bool(Event)> post);

  /// Asks the database; PollEnded follows.
  void start(effect::StartPoll wish);

  /// Polls under way.
  std::size_t live() const { return live_; }

 private:
  void on_ended(event::PollEnded ended, std::shared_ptr<const AdHocEnd> end);
  void tell(event::PollEnded ended);

  AdHoc& adhoc_;
  Artifacts& artifacts_;
  std::function<bool(Event)> post_;
  std::size_t live_ = 0;
  std::shared_ptr<Polls*> self_;  ///< late callbacks look here
};

}  // namespace pipelined
