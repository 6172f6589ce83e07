#include <ostream>

#include "cli/commands/commands.h"
#include "cli/schema_files.h"
#include "operators/value_json.h"

namespace pipelined::cli {
namespace {

std::string text_at(const Value& table, const char* key) {
  const auto found = table.as_table()->find(key);
  if (found == table.as_table()->end()) return "";
  return found->second.as_text() ? *found->second.as_text() : canonical(found->second);
}

const ValueList& list_at(const Value& table, const char* key) {
  static const ValueList none;
  const auto found = table.as_table()->find(key);
  return found != table.as_table()->end() && found->second.as_list() ? *found->second.as_list()
                                                                     : none;
}

/// "row 2: a = 7, b = y".
std::string row_text(const Value& example) {
  std::string text = text_at(example, "row");
  text = text.empty() ? "" : "row " + text + ": ";
  const Value& cells = example.as_table()->at("values");
  std::string values;
  for (const auto& [name, value] : *cells.as_table()) {
    values += (values.empty() ? "" : ", ") + name + " = " + *value.as_text();
  }
  return text + values;
}

void tell(Session& session, const Value& verdict) {
  Table table({{"SEVERITY"}, {"ANOMALY"}, {"WHAT WAS FOUND"}}, false);
  for (const Value& one : list_at(verdict, "anomalies")) {
    table.add({text_at(one, "severity"), text_at(one, "anomaly"), text_at(one, "sentence")});
  }
  if (!table.empty()) session.print(table);
  for (const Value& one : list_at(verdict, "anomalies")) {
    const ValueList& examples = list_at(one, "examples");
    if (examples.empty()) continue;
    const std::string rule = text_at(one, "rule"), feature = text_at(one, "feature");
    session.terminal.out << "\n" << session.safe(text_at(one, "anomaly"))
                         << session.safe(rule.empty() && feature.empty()
                                             ? "" : " " + (rule.empty() ? feature : rule)) << "\n";
    for (const Value& example : examples) {
      session.terminal.out << "  " << session.safe(row_text(example)) << "\n";
    }
  }
  session.say(std::to_string(list_at(verdict, "checks").size()) + " checks, " +
              std::to_string(list_at(verdict, "anomalies").size()) + " anomalies: " +
              text_at(verdict, "verdict"));
}

}  // namespace

int run_schema_check(Session& session) {
  const std::string schema = session.arguments.text("schema");
  if (schema.empty()) {
    return session.fail({ErrorCode::invalid, "schema check: --schema names the schema's file"});
  }
  auto local = LocalRun::begin(session.environment);
  if (!local) return session.fail(local.error());
  ValueTable params;
  for (const char* name : {"label", "environment"}) {
    if (session.arguments.has(name)) params[name] = session.arguments.text(name);
  }
  const auto json = check_by_schema(*local, session.arguments.text("FILE"), schema, params);
  if (!json) return session.fail(json.error());
  const auto verdict = value_from_json(*json);
  if (!verdict) return session.fail(verdict.error());
  if (session.arguments.has("json") || session.format == Format::json) {
    session.terminal.out << *json;
  } else {
    tell(session, *verdict);
  }
  return text_at(*verdict, "verdict") == "halt" ? exit_halted : exit_done;
}

}  // namespace pipelined::cli
