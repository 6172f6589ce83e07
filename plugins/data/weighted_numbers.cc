#include "plugins/data/weighted_numbers.h"

#include <algorithm>

#include "plugins/data/sketches.h"

namespace pipelined {
namespace {

constexpr std::size_t points_in_list = 4096;
constexpr std::size_t listed_values_max = 1000;
constexpr std::size_t points_written = 256;

}  // namespace

void write(StateWriter& writer, Weight weight) {
  const auto high = static_cast<double>(weight);
  writer.number(high);
  writer.number(static_cast<double>(weight - high));
}

Weight read_weight(StateReader& reader) {
  const Weight high = reader.number<double>();
  return high + reader.number<double>();
}

Weight WeightedNumbers::total_of(const Weighed& values) {
  Weight total = 0;
  for (const auto& [value, weight] : values) total += weight;
  return total;
}

/// Sorts, and joins equal values.
void WeightedNumbers::tidy(Weighed& values) {
  std::sort(values.begin(), values.end());
  std::size_t used = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (used > 0 && values[used - 1].first == values[i].first) {
      values[used - 1].second += values[i].second;
    } else {
      values[used++] = values[i];
    }
  }
  values.resize(used);
}

/// So many points of equal weight, each the value in the middle of its share.  REQUIRES: sorted.
WeightedNumbers::Weighed WeightedNumbers::thinned(const Weighed& sorted, std::size_t points) {
  Weighed few;
  const Weight each = total_of(sorted) / static_cast<Weight>(points);
  Weight passed = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < points; ++i) {
    const Weight middle = (static_cast<Weight>(i) + 0.5L) * each;
    while (at + 1 < sorted.size() && passed + sorted[at].second <= middle) {
      passed += sorted[at++].second;
    }
    few.emplace_back(sorted[at].first, each);
  }
  return few;
}

void WeightedNumbers::settle() {
  if (fresh_.empty()) return;
  exact_.insert(exact_.end(), fresh_.begin(), fresh_.end());
  fresh_.clear();
  tidy(exact_);
  if (exact_.size() <= exact_values_max) return;
  place(std::move(exact_));
  exact_.clear();
}

void WeightedNumbers::place(Weighed list) {
  const auto thin = [&] {
    if (list.size() <= points_in_list) return;
    moved_ += total_of(list) / (2 * points_in_list);
    list = thinned(list, points_in_list);
  };
  thin();
  for (std::size_t level = 0;; ++level) {
    if (level == lists_.size()) lists_.emplace_back();
    if (!lists_[level]) {
      lists_[level] = std::move(list);
      return;
    }
    list.insert(list.end(), lists_[level]->begin(), lists_[level]->end());
    lists_[level].reset();
    std::sort(list.begin(), list.end());
    thin();
  }
}

WeightedNumbers::Weighed WeightedNumbers::all() const {
  Weighed values = exact_;
  values.insert(values.end(), fresh_.begin(), fresh_.end());
  for (const auto& list : lists_) {
    if (list) values.insert(values.end(), list->begin(), list->end());
  }
  tidy(values);
  return values;
}

CountedValues WeightedNumbers::sorted() const {
  CountedValues values;
  for (const auto& [value, weight] : all()) {
    values.emplace_back(value, static_cast<double>(weight));
  }
  return values;
}

double WeightedNumbers::rank_error() const {
  const Weight total = moved_ > 0 ? total_of(all()) : 0;
  return total > 0 ? static_cast<double>(moved_ / total) : 0;
}

void WeightedNumbers::write_state(StateWriter& writer) const {
  Weighed values = all();
  Weight moved = moved_;
  if (values.size() > listed_values_max) {
    moved += total_of(values) / (2 * points_written);
    values = thinned(values, points_written);
  }
  write(writer, moved);
  writer.number(static_cast<std::uint64_t>(values.size()));
  for (const auto& [value, weight] : values) {
    writer.number(value);
    write(writer, weight);
  }
}

void WeightedNumbers::merge_state(StateReader& reader) {
  moved_ += read_weight(reader);
  const std::size_t size = reader.count(24);
  for (std::size_t i = 0; i < size && reader.good(); ++i) {
    const auto value = reader.number<double>();
    add(value, read_weight(reader));
  }
}

}  // namespace pipelined
