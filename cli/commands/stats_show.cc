#include <ostream>

#include "cli/commands/commands.h"
#include "cli/statistics_files.h"
#include "cli/statistics_table.h"
#include "cli/yaml.h"

namespace pipelined::cli {
namespace {

Result<std::string> statistics_json(Session& session) {
  TRY(params, statistics_params(session));
  TRY(local, LocalRun::begin(session.environment));
  const std::string path = session.arguments.text("FILE"), page = session.arguments.text("html");
  TRY(statistics, statistics_of(local, path, params));
  if (!page.empty()) {
    TRY_VOID(compare_statistics(local, nullptr, statistics.artifact, {{"name", path}}, page));
  }
  return statistics.json;
}

}  // namespace

int run_stats_show(Session& session) {
  if (session.arguments.has("json")) session.format = Format::json;
  const auto json = statistics_json(session);
  if (!json) return session.fail(json.error());
  const auto statistics = read_statistics(*json);
  if (!statistics) return session.fail(statistics.error());
  if (session.format == Format::json || session.format == Format::yaml) {
    session.terminal.out << (session.format == Format::json ? *json : yaml_of(*json));
    return exit_done;
  }
  session.say(short_value(statistics->as_table()->at("rows")) + " rows, " +
              std::to_string(statistics->as_table()->at("features").as_list()->size()) + " features");
  session.print(statistics_table(*statistics, session.format == Format::wide));
  if (const Table slices = slices_table(*statistics, session.format == Format::wide); !slices.empty()) {
    session.terminal.out << "\n";
    session.print(slices);
  }
  return exit_done;
}

}  // namespace pipelined::cli
