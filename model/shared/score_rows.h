// The scores of a model behind a plain C interface, as a shared library of its own.
//
// For programs in other languages that carry the library with a model, such as an exported MLflow
// folder: they score with the code that evaluation and serving use.  Knows no Arrow and no operator,
// opens nothing but the model's folder.  A model may be read by several threads at once.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {

/// What a column holds; `absent`: the caller has no such column.
enum pipelined_column_kind : std::int32_t {
  pipelined_column_absent = 0,
  pipelined_column_number = 1,   ///< double
  pipelined_column_whole = 2,    ///< int64: whole numbers, flags, days or microseconds since 1970
  pipelined_column_text = 3,     ///< UTF-8, one after the other; `ends` says where each ends
};

/// One column of rows.
struct pipelined_column {
  std::int32_t kind;
  const std::uint8_t* missing;   ///< a byte a row: not 0 where there is no value
  const void* values;
  const std::int64_t* ends;      ///< of texts
};

/// Reads a model/1 folder.  Null: `said` has a sentence.
void* pipelined_score_open(const char* folder, char* said, std::size_t said_size);
/// Gives it back.
void pipelined_score_close(void* model);
/// JSON: `inputs` in the order of columns (`name`, `type`, `optional`), `label`, `objective`,
/// `classes`, `scores` a row.  Valid as long as the model.
const char* pipelined_score_describe(void* model);
/// Scores `rows` rows: `scores` gets as many numbers a row as described.  1: done; 0: `said` has a
/// sentence that names the row.
int pipelined_score_rows(void* model, std::int64_t rows, const pipelined_column* columns,
                         float* scores, char* said, std::size_t said_size);
}
