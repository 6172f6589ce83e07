// Attempts a second through a host, without daemon, store or engine: the price of an attempt alone.
//
//   worker_bench WORKER PLUGIN|- OPERATOR [COUNT [PARALLEL]]
//
// `-` is the built-in operators.  Prints one line of JSON.
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "daemon/exec/local.h"

int main(int argc, char** argv) {
  using namespace pipelined;
  if (argc < 4) {
    std::cerr << "usage: worker_bench WORKER PLUGIN|- OPERATOR [COUNT [PARALLEL]]\n";
    return 2;
  }
  const std::string worker = argv[1], plugin = argv[2], operator_id = argv[3];
  const int count = argc > 4 ? std::atoi(argv[4]) : 10'000;
  const int parallel = argc > 5 ? std::atoi(argv[5]) : 4;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("worker_bench_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);

  boost::asio::io_context loop;
  LocalOptions options;
  options.worker = worker;
  options.plugin_path = [&](const std::string&) { return plugin; };
  int failed = 0, started = 0, ended = 0;
  {
    LocalExecutor executor(loop, options);
    const auto start_next = [&] {
      AttemptPlan plan;
      plan.start.attempt = "attempt-" + std::to_string(started++);
      plan.start.fence = "fence";
      plan.start.operator_id = operator_id;
      plan.start.plugin = plugin == "-" ? "" : "bench";
      if (plugin == "-") plan.start.params["argv"] = ValueList{Value("true")};
      plan.folder = (folder / plan.start.attempt).string();
      std::filesystem::create_directories(plan.folder);
      executor.start(std::move(plan));
    };
    executor.on_ended = [&](const AttemptReport& report) {
      if (report.outcome != Outcome::ok && failed++ == 0) std::cerr << report.error << '\n';
      ++ended;
      if (started < count) start_next();
      if (ended == count) loop.stop();
    };
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < parallel && i < count; ++i) start_next();
    loop.run();
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::cout << "{\"area\":\"worker\",\"name\":\"attempts of " << operator_id << " at " << parallel
              << " in parallel\",\"value\":" << count / seconds
              << ",\"unit\":\"1/s\",\"failed\":" << failed << "}\n";
  }
  std::filesystem::remove_all(folder);
  return failed == 0 ? 0 : 1;
}
