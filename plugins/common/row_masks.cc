#include "plugins/common/row_masks.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>

#include "plugins/common/sql_session.h"

namespace pipelined {

Result<PredicateMasks> masks_of(const sdk::Context& context, const std::string& port,
                                const std::map<std::string, std::string>& predicates,
                                std::int64_t row_count) {
  PredicateMasks masks;
  if (predicates.empty()) return masks;
  TRY(session, SqlSession::open(context));
  std::string list;
  for (const auto& [name, predicate] : predicates) {
    const std::string what = "parameter \"where." + name + "\"";
    TRY_VOID(session.permit(what, predicate));
    // A line of its own ends a comment that the predicate may have.
    list += (list.empty() ? "" : ", ") + std::string("coalesce(CAST((") + predicate +
            "\n) AS BOOLEAN), false) AS " + sql_name(name);
    masks[name].reserve(static_cast<std::size_t>(std::max<std::int64_t>(row_count, 0)));
  }
  TRY_VOID(session.bind(context, {{"data", port}}));
  const auto begin = [](const arrow::Schema&) { return Result<void>(); };
  const auto take = [&](std::shared_ptr<arrow::RecordBatch> batch) -> Result<void> {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "stopped while asking for slices"};
    int column = 0;
    for (auto& [name, mask] : masks) {
      const auto& held = static_cast<const arrow::BooleanArray&>(*batch->column(column++));
      for (std::int64_t row = 0; row < held.length(); ++row) mask.push_back(held.Value(row) ? 1 : 0);
    }
    return {};
  };
  const auto asked = session.database().select("SELECT " + list + " FROM data", begin, take);
  if (!asked) return asked.error().within("parameter \"where\"");
  for (const auto& [name, mask] : masks) {
    if (row_count < 0 || static_cast<std::int64_t>(mask.size()) == row_count) continue;
    return Error{ErrorCode::invalid, "parameter \"where." + name + "\" gives " +
                                         std::to_string(mask.size()) + " answers for " +
                                         std::to_string(row_count) +
                                         " rows; it must be a condition on one row"};
  }
  return masks;
}

}  // namespace pipelined
