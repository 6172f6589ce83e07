#include <fstream>

#include "cli/commands/commands.h"
#include "cli/statistics_files.h"

namespace pipelined::cli {
namespace {

Result<void> write_proto(Session& session) {
  TRY(params, statistics_params(session));
  TRY(local, LocalRun::begin(session.environment));
  TRY(statistics, statistics_of(local, session.arguments.text("FILE"), params));
  TRY(bytes, proto_of(local, statistics.artifact));
  const std::string path = session.arguments.text("OUT");
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  if (!file) return Error{ErrorCode::io, "write the statistics " + path + ": the system refused"};
  return {};
}

}  // namespace

int run_stats_export(Session& session) {
  if (const auto written = write_proto(session); !written) return session.fail(written.error());
  session.say(session.arguments.text("OUT"));
  return exit_done;
}

}  // namespace pipelined::cli
