#include <ostream>

#include "cli/commands/commands.h"
#include "cli/statistics_files.h"
#include "cli/statistics_table.h"
#include "cli/yaml.h"
#include "operators/value_json.h"

namespace pipelined::cli {
namespace {

Result<std::string> comparison_of(Session& session) {
  const std::string a = session.arguments.text("A"), b = session.arguments.text("B");
  TRY(local, LocalRun::begin(session.environment));
  TRY(before, statistics_of(local, a, {}));
  TRY(now, statistics_of(local, b, {}));
  return compare_statistics(local, &before.artifact, now.artifact, {{"name", b}, {"before_name", a}},
                            session.arguments.text("html"));
}

}  // namespace

int run_stats_compare(Session& session) {
  if (session.arguments.has("json")) session.format = Format::json;
  const auto json = comparison_of(session);
  if (!json) return session.fail(json.error());
  const auto comparison = value_from_json(*json);
  if (!comparison) return session.fail(comparison.error());
  if (session.format == Format::json || session.format == Format::yaml) {
    session.terminal.out << (session.format == Format::json ? *json : yaml_of(*json));
    return exit_done;
  }
  const auto rows = [&](const char* side) {
    return short_value(comparison->as_table()->at(side).as_table()->at("rows"));
  };
  session.say(rows("before") + " rows before, " + rows("now") + " now");
  session.print(comparison_table(*comparison, session.format == Format::wide));
  return exit_done;
}

}  // namespace pipelined::cli
