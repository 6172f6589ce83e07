#include "plugins/data/batch_pass.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "plugins/data/column_threads.h"

namespace pipelined {
namespace {

/// Whether each pair is one of numbers, in their order.
Result<std::vector<bool>> begin_pairs(const arrow::Schema& schema, const StatisticsOptions& options,
                                      TableSummary& table) {
  std::vector<bool> numbers;
  for (const auto& [x, y] : options.cross) {
    TRY(both, PairSummary::are_numbers(schema, x, y));
    numbers.push_back(both);
    table.pairs.emplace_back(x, y);
  }
  return numbers;
}

}  // namespace

Result<void> append_weights(const arrow::Array& array, const std::string& name,
                            std::vector<double>& weights) {
  const bool integers = array.type_id() == arrow::Type::INT64;
  for (std::int64_t i = 0; i < array.length(); ++i) {
    const double value = array.IsNull(i) ? 0
                         : integers ? static_cast<double>(array.data()->GetValues<std::int64_t>(1)[i])
                                    : array.data()->GetValues<double>(1)[i];
    if (!(value >= 0)) {
      return Error{ErrorCode::invalid, "weight '" + name + "' is " + std::to_string(value) +
                                           " in a row; weights are not negative"};
    }
    weights.push_back(value);
  }
  return {};
}

Result<void> check_named_columns(const arrow::Schema& schema, const StatisticsOptions& options) {
  for (const std::string& name : {options.label, options.weight}) {
    if (!name.empty() && !schema.GetFieldByName(name)) {
      return Error{ErrorCode::invalid, "statistics: there is no column '" + name +
                                           "', which label or weight names"};
    }
  }
  if (options.weight.empty()) return {};
  const auto type = schema.GetFieldByName(options.weight)->type()->id();
  if (type == arrow::Type::INT64 || type == arrow::Type::DOUBLE) return {};
  return Error{ErrorCode::invalid, "statistics: weight '" + options.weight + "' is no number"};
}

TableSummary empty_summary(const arrow::Schema& schema) {
  TableSummary table;
  for (const auto& field : schema.fields()) {
    table.names.push_back(field->name());
    table.columns.emplace_back(column_type_of(*field->type()));
  }
  return table;
}

Result<BatchPass> BatchPass::begin(const std::shared_ptr<arrow::Schema>& schema,
                                   const StatisticsOptions& options) {
  TRY_VOID(check_named_columns(*schema, options));
  TableSummary table = empty_summary(*schema);
  TRY(numbers, begin_pairs(*schema, options, table));
  TRY(slices, SliceSet::begin(schema, options.slices, options.masks));
  return BatchPass(options, std::move(table), std::move(numbers), std::move(slices));
}

Result<void> BatchPass::add(const arrow::RecordBatch& batch) {
  if (options_->cancelled()) return Error{ErrorCode::cancelled, "statistics were cancelled"};
  std::vector<double> weights;
  const std::string& weight = options_->weight;
  if (!weight.empty()) {
    TRY_VOID(append_weights(*batch.GetColumnByName(weight), weight, weights));
  }
  const double* const own = weight.empty() ? nullptr : weights.data();
  TRY_VOID(for_each_column(table_.columns.size(), options_->threads,
                           [&](std::size_t i) -> Result<void> {
                             table_.columns[i].add(*batch.column(static_cast<int>(i)), own);
                             return {};
                           }));
  for (std::size_t i = 0; i < table_.pairs.size(); ++i) {
    PairSummary& pair = table_.pairs[i];
    pair.add(*batch.GetColumnByName(pair.x()), *batch.GetColumnByName(pair.y()), numbers_[i]);
  }
  TRY_VOID(slices_.add(batch, own, options_->threads));
  table_.rows += batch.num_rows();
  return {};
}

TableSummary BatchPass::take() && {
  table_.slices = std::move(slices_).take();
  return std::move(table_);
}

}  // namespace pipelined
