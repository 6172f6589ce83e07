#include "daemon/artifacts/store_thread.h"

#include <pthread.h>

#include <chrono>
#include <utility>

namespace pipelined {
namespace {

// Finished tasks are told to the loop together, but none waits longer than this for a slow one.
constexpr std::chrono::milliseconds tell_after{2};

}  // namespace

StoreThread::StoreThread(std::function<void(Callback)> post, PromoteBatch promote)
    : post_(std::move(post)), promote_(std::move(promote)), thread_([this] { work(); }) {
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

void StoreThread::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || !tasks_.empty() || !orders_.empty(); });
    if (tasks_.empty() && orders_.empty()) return;
    auto tasks = std::exchange(tasks_, {});
    auto orders = std::exchange(orders_, {});
    auto callbacks = std::exchange(callbacks_, {});
    lock.unlock();
    run_promotions(std::move(orders), std::move(callbacks));
    run_tasks(std::move(tasks));
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

}  // namespace pipelined
