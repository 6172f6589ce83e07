// The state of a column's summary: written small, read back by merging.
//
// Up to `listed_values_max` distinct values stand there with their counts.  Beyond that there are a
// distinct-value sketch and, of numbers, `points_written` values of equal weight, of texts the most
// frequent.  All errors that this adds are added to what the summary says of itself.
#include <algorithm>
#include <bit>
#include <limits>

#include "plugins/data/column_summary.h"

namespace pipelined {
namespace {

constexpr std::int64_t listed_values_max = 1000;
constexpr std::size_t points_written = 256;
constexpr std::size_t points_kept = 4096;
constexpr std::size_t points_held_max = std::size_t{1} << 18;
constexpr std::size_t frequent_texts = 256;
constexpr double sketch_rank_error = 0.003;

enum class ValuesAre : std::uint8_t { listed, sketched };

void write(StateWriter& writer, const Lengths& lengths) {
  writer.number(lengths.total);
  writer.number(lengths.min);
  writer.number(lengths.max);
}

Lengths read_lengths(StateReader& reader) {
  Lengths lengths;
  lengths.total = reader.number<std::int64_t>();
  lengths.min = reader.number<std::int64_t>();
  lengths.max = reader.number<std::int64_t>();
  return lengths;
}

/// Places above zero, or all registers where that is shorter.
void write(StateWriter& writer, const DistinctSketch& sketch) {
  const std::string_view registers = sketch.registers();
  const auto set = static_cast<std::size_t>(
      std::count_if(registers.begin(), registers.end(), [](char c) { return c != 0; }));
  const bool sparse = set * 3 < registers.size();
  writer.number(static_cast<std::uint64_t>(sparse ? set : 0));
  if (!sparse) return writer.array(registers.data(), registers.size());
  for (std::size_t i = 0; i < registers.size(); ++i) {
    if (registers[i] == 0) continue;
    writer.number(static_cast<std::uint16_t>(i));
    writer.number(static_cast<std::uint8_t>(registers[i]));
  }
}

void merge(StateReader& reader, DistinctSketch& sketch) {
  const std::size_t set = reader.count(3);
  if (set == 0) {
    const std::string_view registers = reader.take(DistinctSketch::size);
    if (registers.size() == DistinctSketch::size) sketch.merge_registers(registers);
    return;
  }
  const std::string_view places = reader.take(3 * set);
  for (std::size_t i = 0; i + 3 <= places.size(); i += 3) {
    std::uint16_t place = 0;
    std::memcpy(&place, places.data() + i, 2);
    sketch.raise(place % DistinctSketch::size, static_cast<std::uint8_t>(places[i + 2]));
  }
}

using Points = std::vector<std::pair<double, std::int64_t>>;

/// The weight of one of so many points that share a count as evenly as integers can.
std::int64_t weight_of(std::int64_t count, std::size_t points, std::size_t i) {
  __extension__ using Wide = __int128;
  const auto below = [&](std::size_t k) {
    return static_cast<std::int64_t>(static_cast<Wide>(count) * static_cast<Wide>(k) /
                                     static_cast<Wide>(points));
  };
  return below(i + 1) - below(i);
}

/// The same order as std::sort gives by value, from the lowest digits to the highest: eleven bits of
/// all keys are looked at once, and a digit that is the same in all is passed over.
void sort_by_value(Points& points) {
  constexpr int digit_bits = 11, digits = 6;
  constexpr std::size_t places = std::size_t{1} << digit_bits;
  const auto key_of = [](double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    return bits >> 63 ? ~bits : bits | (std::uint64_t{1} << 63);
  };
  std::vector<std::size_t> counts(places * digits);
  for (const auto& [value, weight] : points) {
    const std::uint64_t key = key_of(value);
    for (int d = 0; d < digits; ++d) {
      ++counts[static_cast<std::size_t>(d) * places + ((key >> (d * digit_bits)) & (places - 1))];
    }
  }
  Points other(points.size());
  for (int d = 0; d < digits; ++d) {
    std::size_t* const count = counts.data() + static_cast<std::size_t>(d) * places;
    const auto digit = [&](double value) { return (key_of(value) >> (d * digit_bits)) & (places - 1); };
    if (points.empty() || count[digit(points.front().first)] == points.size()) continue;
    std::size_t begin = 0;
    for (std::size_t place = 0; place < places; ++place) begin += std::exchange(count[place], begin);
    for (const auto& point : points) other[count[digit(point.first)]++] = point;
    points.swap(other);
  }
}

/// As many values, each for an equal share of sorted ones: the one in the middle of its share.
Points thinned(const Points& sorted, std::size_t points) {
  std::int64_t count = 0;
  for (const auto& [value, weight] : sorted) count += weight;
  Points chosen;
  std::int64_t begin = 0, passed = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < points; ++i) {
    const std::int64_t weight = weight_of(count, points, i);
    if (weight == 0) continue;
    const std::int64_t middle = begin + weight / 2;
    while (passed + sorted[at].second <= middle) passed += sorted[at++].second;
    chosen.emplace_back(sorted[at].first, weight);
    begin += weight;
  }
  return chosen;
}

}  // namespace

