#include "plugins/data/column_summary.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/utf8.h>

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

/// Characters of a text; -1 if it is not UTF-8.
std::int64_t characters_in(std::string_view text) {
  // Without this every text passes; whoever parses text has done it, a reader of Parquet has not.
  static const bool ready = (arrow::util::InitializeUTF8(), true);
  if (!ready || !arrow::util::ValidateUTF8(text)) return -1;
  std::int64_t continuation = 0;
  for (const char c : text) continuation += (static_cast<unsigned char>(c) & 0xC0) == 0x80;
  return static_cast<std::int64_t>(text.size()) - continuation;
}

bool is_ascii(std::string_view text) {
  unsigned char any = 0;
  for (const char c : text) any |= static_cast<unsigned char>(c);
  return any < 0x80;
}

/// The texts of an array behind one another.
std::string_view bytes_of(const arrow::StringArray& values) {
  if (values.length() == 0) return {};
  const auto begin = static_cast<std::size_t>(values.value_offset(0));
  const auto end = static_cast<std::size_t>(values.value_offset(values.length()));
  return {reinterpret_cast<const char*>(values.raw_data()) + begin, end - begin};
}

}  // namespace

void ColumnSummary::add(const arrow::Array& array, const double* weights) {
  rows += array.length();
  count += array.length() - array.null_count();
  if (weights) {
    if (!weighted) weighted = std::make_unique<WeightSummary>();
    weighted->add(array, type_, weights);
  }
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
      negative_infinite += values[i] < 0;
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

double ColumnSummary::number_of(std::uint64_t bits) const {
  return type_ == ColumnType::number ? std::bit_cast<double>(bits)
                                     : static_cast<double>(static_cast<std::int64_t>(bits));
}

/// From exact counts to sketches.
void ColumnSummary::overflow() {
  overflowed_ = true;
  distinct_ = std::make_unique<DistinctSketch>();
  quantiles_ = std::make_unique<QuantileSketch>();
  for (const ValueCounts::Entry& entry : values_.entries()) {
    distinct_->add(mix(entry.value));
    quantiles_->add(number_of(entry.value), entry.count);
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

/// `characters_in_it` below 0: the text is not UTF-8.
inline void ColumnSummary::add_text(std::string_view text, std::int64_t times,
                                    std::int64_t characters_in_it) {
  const auto size = static_cast<std::int64_t>(text.size());
  invalid_utf8 += characters_in_it < 0 ? times : 0;
  empty += size == 0 ? times : 0;
  characters.add(characters_in_it < 0 ? size : characters_in_it, times);
  bytes.add(size, times);
  const bool cut = text.size() > long_text_bytes;
  const std::uint64_t hash = hash_text(text);
  if (!distinct_ && (cut || texts.full())) sketch_texts();
  if (distinct_) distinct_->add(hash);
  if (cut) return texts.add_unlisted(hash_text(long_text_word), long_text_word, times);
  texts.add(hash, text, times);
}

void ColumnSummary::add_texts(const arrow::Array& array) {
  const auto& values = static_cast<const arrow::StringArray&>(array);
  const std::int64_t length = values.length();
  const std::string_view all = bytes_of(values);
  const bool ascii = is_ascii(all);
  for (std::int64_t i = 0; i < length; ++i) {
    if (values.IsNull(i)) continue;
    const std::string_view text = values.GetView(i);
    add_text(text, 1, ascii ? static_cast<std::int64_t>(text.size()) : characters_in(text));
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
    add_text(text, counts[i], characters_in(text));
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
  std::vector<std::pair<double, std::int64_t>> all = points_;
  if (overflowed_) {
    const auto sketched = quantiles_->weighted();
    all.insert(all.end(), sketched.begin(), sketched.end());
  }
  for (const ValueCounts::Entry& entry : values_.entries()) {
    all.emplace_back(number_of(entry.value), entry.count);
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
