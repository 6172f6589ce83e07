#include "plugins/data/split_rule.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "plugins/common/arrow_result.h"
#include "plugins/data/split_key.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;

/// Sizes of shares, summed up: the first bucket that is not a share's own.
Result<std::vector<std::uint64_t>> bucket_ends(const sdk::Context& context,
                                               const std::vector<std::string>& shares) {
  std::vector<std::uint64_t> ends;
  std::uint64_t end = 0;
  for (const std::string& name : shares) {
    const std::int64_t size = context.integer("shares." + name);
    if (size < 1 || size > 1'000'000) {
      return Error{ErrorCode::invalid,
                   "shares." + name + ": a whole number from 1 to 1000000 is expected"};
    }
    ends.push_back(end += static_cast<std::uint64_t>(size));
  }
  return ends;
}

Result<int> column_of(const sdk::Context& context, const arrow::Schema& schema) {
  const std::string name = context.text("column");
  const int index = schema.GetFieldIndex(name);
  if (index >= 0) return index;
  return Error{ErrorCode::invalid, name.empty() ? "column: by = \"" + context.text("by") +
                                                      "\" needs the name of a column"
                                                : "column: there is no column '" + name + "'"};
}

int share_at(const std::vector<std::uint64_t>& ends, std::uint64_t place) {
  return static_cast<int>(std::upper_bound(ends.begin(), ends.end(), place) - ends.begin());
}

/// Shares own runs of buckets in the order of their names.
class HashRule : public SplitRule {
 public:
  HashRule(RowKey key, std::vector<std::uint64_t> ends)
      : key_(std::move(key)), ends_(std::move(ends)) {}

  std::vector<int> decide(const arrow::RecordBatch& batch) override {
    std::vector<int> shares;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      shares.push_back(share_at(ends_, key_.number(batch, row) % ends_.back()));
    }
    return shares;
  }

 private:
  RowKey key_;
  std::vector<std::uint64_t> ends_;
};

/// In each stratum the rows with the smallest key numbers fill the first share, and so on, so that
/// every stratum has the same shares to a row.  Rows of one key stay together within a stratum.
class StratifiedRule : public SplitRule {
 public:
  StratifiedRule(RowKey key, int column, std::vector<std::uint64_t> ends)
      : key_(std::move(key)), column_(column), ends_(std::move(ends)) {}

  bool looks_first() const override { return true; }

  void look(const arrow::RecordBatch& batch) override {
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      strata_[stratum_of(batch, row)].numbers.push_back(key_.number(batch, row));
    }
  }

  void looked() override {
    for (auto& [name, stratum] : strata_) {
      auto& numbers = stratum.numbers;
      std::sort(numbers.begin(), numbers.end());
      const std::uint64_t rows = numbers.size(), all = ends_.back();
      for (std::size_t i = 0; i + 1 < ends_.size(); ++i) {
        const std::uint64_t first = (rows * ends_[i] + all / 2) / all;  // rounded to the nearest
        stratum.limits.push_back(first < rows ? std::optional(numbers[first]) : std::nullopt);
      }
      numbers = {};
    }
  }

  std::vector<int> decide(const arrow::RecordBatch& batch) override {
    std::vector<int> shares;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      const std::uint64_t number = key_.number(batch, row);
      const auto& limits = strata_[stratum_of(batch, row)].limits;
      int share = 0;
      for (const auto& limit : limits) share += limit && number >= *limit;
      shares.push_back(share);
    }
    return shares;
  }

 private:
  struct Stratum {
    std::vector<std::uint64_t> numbers;
    std::vector<std::optional<std::uint64_t>> limits;  // first number of the next share
  };

  std::string stratum_of(const arrow::RecordBatch& batch, std::int64_t row) const {
    const auto value = batch.column(column_)->GetScalar(row);
    return value.ok() && (*value)->is_valid ? "v" + (*value)->ToString() : "";
  }

  RowKey key_;
  int column_;
  std::vector<std::uint64_t> ends_;
  std::map<std::string, Stratum> strata_;
};

/// A share has the values that it lists.
class ValuesRule : public SplitRule {
 public:
  ValuesRule(int column, std::map<std::string, int> owners)
      : column_(column), owners_(std::move(owners)) {}

  std::vector<int> decide(const arrow::RecordBatch& batch) override {
    std::vector<int> shares;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      const auto value = batch.column(column_)->GetScalar(row);
      const bool known = value.ok() && (*value)->is_valid;
      const auto owner = known ? owners_.find((*value)->ToString()) : owners_.end();
      shares.push_back(owner == owners_.end() ? no_share : owner->second);
    }
    return shares;
  }

 private:
  int column_;
  std::map<std::string, int> owners_;
};

/// A share ends where the next begins; values of the column are compared as numbers.
class TimeRule : public SplitRule {
 public:
  TimeRule(int column, std::vector<std::pair<double, int>> ends, int rest)
      : column_(column), ends_(std::move(ends)), rest_(rest) {}

