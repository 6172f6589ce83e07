// What two columns have to do with each other: correlation of numbers, lift of values.
//
// Counts are exact; co-moments are merged as means and spreads are, so that parts give what the whole
// gives.  Rows without a value (or with one that is not finite) on either side do not count.  Knows
// Arrow arrays, not files or JSON.  One thread.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "operators/sdk.h"
#include "plugins/data/state_bytes.h"

namespace pipelined {

class PairSummary {
 public:
  /// Pairs of so many different values on a side are not listed.
  static constexpr std::size_t values_max = 1000;

  PairSummary() = default;
  PairSummary(std::string x, std::string y) : x_(std::move(x)), y_(std::move(y)) {}

  /// Whether the columns can be compared: two numbers, or strings, bools and ints.
  static Result<bool> are_numbers(const arrow::Schema& schema, const std::string& x,
                                  const std::string& y);

  void add(const arrow::Array& x, const arrow::Array& y, bool numbers);
  void merge(const PairSummary& other);
  void write_state(StateWriter& writer) const;
  static PairSummary read_state(StateReader& reader);

  const std::string& x() const { return x_; }
  const std::string& y() const { return y_; }
  std::int64_t count() const { return count_; }
  bool numbers() const { return numbers_; }
  /// Of the population; 0 without rows.
  double covariance() const;
  /// Pearson's; 0 if one side does not vary.
  double correlation() const;
  /// Whether a side has too many values for counts of pairs.
  bool too_many() const { return too_many_; }
  const std::map<std::pair<std::string, std::string>, std::int64_t>& pairs() const { return pairs_; }
  const std::map<std::string, std::int64_t>& x_counts() const { return x_counts_; }
  const std::map<std::string, std::int64_t>& y_counts() const { return y_counts_; }

 private:
  void add_pair(const std::string& x, const std::string& y, std::int64_t times);

  std::string x_, y_;
  bool numbers_ = false, too_many_ = false;
  std::int64_t count_ = 0;
  double mean_x_ = 0, mean_y_ = 0, xx_ = 0, yy_ = 0, xy_ = 0;
  std::map<std::pair<std::string, std::string>, std::int64_t> pairs_;
  std::map<std::string, std::int64_t> x_counts_, y_counts_;
};

}  // namespace pipelined
