// data.schema: proposes a schema, or what an existing one would have to change for new data.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugins/data/operators.h"
#include "plugins/data/schema_changes.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;

/// The changes that `apply` names: an id, the column or table that it belongs to, or "all".
Result<std::vector<SchemaChange>> chosen(const std::vector<SchemaChange>& changes,
                                         const std::vector<std::string>& words) {
  std::vector<SchemaChange> taken;
  for (const std::string& word : words) {
    bool found = word == "all";
    for (const SchemaChange& change : changes) {
      const bool named = word == "all" || change.id == word || change.id.starts_with(word + ".");
      found = found || named;
      const bool known = std::any_of(taken.begin(), taken.end(),
                                     [&](const auto& one) { return one.id == change.id; });
      if (named && !known) taken.push_back(change);
    }
    if (!found) {
      std::string ids;
      for (const SchemaChange& change : changes) ids += (ids.empty() ? "" : ", ") + change.id;
      return Error{ErrorCode::invalid, "apply: no change is called '" + word + "'" +
                                           (ids.empty() ? "; nothing needs to be changed"
                                                        : "; there are " + ids)};
    }
  }
  return taken;
}

Json json_of(const std::vector<SchemaChange>& changes) {
  Json list = Json::array();
  for (const SchemaChange& change : changes) {
    list.push_back({{"id", change.id}, {"before", change.before}, {"after", change.after},
                    {"why", change.why}});
  }
  return list;
}

}  // namespace

Result<void> run_data_schema(sdk::Context& context) {
  TRY(text, read_text((context.input_path("statistics") / "statistics.json").string()));
  TRY(facts, parse_statistics(text));
  if (!context.text("label").empty()) facts.label = context.text("label");
  std::string before, after, name = "schema.toml";
  std::vector<SchemaChange> changes;
  if (context.input_count("schema") == 0) {
    after = inferred_schema(facts);
  } else {
    const auto files = context.input_files("schema");
    if (files.size() != 1) return Error{ErrorCode::invalid, "input 'schema': one file is expected"};
    name = files[0].filename().string();
    TRY(own, read_text(files[0].string()));
    TRY(schema, parse_schema(own, name));
    changes = schema_changes(schema, facts);
    TRY(taken, chosen(changes, context.list("apply", {"all"})));
    TRY(amended, amended_schema(own, name, taken));
    before = own;
    after = amended;
  }
  const std::string patch = before.empty() ? "" : line_patch(before, after, name);
  TRY_VOID(write_text((context.output_path("schema") / "schema.toml").string(), after));
  context.note("changes", std::to_string(changes.size()));
  return write_text((context.output_path("changes") / "changes.json").string(),
                    Json({{"changes", json_of(changes)}, {"patch", patch}})
                            .dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace pipelined
