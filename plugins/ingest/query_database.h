// A database that is asked once: one read-only transaction that sees one state of it.
//
// What comes out is text as plugins/common/text_values.h reads it: `true`, `nan`, times in UTC with a
// `Z` where the database knows the zone.  Placeholders are `$1`, `$2` in the order in which they stand.
// Knows nothing of watermarks, Arrow or ports.  One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operators/sdk.h"
#include "plugins/common/column_types.h"
#include "plugins/common/text_rows.h"

namespace pipelined {

/// A column of an answer.
struct QueryColumn {
  std::string name;
  std::string declared;              ///< its type in the database's own word; may be empty
  ColumnType type = ColumnType::text;
  bool ordered = true;               ///< whether one can go on from a value of it
};

/// A value for a placeholder.
struct QueryValue {
  std::string text;
  bool integer = false;
};

class QueryDatabase {
 public:
  /// Takes one row; its cells are valid during the call.
  using TakeRow = std::function<Result<void>(const std::vector<TextCell>& cells)>;

  virtual ~QueryDatabase() = default;

  /// The columns of a SELECT.  Where the database itself does not know a type, all rows are looked
  /// at, so that no later row can contradict it.
  virtual Result<std::vector<QueryColumn>> columns(const std::string& sql,
                                                   const std::vector<QueryValue>& values) = 0;
  /// All rows of a SELECT, one after another.
  virtual Result<void> rows(const std::string& sql, const std::vector<QueryValue>& values,
                            const std::vector<QueryColumn>& columns, const TakeRow& take) = 0;
  /// To be called behind the last row.  An error (unavailable): what was read may be of two states.
  virtual Result<void> finish() = 0;
};

/// Opens an SQLite file for reading.  `unavailable`: somebody is writing to it.
Result<std::unique_ptr<QueryDatabase>> open_sqlite(const std::string& path);

/// Connects to a PostgreSQL server.  `unavailable`: it is not there, or takes nobody now.
/// `deadline_ms`: the server ends a statement that takes longer; 0 or less: it does not.
Result<std::unique_ptr<QueryDatabase>> open_postgresql(const std::string& connection,
                                                       std::int64_t deadline_ms);

}  // namespace pipelined
