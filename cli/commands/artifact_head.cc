#include <charconv>
#include <ostream>

#include "cli/artifact_name.h"
#include "cli/artifact_table.h"
#include "cli/commands/commands.h"

namespace pipelined::cli {
namespace {

/// The first lines of one file; nothing of a file that is no text.
Result<void> head(Session& session, const std::string& artifact, const std::string& path,
                  int lines) {
  std::string text;
  int seen = 0;
  TRY_VOID(session.client().stream(
      "/api/v1/artifacts/" + artifact + "/file" + query_of({{"path", path}}),
      [&](std::string_view piece) {
        for (const char c : piece) {
          text += c;
          if (c == '\n' && ++seen >= lines) return false;
        }
        return text.size() < (std::size_t{1} << 20);
      }));
  if (text.find('\0') != std::string::npos || !protocol::is_utf8(text)) {
    session.say(path + " is no text; `pipectl artifact export` writes it out");
    return {};
  }
  session.terminal.out << session.safe(text);
  if (!text.empty() && text.back() != '\n') session.terminal.out << "\n";
  return {};
}

}  // namespace

int run_artifact_head(Session& session) {
  const std::string wanted = session.arguments.text("lines", "10");
  int lines = 0;
  const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), lines);
  if (error != std::errc() || end != wanted.data() + wanted.size() || lines < 1) {
    return session.fail({ErrorCode::invalid, "--lines takes a whole number, not '" + wanted + "'"});
  }
  const auto artifact = find_artifact(session);
  if (!artifact) return session.fail(artifact.error());
  if (artifact->type == "examples/1" && !session.arguments.has("file")) {
    return print_query(session, artifact->digest, "SELECT * FROM data LIMIT " + wanted, lines);
  }
  const std::string only = session.arguments.text("file");
  bool found = false;
  for (const protocol::FileInfo& file : artifact->files) {
    if (!only.empty() && file.path != only) continue;
    found = true;
    if (only.empty() && artifact->files.size() > 1) session.say("==> " + file.path + " <==");
    const auto shown = head(session, artifact->digest, file.path, lines);
    if (!shown) return session.fail(shown.error());
  }
  if (!found) return session.fail({ErrorCode::not_found, "the artifact has no file '" + only + "'"});
  return exit_done;
}

}  // namespace pipelined::cli
