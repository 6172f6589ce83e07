#include <ostream>

#include "cli/commands/commands.h"
#include "cli/waiting.h"
#include "dag/run_state.h"

namespace pipelined::cli {
namespace {

void tell_head(Session& session, const protocol::RunDetail& detail) {
  std::ostream& out = session.terminal.out;
  const protocol::RunSummary& run = detail.run;
  out << "run " << run.number << " of " << session.safe(run.pipeline) << " " << run.state << "\n";
  out << "  version " << run.version.substr(0, 12) << ", started by " << session.safe(run.who)
      << " at " << short_time(run.created_at) << " UTC";
  if (!run.reason.sentence.empty()) out << " (" << session.safe(run.reason.sentence) << ")";
  out << "\n";
  if (!run.params.empty()) {
    out << "  parameters";
    for (const auto& [name, value] : run.params) {
      out << " " << session.safe(name + "=" + canonical(value));
    }
    out << "\n";
  }
  if (!run.end_reason.sentence.empty()) {
    out << "  " << session.safe(run.end_reason.sentence) << "\n";
  }
  for (const protocol::RunSpanInfo& span : detail.spans) {
    if (span.left_out.empty()) continue;
    out << "  without " << session.safe(span.source + "/" + span.span + ": " + span.left_out) << "\n";
  }
}

std::string metrics_text(const protocol::Step& step) {
  std::string text;
  for (const protocol::Metric& metric : step.metrics) {
    if (!metric.slice.empty()) continue;
    text += (text.empty() ? "" : " ") + metric.name + "=" + canonical(Value(metric.value));
  }
  return text;
}

}  // namespace

int run_show(Session& session) {
  int code = exit_done;
  if (session.arguments.has("wait")) {
    code = wait_for_run(session, protocol::percent_encode(session.arguments.text("RUN", "last")));
    if (code == exit_usage || code == exit_unreachable || code == exit_denied) return code;
  }
  const auto detail = session.get<protocol::RunDetail>(run_target(session));
  if (!detail) return session.fail(detail.error());
  session.show([&] {
    tell_head(session, *detail);
    Table table = session.table({{"STEP"}, {"STATE"}, {"TOOK", false, true}, {"TRIES", true, true},
                                 {"KEY", true}, {"METRICS", true}, {"WHY"}});
    for (const protocol::Step& step : detail->steps) {
      const bool ended = step.ended_at.ms != 0 && step.started_at.ms != 0;
      table.add({step_path(step.step, step.element), step.state,
                 ended ? spoken_duration(step.ended_at.ms - step.started_at.ms) : "-",
                 std::to_string(step.tries), step.key.substr(0, 12), metrics_text(step),
                 step.reason.sentence});
    }
    session.print(table);
    for (const std::string& sentence : detail->explanation) {
      session.terminal.out << session.safe(sentence) << "\n";
    }
    if (!detail->ways_on.empty()) {
      session.terminal.out << session.safe(spoken_ways(detail->ways_on)) << "\n";
    }
  });
  return code;
}

}  // namespace pipelined::cli
