#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {
namespace {

std::string counts_text(const std::map<std::string, std::int64_t>& counts) {
  std::vector<std::string> parts;
  for (const auto& [state, count] : counts) parts.push_back(std::to_string(count) + " " + state);
  return spoken_list(parts);
}

}  // namespace

int run_status(Session& session) {
  const auto status = session.get<protocol::Status>("/api/v1/status");
  if (!status) return session.fail(status.error());
  return session.show([&] {
    std::ostream& out = session.terminal.out;
    out << "pipelined " << session.safe(status->daemon) << ", since "
        << short_time(status->started_at) << " UTC"
        << (status->ready ? "" : ", not ready yet") << "\n";
    if (!status->read_only.empty()) {
      out << "only reads are answered: " << session.safe(status->read_only) << "\n";
    }
    const std::string open = counts_text(status->open_runs);
    out << "open runs: " << (open.empty() ? "none" : open) << "; " << status->live_attempts
        << " attempts running; " << status->alerts << " open alerts\n";
    if (status->outbox_waiting > 0) {
      out << status->outbox_waiting << " notifications wait to be sent\n";
    }
    Table table = session.table({{"PIPELINE"}, {"VERSION"}, {"LAST RUN", false, true}, {"STATE"},
                                 {"SPANS"}, {"FOLDER", true}, {"OWNER", true}});
    for (const protocol::PipelineInfo& pipeline : status->pipelines) {
      table.add({pipeline.name + (pipeline.paused ? " (paused)" : ""),
                 pipeline.version.substr(0, 12),
                 pipeline.last_run == 0 ? "-" : std::to_string(pipeline.last_run),
                 pipeline.last_state, counts_text(pipeline.spans), pipeline.folder,
                 pipeline.owner});
    }
    session.print(table);
  });
}

}  // namespace pipelined::cli