double ColumnSummary::rank_error() const {
  if (exact()) return 0;
  return std::max(quantiles_ && !quantiles_->empty() ? sketch_rank_error : 0, points_error_);
}

void ColumnSummary::write_state(StateWriter& writer) const {
  for (const std::int64_t value : {rows, count, zeros, nan, infinite, negative_infinite, integer_min,
                                   integer_max, true_count, empty, invalid_utf8}) {
    writer.number(value);
  }
  writer.number(static_cast<std::uint64_t>(integer_sum));
  writer.number(static_cast<std::int64_t>(integer_sum >> 64));
  writer.number(number_min);
  writer.number(number_max);
  writer.number(moments.count());
  pipelined::write(writer, moments.sum());
  writer.number(moments.spread());
  writer.number(static_cast<std::uint8_t>(weighted != nullptr));
  if (weighted) weighted->write_state(writer);
  write(writer, characters);
  write(writer, bytes);
  if (type_ == ColumnType::text) return write_texts(writer);
  if (type_ && type_ != ColumnType::boolean) write_values(writer);
}

void ColumnSummary::write_values(StateWriter& writer) const {
  const bool listed = !overflowed_ && unique() <= listed_values_max;
  writer.number(static_cast<std::uint8_t>(listed ? ValuesAre::listed : ValuesAre::sketched));
  if (listed) {
    std::vector<ValueCounts::Entry> entries = values_.entries();
    std::sort(entries.begin(), entries.end(), [&](const auto& a, const auto& b) {
      return number_of(a.value) < number_of(b.value);
    });
    writer.number(static_cast<std::uint64_t>(entries.size()));
    for (const ValueCounts::Entry& entry : entries) {
      writer.number(entry.value);
      writer.number(entry.count);
    }
    return;
  }
  DistinctSketch distinct;
  if (overflowed_) distinct = *distinct_;
  for (const ValueCounts::Entry& entry : values_.entries()) distinct.add(mix(entry.value));
  write(writer, distinct);
  const Points points = thinned(sorted_numbers(), points_written);
  writer.number(rank_error() + 0.5 / static_cast<double>(points_written));
  writer.number(static_cast<std::uint64_t>(points.size()));
  for (const auto& [value, weight] : points) {
    writer.number(value);
    writer.number(weight);
  }
}

void ColumnSummary::write_texts(StateWriter& writer) const {
  auto entries = texts.entries();
  const bool listed = texts.exact() && entries.size() <= listed_values_max;
  writer.number(static_cast<std::uint8_t>(listed ? ValuesAre::listed : ValuesAre::sketched));
  std::int64_t taken_off = 0;
  if (!listed) {
    DistinctSketch distinct;
    if (distinct_) distinct = *distinct_;
    if (!distinct_) {
      for (const std::uint64_t hash : texts.hashes()) distinct.add(hash);
    }
    write(writer, distinct);
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    // As Misra and Gries do: what the first that is left out has is taken off all.
    if (entries.size() > frequent_texts) {
      taken_off = entries[frequent_texts].second;
      entries.resize(frequent_texts);
      std::erase_if(entries, [&](const auto& entry) { return entry.second <= taken_off; });
    }
    writer.number(texts.error() + taken_off);
  }
  writer.number(static_cast<std::uint64_t>(entries.size()));
  for (const auto& [text, times] : entries) {
    writer.text(text);
    writer.number(times - taken_off);
  }
}

