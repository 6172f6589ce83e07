// pipelined-worker: the program that runs operators for the daemon.
//
//   pipelined-worker host PLUGIN.so | --builtin   serves attempts over descriptor 3
//   pipelined-worker describe PLUGIN.so | --builtin   prints what the plugin declares, as JSON
//   pipelined-worker run PLUGIN.so OPERATOR …     one attempt without a daemon
//   pipelined-worker probe                        prints what this machine gives to attempts
//
// Only the words of the command line are looked at here.
#include <iostream>
#include <string>
#include <vector>

#include "operators/host/describe.h"
#include "operators/host/host_command.h"
#include "operators/host/run_alone.h"

#if defined(__SANITIZE_ADDRESS__)
// The search for leaks traces its own process, which the walls of an attempt forbid; whatever an
// attempt leaves ends with its process.
extern "C" [[gnu::visibility("default")]] const char* __asan_default_options() {
  return "detect_leaks=0";
}
#endif

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string verb = words.empty() ? "" : words.front();
  if (verb == "host") {
    const auto options = pipelined::host::parse_host_words({words.begin() + 1, words.end()});
    if (options) return pipelined::host::run_host(*options);
    std::cerr << "pipelined-worker host: " << options.error().message << '\n';
    return 2;
  }
  if (verb == "run") {
    const auto options = pipelined::host::parse_run_words({words.begin() + 1, words.end()});
    if (options) return pipelined::host::run_alone(*options);
    std::cerr << "pipelined-worker run: " << options.error().message << '\n';
    return 2;
  }
  if (verb == "describe" && words.size() == 2) return pipelined::host::describe(words[1]);
  if (verb == "probe" && words.size() == 1) {
    std::cout << pipelined::host::probe_json() << '\n';
    return 0;
  }
  std::cerr << "usage: pipelined-worker host PLUGIN.so|--builtin [OPTION...]\n"
               "       pipelined-worker describe PLUGIN.so|--builtin\n"
               "       pipelined-worker run PLUGIN.so|--builtin OPERATOR [--params JSON]\n"
               "                        [--input PORT=TYPE:FOLDER]... [--output PORT=TYPE:FOLDER]...\n"
               "                        [--cpus N] [--memory BYTES] [--seed N] [--quiet] [OPTION...]\n"
               "       pipelined-worker probe\n"
               "options of host and run: --kill-unit pid_namespace|cgroup|subreaper, --cgroup FOLDER,\n"
               "          --allow-unsandboxed, --landlock-abi N, --fresh, --read PATH,\n"
               "          --log-bytes N, --processes N, --files N\n";
  return 2;
}
