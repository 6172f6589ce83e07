// Reading and writing examples/1: a folder of `part-NNNNN.parquet` files with one schema.
//
// The reader streams batches of several artifacts in their order, united by column name; the writer
// cuts what it is given into row groups of about a million cells and parts of 64 row groups, so that
// the same rows give the same bytes whatever batches they come in.  Both hold a row group at a time.
// Nothing here knows of operators or ports.  Neither class may be shared between threads.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "operators/sdk.h"

namespace pipelined {

/// The Parquet files of one examples/1 folder, in order.  Any other file in it is an error.
Result<std::vector<std::string>> example_parts(const std::string& folder);

/// How many rows a row group has when there are that many columns: a million cells, at least one.
std::int64_t row_group_rows(int column_count);

/// Batches of rows of one or more examples/1 artifacts, in order.
class ExamplesReader {
 public:
  /// Opens the folders' parts far enough to know schema and row count.
  static Result<ExamplesReader> open(const std::vector<std::string>& folders);

  ExamplesReader(ExamplesReader&&) noexcept;
  ExamplesReader& operator=(ExamplesReader&&) noexcept;
  ~ExamplesReader();

  /// The union by name of all parts' columns.
  const std::shared_ptr<arrow::Schema>& schema() const;

  /// Rows of all parts together.
  std::int64_t row_count() const;

  /// The files that are read, in order.
  const std::vector<std::string>& files() const;

  /// The next batch in the shape of `schema`, or null after the last.
  Result<std::shared_ptr<arrow::RecordBatch>> next();

 private:
  struct State;
  explicit ExamplesReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Writes examples/1 into an existing empty folder.
class ExamplesWriter {
 public:
  /// REQUIRES: `schema` has only the types of examples/1 (see column_types.h).
  static Result<ExamplesWriter> create(const std::string& folder,
                                       std::shared_ptr<arrow::Schema> schema);

  ExamplesWriter(ExamplesWriter&&) noexcept;
  ExamplesWriter& operator=(ExamplesWriter&&) noexcept;
  ~ExamplesWriter();

  /// Appends rows.  REQUIRES: the batch has the writer's schema.
  Result<void> write(std::shared_ptr<arrow::RecordBatch> batch);

  /// Writes what is left; without a row, one part that holds the schema alone.
  Result<void> close();

  /// Rows written so far.
  std::int64_t row_count() const;

 private:
  struct State;
  explicit ExamplesWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pipelined
