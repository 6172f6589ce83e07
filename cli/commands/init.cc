#include <filesystem>
#include <fstream>
#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {
namespace {

constexpr const char* starter = R"toml(# Two steps: the first makes a file, the second counts its lines.
#   pipectl apply .            puts this pipeline in force
#   pipectl run NAME --wait    runs it
#   pipectl show last          tells what it did
#   pipectl run NAME --wait    once more: nothing is run again
name = "NAME"

[params]
words = "alpha beta gamma"

[step.make]
operator    = "command.run"
params.argv = ["/bin/sh", "-c", "printf '%s\n' $WORDS > \"$1\"", "sh", "{out.list}"]
params.env  = { WORDS = "${words}" }
out.list    = "files/1"

[step.count]
operator    = "command.run"
in.list     = "make"
params.argv = ["/bin/sh", "-c", "wc -l < \"$1\" > \"$2\"", "sh", "{in.list}", "{out.lines}"]
out.lines   = "files/1"
)toml";

/// The folder's name as far as it can be the name of a pipeline.
std::string name_from(const std::filesystem::path& folder) {
  std::string name;
  for (const char c : folder.filename().string()) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool letter = low >= 'a' && low <= 'z';
    const bool later = (low >= '0' && low <= '9') || low == '_' || low == '-';
    if (letter || (later && !name.empty())) name += low;
  }
  return name.empty() ? "starter" : name.substr(0, 64);
}

}  // namespace

int run_init(Session& session) {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path folder =
      fs::weakly_canonical(fs::absolute(session.arguments.text("FOLDER", "."), error), error);
  fs::create_directories(folder, error);
  const fs::path file = folder / "pipeline.toml";
  if (fs::exists(file, error)) {
    return session.fail({ErrorCode::conflict, file.string() + " is there already; nothing was written"});
  }
  std::string text = starter;
  const std::string name = name_from(folder);
  for (std::size_t at = text.find("NAME"); at != std::string::npos; at = text.find("NAME", at)) {
    text.replace(at, 4, name);
  }
  std::ofstream out(file);
  out << text;
  out.close();
  if (!out) return session.fail({ErrorCode::io, "cannot write " + file.string()});
  session.terminal.out << session.safe(file.string()) << "\n";
  session.say("Go on with: pipectl apply " + file.string());
  return exit_done;
}

}  // namespace pipelined::cli
