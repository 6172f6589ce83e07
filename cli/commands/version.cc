#include <ostream>

#include "cli/commands/commands.h"
#include "cli/yaml.h"

namespace pipelined::cli {

int run_version(Session& session) {
  const auto status = session.get<protocol::Status>("/api/v1/status");
  const std::string daemon = status ? status->daemon : "";
  std::ostream& out = session.terminal.out;
  if (session.format == Format::json || session.format == Format::yaml) {
    const std::string json =
        canonical(Value(ValueTable{{"pipectl", PIPELINED_VERSION}, {"protocol", protocol::version},
                                   {"daemon", daemon.empty() ? Value() : Value(daemon)}}));
    out << (session.format == Format::json ? json + "\n" : yaml_of(json));
    return exit_done;
  }
  out << "pipectl " << PIPELINED_VERSION << ", protocol " << protocol::version << "\n";
  if (!daemon.empty()) out << "pipelined " << session.safe(daemon) << "\n";
  if (!status) session.say("no daemon: " + status.error().message);
  return exit_done;
}

}  // namespace pipelined::cli
