// Runs single attempts through a real executor, a real host and real processes.
//
// The test process adopts orphans, so that whoever escapes from a host is found below it.
#pragma once

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/exec/local.h"
#include "tests/host/test_group.h"

namespace pipelined::testing {

namespace fs = std::filesystem;

inline std::string read_text(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Whether the process calls itself so.
inline bool named(int pid, const std::string& name) {
  return read_text("/proc/" + std::to_string(pid) + "/comm") == name + "\n";
}

/// Every living process below `pid`, itself not counted; zombies do not live.  `spares`: the processes
/// that hosts keep ready, and only those.
inline std::vector<int> living_below(int pid, bool spares = false) {
  std::vector<int> found, todo{pid};
  while (!todo.empty()) {
    const std::string tasks = "/proc/" + std::to_string(todo.back()) + "/task";
    todo.pop_back();
    std::error_code error;
    for (const auto& task : fs::directory_iterator(tasks, error)) {
      std::istringstream children(read_text(task.path() / "children"));
      for (int child = 0; children >> child;) {
        const std::string status = read_text("/proc/" + std::to_string(child) + "/status");
        // A host keeps one process ready that is no attempt.
        const bool spare = status.starts_with("Name:\tpipelined-spare\n");
        const bool dead = status.find("State:\tZ") != std::string::npos || status.empty();
        if (!dead && spare == spares) found.push_back(child);
        todo.push_back(child);
      }
    }
  }
  return found;
}

/// The kill units that can be tried on this machine.
inline std::vector<std::string> kill_units() {
  std::vector<std::string> found{"pid_namespace", "subreaper"};
  if (TestGroup().possible()) found.insert(found.begin(), "cgroup");
  return found;
}

class WorkerHarness {
 public:
  explicit WorkerHarness(std::string kill_unit = "", const std::string& worker = WORKER_PATH,
                         const std::string& plugin = HOSTILE_PLUGIN_PATH) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    std::string pattern = (fs::temp_directory_path() / "worker_test_XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    // Control groups only for those who ask for them, so that the other units are tried alone.
    if (kill_unit == "cgroup") use_group(std::make_unique<TestGroup>());
    options.worker = worker;
    options.kill_unit = std::move(kill_unit);
    options.plugin_path = [plugin](const std::string& name) {
      return name == "hostile" ? std::optional(plugin) : std::nullopt;
    };
  }
  ~WorkerHarness() {
    executor_.reset();
    std::error_code ignored;
    fs::remove_all(root_, ignored);
  }

  /// Gives attempts control groups below a folder that may be used here.
  void use_group(std::unique_ptr<TestGroup> group) {
    group_ = std::move(group);
    if (group_->possible()) use_group(group_->path());
  }
  void use_group(const std::string& folder) {
    cgroups_ = Cgroups::enter(folder);
    options.cgroups = &cgroups_;
  }
  const Cgroups& cgroups() const { return cgroups_; }

  /// Made at the first use, so that `options` can be changed before.
  LocalExecutor& executor() {
    if (!executor_) {
      executor_ = std::make_unique<LocalExecutor>(loop, options);
      executor_->on_ended = [this](AttemptReport report) { reports.push_back(std::move(report)); };
      executor_->on_progress = [this](const std::string&, std::int64_t done, std::int64_t) {
        progress.push_back(done);
      };
    }
    return *executor_;
  }
  void destroy_executor() { executor_.reset(); }

  /// A plan for the hostile operator.
  AttemptPlan plan(const std::string& what, ValueTable params = {}) {
    AttemptPlan made = empty_plan();
    made.start.operator_id = "hostile.act";
    made.start.plugin = "hostile";
    made.start.params = std::move(params);
    made.start.params["what"] = what;
    return made;
  }
  /// A plan for a command.
  AttemptPlan command(ValueList argv, ValueTable params = {}) {
    AttemptPlan made = empty_plan();
    made.start.operator_id = "command.run";
    made.start.params = std::move(params);
    made.start.params["argv"] = std::move(argv);
    return made;
  }
  AttemptPlan shell(const std::string& script) { return command({"sh", "-c", script}); }

  /// Adds an input artifact of the given files.
  void add_input(AttemptPlan& plan, const std::string& port,
                 const std::vector<std::pair<std::string, std::string>>& files) {
    const fs::path tree = root_ / ("tree" + std::to_string(++trees_));
    fs::create_directories(tree);
    for (const auto& [name, content] : files) std::ofstream(tree / name) << content;
    if (plan.start.inputs.empty() || plan.start.inputs.back().port != port) {
      plan.start.inputs.push_back({port, "files/1", {}});
      plan.inputs.emplace_back();
    }
    plan.start.inputs.back().artifacts.push_back({sha256(tree.string()), "files/1", 1});
    plan.inputs.back().push_back(tree.string());
  }
  void add_output(AttemptPlan& plan, const std::string& port) {
    OutputSpec output;
    output.port = port;
    output.type = "files/1";
    plan.start.outputs.push_back(output);
  }

  /// Runs the loop until `done` holds or the time is up; whether it holds.
  bool run_until(const std::function<bool()>& done, int timeout_ms = 180'000) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (std::chrono::steady_clock::now() < end) {
      if (done()) return true;
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(20));
    }
    return done();
  }
  /// Starts the plan and returns its report.
  AttemptReport run(AttemptPlan made) {
    const std::size_t before = reports.size();
    executor().start(std::move(made));
    if (run_until([&] { return reports.size() > before; })) return reports.back();
    AttemptReport none;
    none.error = "no report within the time";
    return none;
  }
  /// Waits until something the attempt does shows up.
  bool wait_for_file(const fs::path& path) {
    return run_until([&] { return fs::exists(path); });
  }
  /// Processes below this one beyond guardian and host of each host.
  std::size_t survivors() {
    const auto expected = 2 * executor().host_pids().size();
    std::size_t living = 0;
    run_until([&] { return (living = living_below(::getpid()).size()) <= expected; }, 3000);
    return living > expected ? living - expected : 0;
  }
  fs::path folder(const AttemptPlan& made) const { return made.folder; }
  const fs::path& root() const { return root_; }

  boost::asio::io_context loop;
  LocalOptions options;
  std::vector<AttemptReport> reports;
  std::vector<std::int64_t> progress;

 private:
  AttemptPlan empty_plan() {
    AttemptPlan made;
    made.start.attempt = "attempt" + std::to_string(++attempts_);
    made.start.fence = "fence" + std::to_string(attempts_);
    made.folder = (root_ / made.start.attempt).string();
    fs::create_directories(made.folder);
    return made;
  }

  fs::path root_;
  int attempts_ = 0, trees_ = 0;
  std::unique_ptr<TestGroup> group_;
  Cgroups cgroups_;
  std::unique_ptr<LocalExecutor> executor_;
};

}  // namespace pipelined::testing
