#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {
namespace {

std::string counts_text(const std::map<std::string, std::int64_t>& counts) {
  std::vector<std::string> parts;
  for (const auto& [state, count] : counts) parts.push_back(std::to_string(count) + " " + state);
  return spoken_list(parts);
}

/// What has arrived and is not in the outputs yet; nothing of a pipeline that is up to date.
void tell_stale(Session& session, const std::string& pipeline) {
  const auto reply =
      session.get<protocol::FreshnessReply>("/api/v1/pipelines/" + pipeline + "/freshness");
  if (!reply) return;  // an older daemon
  std::vector<std::string> steps;
  std::string first;
  TimeMs since = 0;
  for (const protocol::Freshness& step : reply->steps) {
    if (step.behind == 0) continue;
    steps.push_back(step.step);
    if (since == 0 || step.since.ms < since) since = step.since.ms, first = step.first_behind;
  }
  if (steps.empty()) return;
  session.terminal.out << session.safe(pipeline) << ": stale since " << short_time({since})
                       << " UTC, when " << session.safe(first) << " arrived: "
                       << session.safe(spoken_list(steps)) << "\n";
}

std::string counted(std::int64_t number, const std::string& what) {
  return with_thousands(number) + " " + what + (number == 1 ? "" : "s");
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
    out << "open runs: " << (open.empty() ? "none" : open) << "; " << counted(status->live_attempts, "attempt")
        << " running; " << counted(status->alerts, "open alert") << "\n";
    if (status->outbox_waiting > 0) {
      out << counted(status->outbox_waiting, "notification")
          << (status->outbox_waiting == 1 ? " waits" : " wait") << " to be sent\n";
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
    for (const protocol::PipelineInfo& pipeline : status->pipelines) tell_stale(session, pipeline.name);
  });
}

}  // namespace pipelined::cli
