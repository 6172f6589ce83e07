#include "plugins/model/measure.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace pipelined::evaluation {

std::string shortest(double value) {
  std::string text(32, ' ');
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  text.resize(error == std::errc() ? static_cast<std::size_t>(end - text.data()) : 0);
  return text;
}

double clipped(double probability) {
  constexpr double least = std::numeric_limits<double>::epsilon();
  return std::clamp(probability, least, 1 - least);
}

std::vector<std::vector<std::uint32_t>> in_order(const std::vector<std::uint32_t>& order,
                                                 const std::vector<Slice>& slices) {
  std::vector<std::uint32_t> position(order.size());
  for (std::size_t at = 0; at < order.size(); ++at) {
    position[order[at]] = static_cast<std::uint32_t>(at);
  }
  std::vector<std::vector<std::uint32_t>> ordered;
  for (const Slice& slice : slices) {
    std::vector<std::uint32_t> own;
    own.reserve(slice.rows.size());
    for (const std::uint32_t row : slice.rows) own.push_back(position[row]);
    std::sort(own.begin(), own.end());
    ordered.push_back(std::move(own));
  }
  return ordered;
}

std::unique_ptr<Measure> make_measure(const model::Signature& signature,
                                      std::span<const float> scores,
                                      std::span<const double> labels,
                                      const std::vector<Slice>& slices,
                                      const MeasureOptions& options) {
  switch (signature.objective) {
    case model::Objective::binary_logistic:
      return make_binary_measure(scores, labels, slices, options);
    case model::Objective::multi_softprob:
      return make_class_measure(scores, labels, slices, signature.label.classes);
    case model::Objective::squared_error:
    case model::Objective::poisson: break;
  }
  return make_value_measure(scores, labels, slices);
}

}  // namespace pipelined::evaluation
