#include <filesystem>
#include <fstream>
#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {
namespace {

namespace fs = std::filesystem;

// Delivered files, a step for each of them, one over all, a parameter and another environment: small,
// but every part of a real pipeline.  Two months lie beside it, so that it runs at once.
constexpr const char* pipeline_file = R"toml(# Counts the words of every month's file and tells the most frequent ones.
#   pipectl check .             what is wrong with this file
#   pipectl apply .             puts it in force; the files in incoming/ are taken at once
#   pipectl show --wait         what the run did that they started
#   pipectl run NAME --wait     once more: nothing is run again
#   pipectl explain last top    why
name = "NAME"

[params]
words = 3

[source.texts]                      # a file a month
path   = "incoming/{YYYY}-{MM}.txt"
settle = "1s"

[[trigger]]
arrival  = ["texts"]
coalesce = "1s"

[step.count]                        # once a month; again only if that month or the script changes
foreach     = "source.texts"
operator    = "command.run"
in.text     = "each"
in.script   = { file = "count.sh" }
out.counts  = "files/1"
params.argv = ["sh", "{in.script}", "{in.text}", "{out.counts}"]

[step.top]                          # over all months
operator    = "command.run"
in.counts   = "count"
in.script   = { file = "top.sh" }
out.list    = "files/1"
params.argv = ["sh", "{in.script}", "-n${words}", "{out.list}", "{in.counts}"]

# `pipectl apply . --env prod` puts this in the place of what stands above.
[environment.prod]
name         = "NAME-prod"
params.words = 10
)toml";

constexpr const char* count_script = R"(# count.sh TEXT COUNTS: how often each word stands in the text
tr -cs 'A-Za-z' '\n' < "$1" | sort | uniq -c > "$2"
)";

constexpr const char* top_script = R"(# top.sh -nNUMBER LIST COUNTS...: the most frequent words of all counts
number=$1 list=$2
shift 2
cat "$@" | awk '{ n[$2] += $1 } END { for (w in n) print n[w], w }' |
  sort -k1,1nr -k2 | head "$number" > "$list"
)";

constexpr const char* january = "the quick brown fox jumps over the lazy dog\n";
constexpr const char* february = "the dog sleeps and the fox runs\n";

/// The folder's name as far as it can be the name of a pipeline.
std::string name_from(const fs::path& folder) {
  std::string name;
  for (const char c : folder.filename().string()) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool letter = low >= 'a' && low <= 'z';
    const bool later = (low >= '0' && low <= '9') || low == '_' || low == '-';
    if (letter || (later && !name.empty())) name += low;
  }
  return name.empty() ? "starter" : name.substr(0, 48);
}

}  // namespace

int run_init(Session& session) {
  std::error_code error;
  const fs::path folder =
      fs::weakly_canonical(fs::absolute(session.arguments.text("FOLDER", "."), error), error);
  if (fs::exists(folder / "pipeline.toml", error)) {
    return session.fail({ErrorCode::conflict, (folder / "pipeline.toml").string() +
                                                  " is there already; nothing was written"});
  }
  fs::create_directories(folder / "incoming", error);
  std::string pipeline = pipeline_file;
  const std::string name = name_from(folder);
  for (std::size_t at = pipeline.find("NAME"); at != std::string::npos;
       at = pipeline.find("NAME", at)) {
    pipeline.replace(at, 4, name);
  }
  const std::pair<const char*, std::string> files[] = {{"pipeline.toml", pipeline},
                                                       {"count.sh", count_script},
                                                       {"top.sh", top_script},
                                                       {"incoming/2024-01.txt", january},
                                                       {"incoming/2024-02.txt", february}};
  for (const auto& [file, text] : files) {
    const fs::path path = folder / file;
    if (fs::exists(path, error)) continue;  // somebody's own
    std::ofstream out(path);
    out << text;
    out.close();
    if (!out) return session.fail({ErrorCode::io, "cannot write " + path.string()});
    session.terminal.out << session.safe(path.string()) << "\n";
  }
  session.say("Go on with: pipectl apply " + folder.string());
  return exit_done;
}

}  // namespace pipelined::cli
