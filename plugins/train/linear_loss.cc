#include "plugins/train/linear_loss.h"

#include <algorithm>
#include <cmath>
#include <thread>

namespace pipelined::train {
namespace {

constexpr std::size_t chunks_a_thread = 4;

// log(1 + exp(x)) without overflow.
double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

}  // namespace

LinearLoss::LinearLoss(const RowStore& rows, model::Objective objective, std::size_t groups,
                       std::size_t features, std::vector<double> class_weights, int threads)
    : rows_(rows), objective_(objective), groups_(groups), features_(features),
      class_weights_(std::move(class_weights)), threads_(std::max(1, threads)) {}

double LinearLoss::add_row(std::span<const double> margins, float label,
                           std::span<double> slopes) const {
  const auto truth = static_cast<double>(label);
  switch (objective_) {
    case model::Objective::binary_logistic:
      slopes[0] = 1 / (1 + std::exp(-margins[0])) - truth;
      return softplus(margins[0]) - truth * margins[0];
    case model::Objective::squared_error:
      slopes[0] = margins[0] - truth;
      return 0.5 * slopes[0] * slopes[0];
    case model::Objective::poisson:
      slopes[0] = std::exp(margins[0]) - truth;
      return std::exp(margins[0]) - truth * margins[0];
    case model::Objective::multi_softprob: break;
  }
  const double largest = *std::max_element(margins.begin(), margins.end());
  double sum = 0;
  for (std::size_t i = 0; i < margins.size(); ++i) sum += slopes[i] = std::exp(margins[i] - largest);
  for (double& slope : slopes) slope /= sum;
  const auto own = static_cast<std::size_t>(label);
  slopes[own] -= 1;
  return largest + std::log(sum) - margins[own];
}

void LinearLoss::add_chunk(std::span<const double> parameters, std::size_t index, bool gradient,
                           Part& part) const {
  RowChunk chunk;
  part.read = rows_.read(index, chunk);
  if (!part.read) return;
  part.loss = 0;
  part.weight = 0;
  if (gradient) part.gradient.assign(size(), 0);
  std::vector<double> margins(groups_);
  std::vector<double> slopes(groups_);
  for (std::size_t row = 0; row < chunk.labels.size(); ++row) {
    const auto numbers = chunk.row(row);
    for (std::size_t group = 0; group < groups_; ++group) {
      const double* weights = parameters.data() + groups_ + group * features_;
      double sum = parameters[group];
      for (const auto& [at, value] : numbers) sum += weights[at] * static_cast<double>(value);
      margins[group] = sum;
    }
    const float label = chunk.labels[row];
    const double weight =
        class_weights_.empty() ? 1 : class_weights_[static_cast<std::size_t>(label)];
    part.loss += weight * add_row(margins, label, slopes);
    part.weight += weight;
    for (std::size_t group = 0; group < groups_ && gradient; ++group) {
      const double slope = weight * slopes[group];
      double* own = part.gradient.data() + groups_ + group * features_;
      part.gradient[group] += slope;
      for (const auto& [at, value] : numbers) own[at] += slope * static_cast<double>(value);
    }
  }
}

Result<double> LinearLoss::measure(std::span<const double> parameters, std::span<double> gradient,
                                   const std::function<bool()>& stop) const {
  const std::size_t window = chunks_a_thread * static_cast<std::size_t>(threads_);
  std::vector<Part> parts(std::min(window, rows_.chunk_count()));
  std::fill(gradient.begin(), gradient.end(), 0.0);
  double loss = 0;
  double weight = 0;
  for (std::size_t begin = 0; begin < rows_.chunk_count(); begin += window) {
    if (stop()) return Error{ErrorCode::cancelled, "stopped while training"};
    const std::size_t count = std::min(window, rows_.chunk_count() - begin);
    const auto work = [&](std::size_t first, std::size_t step) {
      for (std::size_t i = first; i < count; i += step) {
        add_chunk(parameters, begin + i, !gradient.empty(), parts[i]);
      }
    };
    const auto helpers = std::min(static_cast<std::size_t>(threads_), count);
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < helpers; ++i) threads.emplace_back(work, i, helpers);
    work(0, helpers);
    threads.clear();
    for (std::size_t i = 0; i < count; ++i) {
      TRY_VOID(parts[i].read);
      loss += parts[i].loss;
      weight += parts[i].weight;
      for (std::size_t j = 0; j < gradient.size(); ++j) gradient[j] += parts[i].gradient[j];
    }
  }
  for (double& slope : gradient) slope /= weight;
  return loss / weight;
}

}  // namespace pipelined::train
