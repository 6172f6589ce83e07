#include "plugins/common/transform_rows.h"

#include <arrow/record_batch.h>

#include "plugins/common/row_cells.h"

namespace pipelined {

Result<model::Analysis> analyse_rows(ExamplesReader& reader,
                                     std::vector<model::FeatureSpec> features,
                                     const sdk::Context& context, bool progress) {
  const auto columns = column_inputs(*reader.schema());
  TRY(analysis, model::Analysis::begin(std::move(features), columns));
  std::vector<model::Cell> cells(analysis.columns().size());
  const std::int64_t total = reader.row_count();
  for (std::int64_t done = 0;;) {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "stopped while reading examples"};
    TRY(batch, reader.next());
    if (!batch) return analysis;
    TRY(rows, RowCells::bind(*batch, analysis.columns()));
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      rows.read(row, cells);
      TRY_VOID(analysis.add_row(cells));
    }
    done += batch->num_rows();
    if (progress) context.progress(done, total);
  }
}

}  // namespace pipelined
