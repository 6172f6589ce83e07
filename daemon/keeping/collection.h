// Carries a collection out: rows a turn at a time, then bytes, between the daemon's other work.
//
// The order is the contract: a row that says "deleted" is committed before bytes are removed, and
// every step looks again whether the thing came into use since it was decided.  Loop thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "daemon/artifacts/artifacts.h"
#include "daemon/keeping/collect.h"
#include "daemon/store/removal.h"

namespace pipelined {

class Collection {
 public:
  /// What it works with; all must outlive it.
  struct Parts {
    Store& store;
    Artifacts& artifacts;
    std::function<void(std::function<void()>)> post;   ///< runs on the loop, later
  };
  using Done = std::function<void(Result<Report>)>;

  /// `done` is called once, from the loop, unless the collection is destroyed before.
  Collection(Parts parts, CollectPlan plan, CopyMark copied, const RetentionPolicy& policy,
             TimeMs now, Done done);
  ~Collection();
  Collection(const Collection&) = delete;
  Collection& operator=(const Collection&) = delete;

  void start();

 private:
  using Step = std::function<Result<void>()>;
  void add_row_steps();
  void add_file_steps();
  void add_sweep(std::vector<std::string> names, const char* row);
  void sweep(std::vector<std::string> names, const char* row);
  Result<void> take_run(RunNumber run);
  Result<void> give_back();
  template <class List, class Act>
  void in_slices(const List& list, Act act);
  ReportRow& row(const char* name);
  void go_on();
  void finish(Result<Report> report);

  Parts parts_;
  CollectPlan plan_;
  CopyMark copied_;
  RetentionPolicy policy_;
  TimeMs now_;
  Done done_;
  std::deque<Step> steps_;
  std::vector<Digest> marked_;
  bool waiting_ = false;               ///< for the store thread
  std::shared_ptr<Collection*> self_;  ///< emptied by the destructor; late callbacks look here
};

}  // namespace pipelined
