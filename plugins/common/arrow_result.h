// The seam between Arrow's way of reporting failures and ours.
//
// Arrow answers with `arrow::Status` and `arrow::Result`; operators answer with `Result`.  The two
// macros here turn one into the other with what was being done put in front.  This header knows
// nothing of files, columns or operators.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <string>

#include "operators/sdk.h"

namespace pipelined {

/// The error that says `what` was attempted and what Arrow answered.  REQUIRES: !status.ok().
Error arrow_error(const std::string& what, const arrow::Status& status);

/// Success, or the error that says `what` was attempted.
inline Result<void> from_arrow(const std::string& what, const arrow::Status& status) {
  if (status.ok()) return {};
  return arrow_error(what, status);
}

/// The value, or the error that says `what` was attempted.
template <class T>
Result<T> from_arrow(const std::string& what, arrow::Result<T> result) {
  if (!result.ok()) return arrow_error(what, result.status());
  return std::move(result).ValueUnsafe();
}

}  // namespace pipelined
