#include "plugins/train/page_passes.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <thread>

namespace pipelined::train {
namespace {

using model::Objective;

// XGBoost's bound below which a second derivative does not fall.
constexpr float least_second = 1e-16F;

float logistic(float margin) { return 1.0F / (1.0F + std::exp(-margin)); }

// Probabilities in the place of one row's margins.
void softmax(std::span<float> row) {
  const float most = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (float& value : row) {
    value = std::exp(value - most);
    sum += static_cast<double>(value);
  }
  for (float& value : row) value = static_cast<float>(static_cast<double>(value) / sum);
}

void derive_row(Objective objective, std::span<float> margins, float label, float weight,
                std::span<Gradient> gradients) {
  if (objective == Objective::squared_error) {
    gradients[0] = {(margins[0] - label) * weight, weight};
    return;
  }
  if (objective == Objective::binary_logistic) {
    const float p = logistic(margins[0]);
    gradients[0] = {(p - label) * weight, std::max(p * (1 - p), least_second) * weight};
    return;
  }
  softmax(margins);
  for (std::size_t group = 0; group < margins.size(); ++group) {
    const float p = margins[group];
    const float hit = static_cast<std::size_t>(label) == group ? 1.0F : 0.0F;
    gradients[group] = {(p - hit) * weight, std::max(2 * p * (1 - p), least_second) * weight};
  }
}

double loss_of_row(Objective objective, std::span<float> margins, float label) {
  constexpr double least = 1e-16;
  if (objective == Objective::squared_error) {
    const double away = static_cast<double>(margins[0]) - static_cast<double>(label);
    return away * away;
  }
  if (objective == Objective::binary_logistic) {
    const auto p = static_cast<double>(logistic(margins[0]));
    return -std::log(std::max(label > 0 ? p : 1 - p, least));
  }
  softmax(margins);
  return -std::log(std::max(static_cast<double>(margins[static_cast<std::size_t>(label)]), least));
}

}  // namespace

Result<void> each_page(const PageStore& store, int threads,
                       const std::function<Result<void>(std::size_t, std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::map<std::size_t, Error> errors;
  const auto loop = [&](std::size_t thread) {
    for (std::size_t page = next++; page < store.page_count(); page = next++) {
      const Result<void> done = work(page, thread);
      if (done) continue;
      const std::lock_guard lock(mutex);
      errors.emplace(page, done.error());
      next = store.page_count();
    }
  };
  {
    std::vector<std::jthread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(loop, static_cast<std::size_t>(i));
    loop(0);
  }
  return errors.empty() ? Result<void>() : Result<void>(errors.begin()->second);
}

Result<void> begin_margins(const PageStore& store, Objective objective, int threads) {
  const float begin = objective == Objective::binary_logistic ? 0.0F : 0.5F;
  return each_page(store, threads, [&](std::size_t page, std::size_t) {
    const std::vector<float> margins(store.rows_of(page) * store.groups(), begin);
    return store.write(page, Segment::margins, margins);
  });
}

Result<void> add_tree(const PageStore& store, const PagedTree& tree, std::size_t group,
                      int threads) {
  return each_page(store, threads, [&](std::size_t page, std::size_t) -> Result<void> {
    std::vector<std::uint16_t> bins;
    std::vector<float> margins;
    TRY_VOID(store.read(page, Segment::bins, bins));
    TRY_VOID(store.read(page, Segment::margins, margins));
    for (std::size_t row = 0; row < store.rows_of(page); ++row) {
      margins[row * store.groups() + group] +=
          tree[leaf_of(tree, 0, bins.data() + row * store.width())].value;
    }
    return store.write(page, Segment::margins, margins);
  });
}

Result<std::vector<GradientBounds>> derive(const PageStore& store, Objective objective,
                                           int threads) {
  const std::size_t groups = store.groups();
  std::vector<GradientBounds> bounds(groups);
  std::mutex mutex;
  const auto work = [&](std::size_t page, std::size_t) -> Result<void> {
    std::vector<float> margins, labels, weights;
    TRY_VOID(store.read(page, Segment::margins, margins));
    TRY_VOID(store.read(page, Segment::labels, labels));
    TRY_VOID(store.read(page, Segment::weights, weights));
    std::vector<Gradient> gradients(margins.size());
    std::vector<GradientBounds> here(groups);
    for (std::size_t row = 0; row < labels.size(); ++row) {
      const auto derived = std::span(gradients).subspan(row * groups, groups);
      derive_row(objective, std::span(margins).subspan(row * groups, groups), labels[row],
                 weights[row], derived);
      for (std::size_t group = 0; group < groups; ++group) {
        here[group].first = std::max(here[group].first, std::abs(derived[group].first));
        here[group].second = std::max(here[group].second, derived[group].second);
      }
    }
    {
      const std::lock_guard lock(mutex);
      for (std::size_t group = 0; group < groups; ++group) {
        bounds[group].first = std::max(bounds[group].first, here[group].first);
        bounds[group].second = std::max(bounds[group].second, here[group].second);
      }
    }
    return store.write(page, Segment::gradients, gradients);
  };
  TRY_VOID(each_page(store, threads, work));
  return bounds;
}

Result<double> mean_loss(const PageStore& store, Objective objective, int threads) {
  const std::size_t groups = store.groups();
  std::vector<double> sums(store.page_count()), weighed(store.page_count());
  const auto work = [&](std::size_t page, std::size_t) -> Result<void> {
    std::vector<float> margins, labels, weights;
    TRY_VOID(store.read(page, Segment::margins, margins));
    TRY_VOID(store.read(page, Segment::labels, labels));
    TRY_VOID(store.read(page, Segment::weights, weights));
    for (std::size_t row = 0; row < labels.size(); ++row) {
      const auto weight = static_cast<double>(weights[row]);
      sums[page] += weight * loss_of_row(objective,
                                         std::span(margins).subspan(row * groups, groups),
                                         labels[row]);
      weighed[page] += weight;
    }
    return {};
  };
  TRY_VOID(each_page(store, threads, work));
  double sum = 0, weight = 0;
  for (std::size_t page = 0; page < sums.size(); ++page) {
    sum += sums[page];
    weight += weighed[page];
  }
  const double mean = sum / weight;
  return objective == Objective::squared_error ? std::sqrt(mean) : mean;
}

}  // namespace pipelined::train
