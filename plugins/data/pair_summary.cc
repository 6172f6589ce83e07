#include "plugins/data/pair_summary.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <cmath>
#include <vector>

namespace pipelined {
namespace {

bool is_number(arrow::Type::type type) {
  return type == arrow::Type::INT64 || type == arrow::Type::DOUBLE;
}

double number_at(const arrow::Array& array, std::int64_t i) {
  if (array.type_id() == arrow::Type::DOUBLE) {
    return static_cast<const arrow::DoubleArray&>(array).Value(i);
  }
  return static_cast<double>(static_cast<const arrow::Int64Array&>(array).Value(i));
}

std::string text_at(const arrow::Array& array, std::int64_t i) {
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(array).Value(i) ? "true" : "false";
    case arrow::Type::INT64:
      return std::to_string(static_cast<const arrow::Int64Array&>(array).Value(i));
    default: return static_cast<const arrow::StringArray&>(array).GetString(i);
  }
}

}  // namespace

Result<bool> PairSummary::are_numbers(const arrow::Schema& schema, const std::string& x,
                                      const std::string& y) {
  bool numbers = true, values = true;
  for (const std::string& name : {x, y}) {
    const auto field = schema.GetFieldByName(name);
    if (!field) {
      return Error{ErrorCode::invalid, "cross: there is no column '" + name + "'"};
    }
    const auto type = field->type()->id();
    numbers = numbers && is_number(type);
    values = values && (type == arrow::Type::STRING || type == arrow::Type::BOOL ||
                        type == arrow::Type::INT64);
  }
  if (numbers || values) return numbers;
  return Error{ErrorCode::invalid, "cross: '" + x + "*" + y + "' are neither two numbers nor two of "
                                   "string, bool and int; cut the number into buckets with data.sql"};
}

void PairSummary::add(const arrow::Array& x, const arrow::Array& y, bool numbers) {
  numbers_ = numbers;
  std::vector<double> xs, ys;
  for (std::int64_t i = 0; i < x.length(); ++i) {
    if (x.IsNull(i) || y.IsNull(i)) continue;
    if (!numbers) {
      ++count_;
      add_pair(text_at(x, i), text_at(y, i), 1);
      continue;
    }
    const double a = number_at(x, i), b = number_at(y, i);
    if (!std::isfinite(a) || !std::isfinite(b)) continue;
    xs.push_back(a);
    ys.push_back(b);
  }
  if (xs.empty()) return;
  PairSummary block(x_, y_);
  block.numbers_ = true;
  block.count_ = static_cast<std::int64_t>(xs.size());
  for (std::size_t i = 0; i < xs.size(); ++i) {
    block.mean_x_ += xs[i];
    block.mean_y_ += ys[i];
  }
  block.mean_x_ /= static_cast<double>(xs.size());
  block.mean_y_ /= static_cast<double>(xs.size());
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const double a = xs[i] - block.mean_x_, b = ys[i] - block.mean_y_;
    block.xx_ += a * a;
    block.yy_ += b * b;
    block.xy_ += a * b;
  }
  merge(block);
}

void PairSummary::add_pair(const std::string& x, const std::string& y, std::int64_t times) {
  if (too_many_) return;
  x_counts_[x] += times;
  y_counts_[y] += times;
  pairs_[{x, y}] += times;
  if (x_counts_.size() <= values_max && y_counts_.size() <= values_max) return;
  too_many_ = true;
  x_counts_.clear();
  y_counts_.clear();
  pairs_.clear();
}

void PairSummary::merge(const PairSummary& other) {
  if (other.count_ == 0) return;
  numbers_ = other.numbers_;
  const double a = static_cast<double>(count_), b = static_cast<double>(other.count_);
  const double x = other.mean_x_ - mean_x_, y = other.mean_y_ - mean_y_, both = a * b / (a + b);
  xx_ += other.xx_ + x * x * both;
  yy_ += other.yy_ + y * y * both;
  xy_ += other.xy_ + x * y * both;
  mean_x_ += x * b / (a + b);
  mean_y_ += y * b / (a + b);
  count_ += other.count_;
  if (other.too_many_) {
    too_many_ = true;
    x_counts_.clear();
    y_counts_.clear();
    pairs_.clear();
  }
  for (const auto& [pair, times] : other.pairs_) add_pair(pair.first, pair.second, times);
}

double PairSummary::covariance() const {
  return count_ > 0 ? xy_ / static_cast<double>(count_) : 0;
}

double PairSummary::correlation() const {
  return xx_ > 0 && yy_ > 0 ? xy_ / std::sqrt(xx_) / std::sqrt(yy_) : 0;
}

void PairSummary::write_state(StateWriter& writer) const {
  writer.text(x_);
  writer.text(y_);
  writer.number(static_cast<std::uint8_t>(numbers_));
  writer.number(static_cast<std::uint8_t>(too_many_));
  writer.number(count_);
  for (const double value : {mean_x_, mean_y_, xx_, yy_, xy_}) writer.number(value);
  writer.number(static_cast<std::uint64_t>(pairs_.size()));
  for (const auto& [pair, times] : pairs_) {
    writer.text(pair.first);
    writer.text(pair.second);
    writer.number(times);
  }
}

PairSummary PairSummary::read_state(StateReader& reader) {
  const std::string x(reader.text());
  PairSummary made(x, std::string(reader.text()));
  made.numbers_ = reader.number<std::uint8_t>() != 0;
  made.too_many_ = reader.number<std::uint8_t>() != 0;
  made.count_ = reader.number<std::int64_t>();
  for (double* value : {&made.mean_x_, &made.mean_y_, &made.xx_, &made.yy_, &made.xy_}) {
    *value = reader.number<double>();
  }
  const std::size_t size = reader.count(16);
  for (std::size_t i = 0; i < size && reader.good(); ++i) {
    const std::string a(reader.text()), b(reader.text());
    made.add_pair(a, b, reader.number<std::int64_t>());
  }
  return made;
}

}  // namespace pipelined