  static double number_of(const arrow::Scalar& value) {
    switch (value.type->id()) {
      case arrow::Type::DATE32: return static_cast<const arrow::Date32Scalar&>(value).value;
      case arrow::Type::TIMESTAMP:
        return static_cast<double>(static_cast<const arrow::TimestampScalar&>(value).value);
      case arrow::Type::INT64:
        return static_cast<double>(static_cast<const arrow::Int64Scalar&>(value).value);
      default: return static_cast<const arrow::DoubleScalar&>(value).value;
    }
  }

  std::vector<int> decide(const arrow::RecordBatch& batch) override {
    std::vector<int> shares;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      const auto value = batch.column(column_)->GetScalar(row);
      shares.push_back(value.ok() && (*value)->is_valid ? share_of(number_of(**value)) : no_share);
    }
    return shares;
  }

 private:
  int share_of(double at) const {
    for (const auto& [end, share] : ends_) {
      if (at < end) return share;
    }
    return rest_;
  }

  int column_;
  std::vector<std::pair<double, int>> ends_;
  int rest_;
};

Result<std::unique_ptr<SplitRule>> make_values_rule(const sdk::Context& context, int column,
                                                    const std::vector<std::string>& shares) {
  std::map<std::string, int> owners;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    for (const std::string& value : context.list("shares." + shares[i])) {
      if (!owners.emplace(value, static_cast<int>(i)).second) {
        return Error{ErrorCode::invalid,
                     "shares." + shares[i] + ": '" + value + "' is another share's already"};
      }
    }
  }
  return std::unique_ptr<SplitRule>(std::make_unique<ValuesRule>(column, std::move(owners)));
}

/// An end of a share in the column's own units.
Result<double> end_of(const Json& json, const std::shared_ptr<arrow::DataType>& type,
                      const std::string& where) {
  if (type->id() == arrow::Type::INT64 || type->id() == arrow::Type::DOUBLE) {
    if (json.is_number()) return json.get<double>();
    return Error{ErrorCode::invalid, where + ": a number is expected, as in the column"};
  }
  const bool moment = type->id() == arrow::Type::DATE32 || type->id() == arrow::Type::TIMESTAMP;
  if (!moment) {
    return Error{ErrorCode::invalid, "column: by = \"time\" needs dates, times or numbers"};
  }
  const auto value = json.is_string()
                         ? arrow::Scalar::Parse(type, json.get<std::string>())
                         : arrow::Result<std::shared_ptr<arrow::Scalar>>(
                               arrow::Status::Invalid("no text"));
  if (!value.ok()) {
    return Error{ErrorCode::invalid, where + ": a text such as \"2013-10-01\" is expected"};
  }
  return TimeRule::number_of(**value);
}

Result<std::unique_ptr<SplitRule>> make_time_rule(const sdk::Context& context, int column,
                                                  const arrow::Schema& schema,
                                                  const std::vector<std::string>& shares) {
  std::vector<std::pair<double, int>> ends;
  int rest = no_share;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const std::string where = "shares." + shares[i];
    const Json json = Json::parse(context.param_json(where).value_or("null"));
    if (json == "") {
      if (rest != no_share) return Error{ErrorCode::invalid, where + ": only one share is the rest"};
      rest = static_cast<int>(i);
      continue;
    }
    TRY(end, end_of(json, schema.field(column)->type(), where));
    ends.emplace_back(end, static_cast<int>(i));
  }
  std::sort(ends.begin(), ends.end());
  for (std::size_t i = 1; i < ends.size(); ++i) {
    if (ends[i].first == ends[i - 1].first) {
      return Error{ErrorCode::invalid, "shares: two of them end at the same time"};
    }
  }
  return std::unique_ptr<SplitRule>(std::make_unique<TimeRule>(column, std::move(ends), rest));
}

}  // namespace

Result<std::unique_ptr<SplitRule>> make_split_rule(const sdk::Context& context,
                                                   const arrow::Schema& schema,
                                                   const std::vector<std::string>& shares) {
  const std::string by = context.text("by", "hash");
  if (by == "values" || by == "time") {
    TRY(column, column_of(context, schema));
    if (by == "values") return make_values_rule(context, column, shares);
    return make_time_rule(context, column, schema, shares);
  }
  TRY(ends, bucket_ends(context, shares));
  TRY(key, RowKey::over(schema, context.list("key"), "key", context.text("salt")));
  if (by == "hash") {
    return std::unique_ptr<SplitRule>(std::make_unique<HashRule>(std::move(key), std::move(ends)));
  }
  TRY(column, column_of(context, schema));
  return std::unique_ptr<SplitRule>(
      std::make_unique<StratifiedRule>(std::move(key), column, std::move(ends)));
}

}  // namespace pipelined
