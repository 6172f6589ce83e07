#include "plugins/data/slices.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/initialize.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <unordered_map>

#include "plugins/common/arrow_result.h"
#include "plugins/data/column_threads.h"
#include "plugins/data/moment_text.h"

namespace pipelined {
namespace {

constexpr const char* missing_word = "(missing)";

std::string word_of(const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) return missing_word;
  switch (array.type_id()) {
    case arrow::Type::INT64: return std::to_string(array.data()->GetValues<std::int64_t>(1)[row]);
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(array).Value(row) ? "true" : "false";
    case arrow::Type::DATE32:
      return moment_text(ColumnType::date, array.data()->GetValues<std::int32_t>(1)[row]);
    case arrow::Type::TIMESTAMP:
      return moment_text(ColumnType::time, array.data()->GetValues<std::int64_t>(1)[row]);
    default: return static_cast<const arrow::StringArray&>(array).GetString(row);
  }
}

Result<void> check_rule(const arrow::Schema& schema, const SliceRule& rule,
                        const PredicateMasks& masks) {
  for (const std::string& name : rule.names) {
    const auto field = schema.GetFieldByName(name);
    if (!field && !masks.contains(name)) {
      return Error{ErrorCode::invalid, "slices: there is no column '" + name +
                                           "', and no condition of that name in `where`"};
    }
    const auto type = field ? field->type()->id() : arrow::Type::BOOL;
    if (type != arrow::Type::DOUBLE && type != arrow::Type::LIST) continue;
    return Error{ErrorCode::invalid,
                 "slices: '" + name + "' is " + (type == arrow::Type::DOUBLE ? "a float" : "a list") +
                     "; say which rows belong together with conditions in `where`"};
  }
  if (!rule.names.empty()) return {};
  return Error{ErrorCode::invalid, "slices: a cross of no columns is no slice"};
}

/// The rows of an array with these numbers.
Result<std::shared_ptr<arrow::Array>> pick(const arrow::Array& array,
                                           const std::vector<std::int64_t>& rows) {
  static const arrow::Status kernels = arrow::compute::Initialize();
  if (!kernels.ok()) return arrow_error("load Arrow's functions", kernels);
  const arrow::Int64Array indices(static_cast<std::int64_t>(rows.size()),
                                  arrow::Buffer::Wrap(rows));
  return from_arrow("pick the rows of a slice", arrow::compute::Take(array, indices));
}

}  // namespace

Result<SliceSet> SliceSet::begin(std::shared_ptr<arrow::Schema> schema,
                                 std::vector<SliceRule> rules, const PredicateMasks& masks) {
  for (const SliceRule& rule : rules) TRY_VOID(check_rule(*schema, rule, masks));
  return SliceSet(std::move(rules), masks, std::move(schema));
}

std::vector<std::string> SliceSet::words_of(const arrow::RecordBatch& batch,
                                            const std::string& name) const {
  std::vector<std::string> words;
  const auto column = batch.GetColumnByName(name);
  const auto mask = masks_->find(name);
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    if (column) {
      words.push_back(word_of(*column, row));
    } else {
      const auto at = static_cast<std::size_t>(rows_ + row);
      words.emplace_back(at < mask->second.size() && mask->second[at] != 0 ? "true" : "false");
    }
  }
  return words;
}

Result<std::vector<SliceSet::Part>> SliceSet::parts_of(const arrow::RecordBatch& batch,
                                                       const SliceRule& rule) {
  std::vector<std::string> names(static_cast<std::size_t>(batch.num_rows()));
  for (const std::string& column : rule.names) {
    const std::vector<std::string> words = words_of(batch, column);
    for (std::size_t row = 0; row < names.size(); ++row) {
      names[row] += (names[row].empty() ? "" : ", ") + column + "=" + words[row];
    }
  }
  std::vector<Part> parts;
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t row = 0; row < names.size(); ++row) {
    const auto [place, fresh] = places.try_emplace(names[row], parts.size());
    if (fresh) parts.emplace_back();
    parts[place->second].rows.push_back(static_cast<std::int64_t>(row));
  }
  for (const auto& [name, place] : places) {
    const auto [slice, fresh] = slices_.try_emplace(name);
    parts[place].slice = &slice->second;
    if (!fresh) continue;
    if (slices_.size() > slices_max) {
      return Error{ErrorCode::invalid, "slices: there are more than " + std::to_string(slices_max) +
                                           ", '" + name + "' is the next; take columns of few values, "
                                           "or conditions in `where`"};
    }
    slice->second.name = name;
    for (const auto& field : schema_->fields()) {
      slice->second.names.push_back(field->name());
      slice->second.columns.emplace_back(column_type_of(*field->type()), slice_distinct_max);
    }
  }
  return parts;
}

Result<void> SliceSet::add(const arrow::RecordBatch& batch, const double* weights, int threads) {
  if (rules_.empty()) return {};
  std::vector<Part> parts;
  for (const SliceRule& rule : rules_) {
    TRY(own, parts_of(batch, rule));
    std::move(own.begin(), own.end(), std::back_inserter(parts));
  }
  for (Part& part : parts) part.slice->rows += static_cast<std::int64_t>(part.rows.size());
  // Each column of each slice is one thread's, and takes its rows in their order.
  const auto columns = static_cast<std::size_t>(schema_->num_fields());
  TRY_VOID(for_each_column(parts.size() * columns, threads, [&](std::size_t i) -> Result<void> {
    const Part& part = parts[i / columns];
    TRY(values, pick(*batch.column(static_cast<int>(i % columns)), part.rows));
    std::vector<double> own;
    for (std::size_t row = 0; weights && row < part.rows.size(); ++row) {
      own.push_back(weights[part.rows[row]]);
    }
    part.slice->columns[i % columns].add(*values, weights ? own.data() : nullptr);
    return {};
  }));
  rows_ += batch.num_rows();
  return {};
}

std::vector<TableSlice> SliceSet::take() && {
  std::vector<TableSlice> all;
  for (auto& [name, slice] : slices_) all.push_back(std::move(slice));
  return all;
}

}  // namespace pipelined
