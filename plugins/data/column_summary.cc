#include "plugins/data/column_summary.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace pipelined {
namespace {

constexpr std::size_t block_size = 4096;

/// Calls `take(values, count)` for runs of values that are there, at most a block long.
template <class Value, class Take>
void for_each_block(const arrow::Array& array, const Value* values, const Take& take) {
  const auto length = static_cast<std::size_t>(array.length());
  if (array.null_count() == 0) {
    for (std::size_t at = 0; at < length; at += block_size) {
      take(values + at, std::min(block_size, length - at));
    }
    return;
  }
  const std::uint8_t* valid = array.null_bitmap_data();
  std::vector<Value> dense(block_size);
  std::size_t used = 0;
  for (std::size_t i = 0; i < length; ++i) {
    dense[used] = values[i];
    used += arrow::bit_util::GetBit(valid, array.offset() + static_cast<std::int64_t>(i));
    if (used == block_size) {
      take(dense.data(), used);
      used = 0;
    }
  }
  if (used > 0) take(dense.data(), used);
}

/// Sum of up to a block with eight independent lanes, so that the compiler can use vectors.
template <class Term>
double sum_lanes(std::size_t count, const Term& term) {
  double lanes[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) lanes[lane] += term(i + lane);
  }
  for (; i < count; ++i) lanes[i % 8] += term(i);
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
         ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

std::int64_t characters_in(std::string_view text) {
  std::int64_t continuation = 0;
  for (const char c : text) continuation += (static_cast<unsigned char>(c) & 0xC0) == 0x80;
  return static_cast<std::int64_t>(text.size()) - continuation;
}

}  // namespace

void Moments::add_to_sum(double value) {
  const double next = sum_ + value;
  lost_ += std::abs(sum_) >= std::abs(value) ? (sum_ - next) + value : (value - next) + sum_;
  sum_ = next;
}

void Moments::add_block(const double* values, std::size_t count) {
  if (count == 0) return;
  Moments block;
  block.count_ = static_cast<std::int64_t>(count);
  block.sum_ = sum_lanes(count, [&](std::size_t i) { return values[i]; });
  const double mean = block.mean();
  block.spread_ = sum_lanes(count, [&](std::size_t i) {
    const double distance = values[i] - mean;
    return distance * distance;
  });
  merge(block);
}

void Moments::merge(const Moments& other) {
  if (other.count_ == 0) return;
  if (count_ > 0) {
    const double distance = other.mean() - mean();
    const double a = static_cast<double>(count_), b = static_cast<double>(other.count_);
    spread_ += distance * distance * (a * b / (a + b));
  }
  spread_ += other.spread_;
  add_to_sum(other.sum_);
  lost_ += other.lost_;
  count_ += other.count_;
}

double Moments::std_dev() const {
  return count_ > 0 ? std::sqrt(spread_ / static_cast<double>(count_)) : 0;
}

void ColumnSummary::add(const arrow::Array& array, const double* weights) {
  rows += array.length();
  count += array.length() - array.null_count();
  if (weights) add_weights(array, weights);
  if (!type_) return;
  switch (array.type_id()) {
    case arrow::Type::INT64:
    case arrow::Type::TIMESTAMP: {
      const auto* values = array.data()->GetValues<std::int64_t>(1);
      for_each_block(array, values, [&](const std::int64_t* v, std::size_t n) {
        add_integers(v, n);
      });
      return;
    }
    case arrow::Type::DATE32: {
      const auto* values = array.data()->GetValues<std::int32_t>(1);
      for_each_block(array, values, [&](const std::int32_t* v, std::size_t n) {
        const std::vector<std::int64_t> wide(v, v + n);
        add_integers(wide.data(), n);
      });
      return;
    }
    case arrow::Type::DOUBLE: {
      const auto* values = array.data()->GetValues<double>(1);
      for_each_block(array, values, [&](const double* v, std::size_t n) { add_numbers(v, n); });
      return;
    }
    case arrow::Type::BOOL: return add_bools(array);
    case arrow::Type::DICTIONARY: return add_dictionary(array);
    case arrow::Type::STRING: return add_texts(array);
    default: CHECK(!"an array of a type that examples do not have");
  }
}

