#include "cli/artifact_name.h"

#include <algorithm>
#include <set>

#include "dag/nearest_name.h"

namespace pipelined::cli {
namespace {

/// The output that "validate/2013-12.examples" or "train" names in a run.
Result<std::string> digest_of_port(Session& session, const std::string& run,
                                   const std::string& place) {
  // A span may hold dots, a port cannot: the last one divides.
  const std::size_t dot = place.rfind('.');
  const auto ask = [&](const std::string& step_text) {
    const StepName name = parse_step_name(step_text);
    return session.get<protocol::Step>(
        "/api/v1/runs/" + protocol::percent_encode(run) + "/step" +
        query_of({{"step", name.step}, {"element", name.element}}));
  };
  auto step = ask(place.substr(0, dot));
  std::string port = dot == std::string::npos ? "" : place.substr(dot + 1);
  if (!step && dot != std::string::npos) {
    auto whole = ask(place);
    if (whole) step = std::move(whole), port.clear();
  }
  if (!step) return step.error();
  std::set<std::string> ports;
  for (const protocol::PortArtifact& output : step->outputs) ports.insert(output.port);
  if (port.empty() && ports.size() == 1) port = *ports.begin();
  for (const protocol::PortArtifact& output : step->outputs) {
    if (output.port == port) return output.digest;
  }
  const std::vector<std::string> known(ports.begin(), ports.end());
  if (known.empty()) {
    return Error{ErrorCode::not_found, "step " + place.substr(0, dot) + " of run " + run +
                                           " has no outputs; it is " + step->state};
  }
  return Error{ErrorCode::not_found, "'" + place + "' names no output; the ports of the step are " +
                                         spoken_list(known) + did_you_mean(port, known)};
}

}  // namespace

Result<protocol::ArtifactDetail> find_artifact(Session& session) {
  std::string digest = session.arguments.text("ARTIFACT");
  const std::string place = session.arguments.text("STEP.PORT");
  if (!place.empty()) {
    TRY(found, digest_of_port(session, digest, place));
    digest = std::move(found);
  }
  return session.get<protocol::ArtifactDetail>("/api/v1/artifacts/" +
                                               protocol::percent_encode(digest));
}

}  // namespace pipelined::cli
