#include <charconv>
#include <ostream>

#include "cli/bundle_files.h"
#include "cli/commands/commands.h"
#include "cli/findings.h"
#include "cli/run_request.h"
#include "dag/run_state.h"

namespace pipelined::cli {
namespace {

/// "1%", "0.5%" or "0.01" as a share.
Result<double> share_of(std::string text) {
  if (text.empty()) return 0.0;
  const std::string given = text;
  double divisor = 1;
  if (text.back() == '%') text.pop_back(), divisor = 100;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  number /= divisor;
  if (error != std::errc() || end != text.data() + text.size() || !(number > 0) || number > 1) {
    return Error{ErrorCode::invalid, "--sample takes a share such as 1%, not '" + given + "'"};
  }
  return number;
}

void tell(Session& session, const protocol::TryReply& reply) {
  std::ostream& out = session.terminal.out;
  const std::string name = step_path(reply.step, reply.element);
  if (reply.from_run != 0) {
    out << session.safe(name) << " would be reused: same inputs as run " << reply.from_run
        << ", where it took " << spoken_duration(reply.took_ms) << "\n";
  } else {
    out << session.safe(name) << " ended " << session.safe(reply.outcome) << " after "
        << spoken_duration(reply.took_ms) << ", " << spoken_duration(reply.cpu_ms)
        << " of a processor, at most " << spoken_size(reply.memory_peak_bytes) << " of memory\n";
  }
  if (!reply.error.empty()) out << "  " << session.safe(reply.error) << "\n";
  for (const protocol::Metric& metric : reply.metrics) {
    if (!metric.slice.empty()) continue;
    out << "  " << session.safe(metric.name) << " = " << canonical(Value(metric.value)) << "\n";
  }
  for (const protocol::TriedFile& file : reply.outputs) {
    out << "  " << session.safe(file.port) << ": " << session.safe(file.path) << ", "
        << spoken_size(file.size) << "\n";
    if (!file.text.empty()) out << session.safe(file.text);
    if (!file.text.empty() && file.text.back() != '\n') out << "\n";
  }
  if (!reply.log.empty()) session.say("It printed:\n" + reply.log);
}

}  // namespace

int run_try(Session& session) {
  const std::string step = session.arguments.text("step");
  if (step.empty()) {
    return session.fail({ErrorCode::invalid, "try needs the step to try: --step STEP"});
  }
  const auto share = share_of(session.arguments.text("sample"));
  if (!share) return session.fail(share.error());
  const auto options = run_request_of(session);
  if (!options) return session.fail(options.error());
  auto bundle = read_bundle(session.arguments.text("FILE"), session.arguments.text("env"));
  if (!bundle) return session.fail(bundle.error());
  if (!bundle->spec) return show_findings(session, bundle->problems, bundle->file);
  protocol::TryRequest request;
  request.folder = bundle->folder, request.file = bundle->file;
  for (const auto& [name, content] : bundle->files) {
    if (protocol::is_utf8(content)) request.files[name] = content;
    else request.binary[name] = protocol::base64_encode(content);
  }
  const StepName name = parse_step_name(step);
  request.step = name.step, request.element = name.element;
  request.sample = *share, request.params = options->params;
  const auto reply =
      session.ask<protocol::TryReply>("POST", "/api/v1/try", protocol::to_json(request));
  if (!reply) return session.fail(reply.error());
  if (!reply->ok) return show_findings(session, diagnostics_of(reply->findings), bundle->file);
  session.show([&] { tell(session, *reply); });
  if (reply->outcome == "ok") return exit_done;
  return reply->outcome == "halt" ? exit_halted : exit_failed;
}

}  // namespace pipelined::cli