void ColumnSummary::add_integers(const std::int64_t* values, std::size_t size) {
  double numbers[block_size] = {};
  std::int64_t low = integer_min, high = integer_max, zero = 0;
  for (std::size_t i = 0; i < size; ++i) {
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
    zero += values[i] == 0;
    numbers[i] = static_cast<double>(values[i]);
    integer_sum += values[i];
  }
  integer_min = low;
  integer_max = high;
  zeros += zero;
  moments.add_block(numbers, size);
  for (std::size_t i = 0; i < size; ++i) {
    count_value(static_cast<std::uint64_t>(values[i]), numbers[i], 1);
  }
}

void ColumnSummary::add_numbers(const double* values, std::size_t size) {
  // x - x is 0 for finite x and nan for all else; one pass tells whether any is not finite.
  const double odd = sum_lanes(size, [&](std::size_t i) { return values[i] - values[i]; });
  if (odd == 0) return add_finite(values, size);
  std::vector<double> finite;
  finite.reserve(size);
  for (std::size_t i = 0; i < size; ++i) {
    if (std::isnan(values[i])) {
      ++nan;
    } else if (std::isinf(values[i])) {
      ++infinite;
    } else {
      finite.push_back(values[i]);
    }
  }
  add_finite(finite.data(), finite.size());
}

void ColumnSummary::add_finite(const double* values, std::size_t size) {
  if (size == 0) return;
  if (moments.count() == 0) number_min = number_max = values[0];
  double low = number_min, high = number_max;
  std::int64_t zero = 0;
  for (std::size_t i = 0; i < size; ++i) {
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
    zero += values[i] == 0;
  }
  number_min = low + 0.0;
  number_max = high + 0.0;
  zeros += zero;
  moments.add_block(values, size);
  for (std::size_t i = 0; i < size; ++i) {
    const double value = values[i] + 0.0;  // makes -0.0 the same value as 0.0
    count_value(std::bit_cast<std::uint64_t>(value), value, 1);
  }
}

inline void ColumnSummary::count_value(std::uint64_t bits, double number, std::int64_t times) {
  if (!overflowed_) {
    if (values_.add(bits, times)) return;
    overflow();
  }
  distinct_->add(mix(bits));
  if (times == 1) {
    quantiles_->add(number);
  } else {
    quantiles_->add(number, times);
  }
}

/// From exact counts to sketches.
void ColumnSummary::overflow() {
  overflowed_ = true;
  distinct_ = std::make_unique<DistinctSketch>();
  quantiles_ = std::make_unique<QuantileSketch>();
  for (const ValueCounts::Entry& entry : values_.entries()) {
    const double number = type_ == ColumnType::number
                              ? std::bit_cast<double>(entry.value)
                              : static_cast<double>(static_cast<std::int64_t>(entry.value));
    distinct_->add(mix(entry.value));
    quantiles_->add(number, entry.count);
  }
  values_.clear();
}

void ColumnSummary::add_bools(const arrow::Array& array) {
  true_count += static_cast<const arrow::BooleanArray&>(array).true_count();
}

void ColumnSummary::sketch_texts() {
  if (distinct_) return;
  distinct_ = std::make_unique<DistinctSketch>();
  for (const std::uint64_t hash : texts.hashes()) distinct_->add(hash);
}

void ColumnSummary::add_texts(const arrow::Array& array) {
  const auto& values = static_cast<const arrow::StringArray&>(array);
  const std::int64_t length = values.length();
  for (std::int64_t i = 0; i < length; ++i) {
    if (values.IsNull(i)) continue;
    const std::string_view text = values.GetView(i);
    const std::uint64_t hash = hash_text(text);
    if (!distinct_ && texts.size() == exact_values_max) sketch_texts();
    if (distinct_) distinct_->add(hash);
    character_count += characters_in(text);
    texts.add(hash, text, 1);
  }
}

