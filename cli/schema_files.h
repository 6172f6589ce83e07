// Schemas and tables in plain files: what the verbs `schema …` have in common.
//
// Puts `data.statistics`, `data.schema` and `data.validate` together over a LocalRun and reads what they
// write.  Knows no terminal.  One thread.
#pragma once

#include <string>
#include <vector>

#include "cli/statistics_files.h"
#include "dag/value.h"

namespace pipelined::cli {

/// What `data.schema` wrote.
struct SchemaProposal {
  std::string schema;   ///< the text proposed
  std::string changes;  ///< changes.json as it is
  Value read_changes;   ///< the same, read
};

/// A proposal for the file, or changes of the schema at `schema`; "" for none.  `apply` names the
/// changes that are made in the text.
Result<SchemaProposal> propose_schema(LocalRun& local, const std::string& file,
                                      const std::string& schema, const std::string& label,
                                      const std::vector<std::string>& apply);

/// The verdict of `data.validate` on a file: anomalies.json.
Result<std::string> check_by_schema(LocalRun& local, const std::string& file,
                                    const std::string& schema, const ValueTable& params);

}  // namespace pipelined::cli
