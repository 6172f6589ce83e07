// The thread that works on the store's folders.
//
// Takes everything that was queued since it last looked: tasks run one by one, promotions of all
// attempts as one batch, delivered files in batches.  What they leave to be said to the loop is handed over in one piece.  The
// queue is the only thing that both threads touch.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "daemon/artifacts/intake.h"
#include "daemon/artifacts/promotion.h"

namespace pipelined {

/// A queue and its thread.
class StoreThread {
 public:
  using Callback = std::function<void()>;
  /// Runs on the store thread and returns what is to run on the loop; may return nothing.
  using Task = std::function<Callback()>;
  /// Told on the loop thread what became of an order.
  using Promoted = std::function<void(PromotionOutcome)>;
  using PromoteBatch =
      std::function<std::vector<PromotionOutcome>(const std::vector<PromotionOrder>&)>;

  using TakenIn = std::function<void(Result<Manifest>)>;
  using TakeInBatch = std::function<std::vector<Result<Manifest>>(const std::vector<IntakeOrder>&)>;

  /// `post` runs a function on the loop thread; `promote` and `take_in` do the work of a batch.
  StoreThread(std::function<void(Callback)> post, PromoteBatch promote, TakeInBatch take_in);
  /// Finishes what is queued.
  ~StoreThread();

  void add(Task task);
  void add(PromotionOrder order, Promoted done);
  void add(IntakeOrder order, TakenIn done);

 private:
  void work();
  void run_tasks(std::vector<Task> tasks);
  void run_promotions(std::vector<PromotionOrder> orders, std::vector<Promoted> callbacks);
  void run_intakes(std::vector<IntakeOrder> orders, std::vector<TakenIn> callbacks);
  bool is_idle() const { return tasks_.empty() && orders_.empty() && intakes_.empty(); }

  std::function<void(Callback)> post_;
  PromoteBatch promote_;
  TakeInBatch take_in_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Task> tasks_;
  std::vector<PromotionOrder> orders_;
  std::vector<Promoted> callbacks_;
  std::deque<std::pair<IntakeOrder, TakenIn>> intakes_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace pipelined