void ColumnSummary::add_dictionary(const arrow::Array& array) {
  const auto& values = static_cast<const arrow::DictionaryArray&>(array);
  const auto& words = static_cast<const arrow::StringArray&>(*values.dictionary());
  std::vector<std::int64_t> counts(static_cast<std::size_t>(words.length()));
  const auto* indices = values.indices()->data()->GetValues<std::int32_t>(1);
  for (std::int64_t i = 0; i < values.length(); ++i) {
    if (values.IsValid(i)) ++counts[static_cast<std::size_t>(indices[i])];
  }
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const std::string_view text = words.GetView(static_cast<std::int64_t>(i));
    const std::uint64_t hash = hash_text(text);
    if (!distinct_ && texts.size() == exact_values_max) sketch_texts();
    if (distinct_) distinct_->add(hash);
    character_count += characters_in(text) * counts[i];
    texts.add(hash, text, counts[i]);
  }
}

void ColumnSummary::add_weights(const arrow::Array& array, const double* weights) {
  const bool integers = array.type_id() == arrow::Type::INT64;
  const bool numbers = array.type_id() == arrow::Type::DOUBLE;
  for (std::int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) continue;
    weighted_count += weights[i];
    if (!integers && !numbers) continue;
    const double value =
        integers ? static_cast<double>(array.data()->GetValues<std::int64_t>(1)[i])
                 : array.data()->GetValues<double>(1)[i];
    if (!std::isfinite(value)) continue;
    weighted_sum += weights[i] * value;
    weighted_square_sum += weights[i] * value * value;
  }
}

void ColumnSummary::merge(const ColumnSummary& other) {
  CHECK(type_ == other.type_);
  if (other.moments.count() > 0) {
    const bool first = moments.count() == 0;
    number_min = first ? other.number_min : std::min(number_min, other.number_min);
    number_max = first ? other.number_max : std::max(number_max, other.number_max);
  }
  rows += other.rows;
  count += other.count;
  weighted_count += other.weighted_count;
  weighted_sum += other.weighted_sum;
  weighted_square_sum += other.weighted_square_sum;
  zeros += other.zeros;
  nan += other.nan;
  infinite += other.infinite;
  integer_min = std::min(integer_min, other.integer_min);
  integer_max = std::max(integer_max, other.integer_max);
  integer_sum += other.integer_sum;
  moments.merge(other.moments);
  true_count += other.true_count;
  character_count += other.character_count;
  if (type_ == ColumnType::text) {
    if (other.distinct_ || texts.size() + other.texts.size() > exact_values_max) sketch_texts();
    if (distinct_ && other.distinct_) distinct_->merge(*other.distinct_);
    if (distinct_ && !other.distinct_) {
      for (const std::uint64_t hash : other.texts.hashes()) distinct_->add(hash);
    }
    texts.merge(other.texts);
    return;
  }
  if (other.overflowed_ && !overflowed_) overflow();
  if (other.overflowed_) {
    distinct_->merge(*other.distinct_);
    quantiles_->merge(*other.quantiles_);
    return;
  }
  for (const ValueCounts::Entry& entry : other.values_.entries()) {
    const double number = type_ == ColumnType::number
                              ? std::bit_cast<double>(entry.value)
                              : static_cast<double>(static_cast<std::int64_t>(entry.value));
    count_value(entry.value, number, entry.count);
  }
}

std::int64_t ColumnSummary::unique() const {
  if (type_ == ColumnType::boolean) return (true_count > 0) + (true_count < count);
  if (type_ == ColumnType::text) {
    return texts.exact() ? static_cast<std::int64_t>(texts.size()) : distinct_->estimate();
  }
  if (overflowed_) return distinct_->estimate();
  return static_cast<std::int64_t>(values_.size());
}

std::vector<std::pair<double, std::int64_t>> ColumnSummary::sorted_numbers() const {
  if (overflowed_) return quantiles_->weighted();
  std::vector<std::pair<double, std::int64_t>> all;
  for (const ValueCounts::Entry& entry : values_.entries()) {
    const double number = type_ == ColumnType::number
                              ? std::bit_cast<double>(entry.value)
                              : static_cast<double>(static_cast<std::int64_t>(entry.value));
    all.emplace_back(number, entry.count);
  }
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<std::pair<std::int64_t, std::int64_t>> ColumnSummary::integer_counts() const {
  CHECK(!overflowed_);
  std::vector<std::pair<std::int64_t, std::int64_t>> all;
  for (const ValueCounts::Entry& entry : values_.entries()) {
    all.emplace_back(static_cast<std::int64_t>(entry.value), entry.count);
  }
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace pipelined
