#include "cli/jobs.h"

#include <array>
#include <cstdio>

namespace pipelined::cli {
namespace {

void tell(Session& session, const protocol::JobInfo& job) {
  Table table = session.table({{"WHAT"}, {"VERDICT"}, {"CHECKED"}, {"FOUND"}, {"SIZE"}, {"ABOUT"}});
  for (const protocol::JobRow& row : job.rows) {
    table.add({row.name, row.verdict, std::to_string(row.checked), std::to_string(row.found),
               row.bytes > 0 ? size_text(row.bytes) : "-",
               row.sentence.empty() ? row.about : row.about + ": " + row.sentence});
  }
  session.print(table);
  for (const protocol::JobRow& row : job.rows) {
    for (const std::string& finding : row.findings) {
      session.terminal.out << row.name << "  " << session.safe(finding) << '\n';
    }
    const auto shown = static_cast<std::int64_t>(row.findings.size());
    if (row.found > shown && shown > 0) {
      session.terminal.out << row.name << "  and " << row.found - shown << " more\n";
    }
    if (row.runs.empty()) continue;
    session.terminal.out << row.name << "  affected runs:";
    for (const std::int64_t run : row.runs) session.terminal.out << ' ' << run;
    session.terminal.out << '\n';
  }
}

}  // namespace

std::string size_text(std::int64_t bytes) {
  constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) value /= 1024, ++unit;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

int run_job(Session& session, const std::string& route, const protocol::JobRequest& request) {
  auto job = session.ask<protocol::JobInfo>("POST", route, protocol::to_json(request));
  while (job && (job->state == "copying" || job->state == "working")) {
    job = session.get<protocol::JobInfo>("/api/v1/store/jobs/" + std::to_string(job->job) +
                                         "/wait?timeout_ms=60000");
  }
  if (!job) return session.fail(job.error());
  if (job->state == "failed") {
    return session.fail({ErrorCode::internal, job->kind + " failed: " + job->error});
  }
  const int shown = session.show([&] { tell(session, *job); });
  return job->ok ? shown : exit_failed;
}

}  // namespace pipelined::cli
