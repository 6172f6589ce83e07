// Statistics of parts of a table: by the values of columns, by crosses of columns, by conditions.
//
// A rule puts each row into one slice, named "carrier=AA" or "carrier=AA, origin=JFK"; a missing value is
// "(missing)", and a condition is "long=true" or "long=false".  All rules see each batch once.  Slices
// keep less than whole tables: up to `slice_distinct_max` different values of a column are exact.  Knows
// Arrow batches, not files or JSON.  Summaries belong to one thread at a time.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "plugins/common/row_masks.h"
#include "plugins/data/column_summary.h"

namespace pipelined {

/// Columns, or names of conditions, whose values together are a slice.
struct SliceRule {
  std::vector<std::string> names;
};

/// One slice's summaries, in the order of the table's columns.
struct TableSlice {
  std::string name;
  std::int64_t rows = 0;
  std::vector<std::string> names;
  std::vector<ColumnSummary> columns;
};

/// More are a table of their own, not slices that somebody looks at.
inline constexpr std::size_t slices_max = 100;
inline constexpr std::size_t slice_distinct_max = 4096;

/// The slices of a table while its batches come.
class SliceSet {
 public:
  /// Error: a rule names neither column nor condition, or a column that cannot be a slice.
  static Result<SliceSet> begin(std::shared_ptr<arrow::Schema> schema, std::vector<SliceRule> rules,
                                const PredicateMasks& masks);

  /// Adds the next rows.  `weights` is null or has one entry a row.  Error: too many slices.
  Result<void> add(const arrow::RecordBatch& batch, const double* weights, int threads);

  /// The slices, sorted by name.
  std::vector<TableSlice> take() &&;

 private:
  /// The rows of a batch that are in one slice.
  struct Part {
    TableSlice* slice = nullptr;
    std::vector<std::int64_t> rows;
  };
  SliceSet(std::vector<SliceRule> rules, const PredicateMasks& masks,
           std::shared_ptr<arrow::Schema> schema)
      : rules_(std::move(rules)), masks_(&masks), schema_(std::move(schema)) {}
  Result<std::vector<Part>> parts_of(const arrow::RecordBatch& batch, const SliceRule& rule);
  std::vector<std::string> words_of(const arrow::RecordBatch& batch, const std::string& name) const;

  std::vector<SliceRule> rules_;
  const PredicateMasks* masks_;
  std::shared_ptr<arrow::Schema> schema_;
  std::map<std::string, TableSlice> slices_;
  std::int64_t rows_ = 0;
};

}  // namespace pipelined
