#include "daemon/artifacts/store_thread.h"

#include <pthread.h>

#include <chrono>
#include <utility>

namespace pipelined {
namespace {

// Finished tasks are told to the loop together, but none waits longer than this for a slow one.
constexpr std::chrono::milliseconds tell_after{2};
// Delivered files of one batch: promotions and tasks do not wait for more of them.
constexpr std::size_t intakes_max = 1000;

}  // namespace

StoreThread::StoreThread(std::function<void(Callback)> post, PromoteBatch promote,
                         TakeInBatch take_in)
    : post_(std::move(post)),
      promote_(std::move(promote)),
      take_in_(std::move(take_in)),
      thread_([this] { work(); }) {
  ::pthread_setname_np(thread_.native_handle(), "artifacts");
}

StoreThread::~StoreThread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void StoreThread::add(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void StoreThread::add(PromotionOrder order, Promoted done) {
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back(std::move(order));
    callbacks_.push_back(std::move(done));
  }
  wake_.notify_one();
}

void StoreThread::add(IntakeOrder order, TakenIn done) {
  {
    const std::lock_guard lock(mutex_);
    intakes_.emplace_back(std::move(order), std::move(done));
  }
  wake_.notify_one();
}

void StoreThread::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || !is_idle(); });
    if (is_idle()) return;
    auto tasks = std::exchange(tasks_, {});
    auto orders = std::exchange(orders_, {});
    auto callbacks = std::exchange(callbacks_, {});
    std::vector<IntakeOrder> deliveries;
    std::vector<TakenIn> told;
    while (!intakes_.empty() && deliveries.size() < intakes_max) {
      deliveries.push_back(std::move(intakes_.front().first));
      told.push_back(std::move(intakes_.front().second));
      intakes_.pop_front();
    }
    lock.unlock();
    run_promotions(std::move(orders), std::move(callbacks));
    run_tasks(std::move(tasks));
    run_intakes(std::move(deliveries), std::move(told));
    lock.lock();
  }
}

void StoreThread::run_tasks(std::vector<Task> tasks) {
  std::vector<Callback> finished;
  const auto tell = [this, &finished] {
    if (finished.empty()) return;
    post_([told = std::exchange(finished, {})] {
      for (const Callback& callback : told) callback();
    });
  };
  for (const Task& task : tasks) {
    const auto before = std::chrono::steady_clock::now();
    if (Callback callback = task()) finished.push_back(std::move(callback));
    if (std::chrono::steady_clock::now() - before > tell_after || finished.size() >= 64) tell();
  }
  tell();
}

void StoreThread::run_promotions(std::vector<PromotionOrder> orders,
                                 std::vector<Promoted> callbacks) {
  if (orders.empty()) return;
  auto outcomes = promote_(orders);
  post_([told = std::move(callbacks), results = std::move(outcomes)]() mutable {
    for (std::size_t i = 0; i < told.size(); ++i) told[i](std::move(results[i]));
  });
}

void StoreThread::run_intakes(std::vector<IntakeOrder> orders, std::vector<TakenIn> callbacks) {
  if (orders.empty()) return;
  auto made = take_in_(orders);
  post_([told = std::move(callbacks), results = std::move(made)]() mutable {
    for (std::size_t i = 0; i < told.size(); ++i) told[i](std::move(results[i]));
  });
}

}  // namespace pipelined
