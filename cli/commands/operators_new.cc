#include <filesystem>
#include <fstream>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/plugin_template.h"

namespace pipelined::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* build_file = R"(cmake_minimum_required(VERSION 3.25)
project(NAME LANGUAGES CXX)
find_package(pipelined 0.1 REQUIRED)
pipelined_add_plugin(NAME SOURCES plugin.cc)
)";

constexpr const char* pipeline_file = R"(# Tries the plugin: its operator counts the lines of the files that step `make` writes.
name = "NAME-try"

[step.make]
operator    = "command.run"
params.argv = ["/bin/sh", "-c", "mkdir \"$1\" && printf 'one\ntwo\n' > \"$1/lines.txt\"", "sh", "{out.files}"]
out.files   = "files/1"

[step.count]
operator         = "NAME.count"
in.files         = "make"
params.lines_min = 1
)";

constexpr const char* readme = R"(# NAME

A plugin for pipelined, to be changed into yours: `NAME.count` counts lines and may halt,
`NAME.long_work` goes on where a lost attempt stopped.

    cmake -B build -DCMAKE_PREFIX_PATH=SDK .    # SDK: where the component "sdk" was installed
    cmake --build build
    pipelined-worker describe build/NAME.so

Copy the library into a folder of plugins of the daemon, start the daemon again, and run
`pipectl apply pipeline.toml` and `pipectl run NAME-try --wait`.
)";

/// Letters, digits and underscores, a letter first: a plugin's name is the front of its operators'.
bool is_plugin_name(const std::string& name) {
  if (name.empty() || name.size() > 40 || name.front() < 'a' || name.front() > 'z') return false;
  return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

std::string with_name(std::string text, const std::string& word, const std::string& name) {
  for (std::size_t at = text.find(word); at != std::string::npos;
       at = text.find(word, at + name.size())) {
    text.replace(at, word.size(), name);
  }
  return text;
}

std::string source_of(const std::string& name) {
  std::string text = plugin_template;
  const std::string first = "// Counts lines and bytes of text files: change it into what you need.\n";
  text.replace(0, text.find('\n') + 1, first);  // the example's own introduction
  text = with_name(std::move(text), "\"example.", "\"" + name + ".");
  return with_name(std::move(text), "\"example\"", "\"" + name + "\"");
}

}  // namespace

int run_operators_new(Session& session) {
  const std::string name = session.arguments.text("NAME");
  if (!is_plugin_name(name)) {
    return session.fail({ErrorCode::invalid,
                         "'" + name + "' cannot be a plugin's name; it is made of small letters, "
                         "digits and underscores and begins with a letter"});
  }
  const fs::path folder = session.arguments.text("FOLDER", name);
  std::error_code error;
  if (fs::exists(fs::symlink_status(folder, error))) {
    return session.fail({ErrorCode::conflict,
                         folder.string() + " is there already; nothing was written"});
  }
  fs::create_directories(folder, error);
  const std::pair<const char*, std::string> files[] = {
      {"CMakeLists.txt", with_name(build_file, "NAME", name)},
      {"plugin.cc", source_of(name)},
      {"pipeline.toml", with_name(pipeline_file, "NAME", name)},
      {"README.md", with_name(readme, "NAME", name)}};
  for (const auto& [file, text] : files) {
    std::ofstream out(folder / file);
    out << text;
    out.close();
    if (!out) return session.fail({ErrorCode::io, "cannot write " + (folder / file).string()});
    session.terminal.out << session.safe((folder / file).string()) << "\n";
  }
  session.say("Go on as README.md says: build it, copy the library to the daemon's plugins");
  return exit_done;
}

}  // namespace pipelined::cli