Result<void> ColumnSummary::merge_state(StateReader& reader) {
  for (std::int64_t* value : {&rows, &count, &zeros, &nan, &infinite, &negative_infinite}) {
    *value += reader.number<std::int64_t>();
  }
  integer_min = std::min(integer_min, reader.number<std::int64_t>());
  integer_max = std::max(integer_max, reader.number<std::int64_t>());
  for (std::int64_t* value : {&true_count, &empty, &invalid_utf8}) {
    *value += reader.number<std::int64_t>();
  }
  const auto low = reader.number<std::uint64_t>();
  integer_sum += (static_cast<WideInteger>(reader.number<std::int64_t>()) << 64) | low;
  const double least = reader.number<double>(), most = reader.number<double>();
  const auto numbers = reader.number<std::int64_t>();
  const Sum sum = read_sum(reader);
  if (numbers > 0) {
    number_min = moments.count() == 0 ? least : std::min(number_min, least);
    number_max = moments.count() == 0 ? most : std::max(number_max, most);
  }
  moments.merge({numbers, sum, reader.number<double>()});
  if (reader.number<std::uint8_t>() != 0) {
    if (!weighted) weighted = std::make_unique<WeightSummary>();
    weighted->merge_state(reader);
  }
  characters.merge(read_lengths(reader));
  bytes.merge(read_lengths(reader));
  if (type_ == ColumnType::text) merge_texts(reader);
  if (type_ && type_ != ColumnType::text && type_ != ColumnType::boolean) merge_values(reader);
  if (reader.good()) return {};
  return Error{ErrorCode::corrupt, "the state of a column ends too early"};
}

void ColumnSummary::merge_values(StateReader& reader) {
  const auto kind = static_cast<ValuesAre>(reader.number<std::uint8_t>());
  if (kind == ValuesAre::listed) {
    const std::size_t size = reader.count(16);
    Points listed;
    for (std::size_t i = 0; i < size; ++i) {
      const auto bits = reader.number<std::uint64_t>();
      const auto times = reader.number<std::int64_t>();
      if (!overflowed_) {
        count_value(bits, number_of(bits), times);
      } else {
        distinct_->add(mix(bits));
        listed.emplace_back(number_of(bits), times);
      }
    }
    add_points(listed);
    return;
  }
  if (!overflowed_) overflow();
  pipelined::merge(reader, *distinct_);
  points_error_ = std::max(points_error_, reader.number<double>());
  const std::size_t size = reader.count(16);
  Points points;
  for (std::size_t i = 0; i < size; ++i) {
    const auto value = reader.number<double>();
    points.emplace_back(value, reader.number<std::int64_t>());
  }
  add_points(points);
}

void ColumnSummary::add_points(const std::vector<std::pair<double, std::int64_t>>& sorted) {
  if (sorted.size() > points_written) {
    const Points few = thinned(sorted, points_written);
    points_.insert(points_.end(), few.begin(), few.end());
    points_error_ = std::max(points_error_, 0.5 / static_cast<double>(points_written));
  } else {
    points_.insert(points_.end(), sorted.begin(), sorted.end());
  }
  if (points_.size() > points_held_max) settle();
}

void ColumnSummary::settle() {
  if (points_.size() <= points_kept) return;
  sort_by_value(points_);
  points_ = thinned(points_, points_kept);
  points_error_ += 0.5 / static_cast<double>(points_kept);
}

void ColumnSummary::merge_texts(StateReader& reader) {
  const auto kind = static_cast<ValuesAre>(reader.number<std::uint8_t>());
  std::int64_t error = 0;
  if (kind == ValuesAre::sketched) {
    sketch_texts();
    pipelined::merge(reader, *distinct_);
    error = reader.number<std::int64_t>();
  }
  const std::size_t size = reader.count(12);
  for (std::size_t i = 0; i < size && reader.good(); ++i) {
    const std::string_view text = reader.text();
    const std::uint64_t hash = hash_text(text);
    if (!distinct_ && texts.full()) sketch_texts();
    if (distinct_) distinct_->add(hash);
    const auto times = reader.number<std::int64_t>();
    if (times > 0) texts.add(hash, text, times);
  }
  if (kind == ValuesAre::sketched) texts.add_error(error);
}

}  // namespace pipelined
