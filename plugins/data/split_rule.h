// To which share a row belongs: by hash, by time, by a column's values, in strata, or as it was given.
//
// A rule sees all batches twice if it asks for it (`look`), and then once more to decide.  Rules know
// columns, not ports or files.  One thread.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

#include "operators/sdk.h"

namespace pipelined {

/// A row that belongs to no share.
inline constexpr int no_share = -1;

class SplitRule {
 public:
  virtual ~SplitRule() = default;
  /// Whether it must see all rows before it can decide on any.
  virtual bool looks_first() const { return false; }
  virtual void look(const arrow::RecordBatch&) {}
  /// After the last look.
  virtual void looked() {}
  /// The index of each row's share.
  virtual std::vector<int> decide(const arrow::RecordBatch& batch) = 0;
};

/// The rule that the parameters `by`, `shares`, `key`, `column` and `salt` describe; `shares` are the
/// names in order.  For by = "given" there is none, since ports decide.
Result<std::unique_ptr<SplitRule>> make_split_rule(const sdk::Context& context,
                                                   const arrow::Schema& schema,
                                                   const std::vector<std::string>& shares);

}  // namespace pipelined
