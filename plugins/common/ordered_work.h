// Work on pieces side by side, with results in the order of the pieces.
//
// `produce` gives pieces one after the other, `work` turns each into a result on any thread, and
// `consume` takes the results in order on the caller's thread, so that what comes out is the same for
// any number of threads.  At most three pieces a thread are under way.  With one thread everything
// happens on the caller's.
#pragma once

#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "operators/sdk.h"

namespace pipelined {

/// `produce(Piece&) -> Result<bool>`, false after the last piece; `work(Piece) -> Result<Out>`;
/// `consume(Out) -> Result<void>`.  The first error in the order of the pieces ends it.
template <class Piece, class Produce, class Work, class Consume>
class OrderedWork {
 public:
  OrderedWork(int threads, Produce& produce, Work& work, Consume& consume)
      : threads_(threads), produce_(produce), work_(work), consume_(consume) {}

  Result<void> run() {
    if (threads_ <= 1) return run_here();
    std::vector<std::thread> workers;
    for (int i = 0; i < threads_; ++i) workers.emplace_back([this] { work_loop(); });
    const Result<void> result = guarded<void>([this] { return consume_all(); });
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (std::thread& worker : workers) worker.join();
    return result;
  }

 private:
  using Out = std::decay_t<decltype(*std::declval<Work&>()(std::declval<Piece>()))>;

  Result<void> run_here() {
    for (;;) {
      Piece piece;
      TRY(more, produce_(piece));
      if (!more) return {};
      TRY(out, work_(std::move(piece)));
      TRY_VOID(consume_(std::move(out)));
    }
  }

  void work_loop() {
    for (;;) {
      Piece piece;
      std::size_t number = 0;
      {
        std::unique_lock lock(mutex_);
        const std::size_t ahead = 3 * static_cast<std::size_t>(threads_);
        changed_.wait(lock, [&] { return ended_ || produced_ < consumed_ + ahead; });
        if (ended_) return;
        number = produced_;
        const Result<bool> more = guarded<bool>([&] { return produce_(piece); });
        if (!more || !*more) {
          ended_ = true;
          if (!more) results_.emplace(produced_++, more.error());
          changed_.notify_all();
          return;
        }
        ++produced_;
      }
      Result<Out> out = guarded<Out>([&] { return work_(std::move(piece)); });
      {
        const std::lock_guard lock(mutex_);
        results_.emplace(number, std::move(out));
      }
      changed_.notify_all();
    }
  }

  Result<void> consume_all() {
    for (;;) {
      std::optional<Result<Out>> out;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] {
          return results_.contains(consumed_) || (ended_ && consumed_ == produced_);
        });
        const auto found = results_.find(consumed_);
        if (found == results_.end()) return {};
        out = std::move(found->second);
        results_.erase(found);
      }
      if (!*out) return out->error();
      TRY_VOID(consume_(std::move(**out)));
      {
        const std::lock_guard lock(mutex_);
        ++consumed_;
      }
      changed_.notify_all();
    }
  }

  /// No exception may leave a thread.
  template <class T, class Call>
  static Result<T> guarded(const Call& call) {
    try {
      return call();
    } catch (const std::exception& thrown) {
      return Error{ErrorCode::internal, thrown.what()};
    }
  }

  int threads_;
  Produce& produce_;
  Work& work_;
  Consume& consume_;
  std::mutex mutex_;  // guards what is below, and produce_
  std::condition_variable changed_;
  std::map<std::size_t, Result<Out>> results_;
  std::size_t produced_ = 0, consumed_ = 0;
  bool ended_ = false;
};

/// See the class.
template <class Piece, class Produce, class Work, class Consume>
Result<void> ordered_work(int threads, Produce produce, Work work, Consume consume) {
  return OrderedWork<Piece, Produce, Work, Consume>(threads, produce, work, consume).run();
}

}  // namespace pipelined
