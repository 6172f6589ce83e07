#include "operators/host/describe.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <string_view>

#include "operators/descriptor.h"
#include "operators/host/loader.h"
#include "operators/host/sandbox.h"
#include "operators/host/unique_fd.h"
#include "operators/value_json.h"

namespace pipelined::host {
namespace {

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(descriptor, text.data(), text.size());
    if (size < 0 && errno != EINTR) return false;
    if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

// Constructors of a plugin may read, since libraries find their companions anywhere, but neither
// write nor connect.  Where there are no walls to be had, attempts are refused and say so; a
// description is still better than none.
Result<void> wall_in() {
  SandboxOptions options;
  options.allow_unsandboxed = true;
  options.readable = {"/"};
  TRY_VOID(forbid_new_privileges());
  TRY(sandbox, Sandbox::prepare(options));
  return sandbox.enter({});
}

Result<PluginInfo> info_of(const std::string& word) {
  if (word == "--builtin") {
    PluginInfo builtin;
    builtin.id = "builtin";
    builtin.operators = builtin_operators();
    return builtin;
  }
  TRY(plugin, LoadedPlugin::load(word));
  return plugin.info();
}

}  // namespace

int describe(const std::string& word) {
  // A library that prints while it loads must not spoil the JSON.
  const UniqueFd answer(::dup(STDOUT_FILENO));
  if (!answer || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    std::perror("cannot describe a plugin: no descriptor for the answer");
    return 1;
  }
  if (Result<void> walled = wall_in(); !walled) {
    std::fprintf(stderr, "%s\n", walled.error().message.c_str());
    return 1;
  }
  const Result<PluginInfo> info = info_of(word);
  if (!info) {
    std::fprintf(stderr, "%s\n", info.error().message.c_str());
    return 1;
  }
  if (write_all(answer.get(), json_text(to_value(*info)) + "\n")) return 0;
  std::perror("cannot write the description");
  return 1;
}

}  // namespace pipelined::host
