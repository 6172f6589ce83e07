#include <chrono>
#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {
namespace {

void tell(Session& session, const std::string& data) {
  if (session.format == Format::json) {
    session.terminal.out << data << std::endl;
    return;
  }
  const auto change = protocol::from_json<protocol::Change>(data);
  if (!change || change->kind.empty()) {
    session.say("this reader was too slow and has missed changes; `pipectl status` tells how things are");
    return;
  }
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch()).count();
  std::string line = short_time({now}) + "  " + change->kind + "  " + change->pipeline;
  if (change->run != 0) line += "  run " + std::to_string(change->run);
  if (!change->state.empty()) line += "  " + change->state;
  if (!change->sentence.empty()) line += "  " + change->sentence;
  session.terminal.out << session.safe(line) << std::endl;
}

}  // namespace

int run_watch(Session& session) {
  std::string waiting;
  const auto done = session.client().stream(
      "/api/v1/events" + query_of({{"pipeline", session.arguments.text("pipeline")}}),
      [&](std::string_view piece) {
        waiting += piece;
        for (std::size_t end = waiting.find('\n'); end != std::string::npos;
             end = waiting.find('\n')) {
          const std::string line = waiting.substr(0, end);
          waiting.erase(0, end + 1);
          if (line.substr(0, 6) == "data: ") tell(session, line.substr(6));
        }
        return static_cast<bool>(session.terminal.out);
      });
  if (!done) return session.fail(done.error());
  return exit_done;
}

}  // namespace pipelined::cli
