// Proposals for schemas: one from nothing, and what would make an existing one hold for new data.
//
// Every proposal has an id ("feature.carrier.domain"), the old and the new text, and its reason, so that a
// person can take some and leave others.  Works on the text of the schema: comments, order and
// everything that is not changed stay as they are.  Decides from statistics alone.  Pure functions.
#pragma once

#include <string>
#include <vector>

#include "plugins/data/feature_facts.h"
#include "plugins/data/feature_schema.h"

namespace pipelined {

/// A schema for data like this, with the reason of every line as a comment.
std::string inferred_schema(const TableFacts& facts);

/// One thing that would be changed.
struct SchemaChange {
  std::string id;      ///< "feature.carrier.domain"; of a new column "feature.tail"
  std::string before;  ///< the value as the schema has it; empty: it has none
  std::string after;   ///< the value that would stand there; of a new column its whole entry
  std::string why;
};

/// What keeps this data from following the schema, as changes.
std::vector<SchemaChange> schema_changes(const TableSchema& schema, const TableFacts& facts);

/// The text with these changes made; an error if the text has a form that cannot be edited.
Result<std::string> amended_schema(const std::string& toml, const std::string& name,
                                   const std::vector<SchemaChange>& changes);

/// Both texts as a patch that `patch` and people read; empty if they are alike.
std::string line_patch(const std::string& before, const std::string& after,
                       const std::string& name);

}  // namespace pipelined
