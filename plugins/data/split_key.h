// A row's key as a number: the same for the same values, whatever file or order they come in.
//
// The number is the first 64 bits of the SHA-256 of salt and values, each with its kind and length, so
// that no two keys look alike; a whole float counts as an int.  One thread an object.
#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <string>
#include <vector>

#include "operators/sdk.h"

namespace pipelined {

class RowKey {
 public:
  /// Over the named columns, all if none is named; `param` is what an error calls the list.
  static Result<RowKey> over(const arrow::Schema& schema, const std::vector<std::string>& names,
                             const std::string& param, const std::string& salt);

  std::uint64_t number(const arrow::RecordBatch& batch, std::int64_t row);

  /// "carrier = UA, flight = 15".
  std::string readable(const arrow::RecordBatch& batch, std::int64_t row) const;

 private:
  std::vector<int> columns_;
  std::string salt_;
  std::string text_;  // reused
};

}  // namespace pipelined
