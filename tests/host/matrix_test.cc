// Every kind of hostile operator on every kill unit, within the walls of an older kernel and of this
// one.  After each: no process is left, nothing outside was written, the daemon has not grown.
// Here each is tried once and small; [long] (hidden) tries all ten times and at full size.
#include <signal.h>

#include <algorithm>

#include <catch2/catch.hpp>

#include "operators/host/sandbox.h"
#include "tests/host/ordinary_user.h"
#include "tests/host/worker_harness.h"

using namespace pipelined;
namespace fs = std::filesystem;
using pipelined::testing::WorkerHarness;
using pipelined::testing::as_ordinary_user;
using pipelined::testing::kill_units;
using pipelined::testing::living_below;
using pipelined::testing::read_text;
using Catch::Matchers::Contains;

namespace {

constexpr std::int64_t mebi = 1 << 20;

/// One thing that an operator must not do, and what is to be said of it.
struct Deed {
  std::string what;
  std::string said;            ///< part of the sentence; empty: it succeeds
  std::string failure_class;   ///< of its end
  ValueTable params;
  std::int64_t memory_bytes = 0, scratch_bytes = 0;
  bool killed = false;         ///< it does not end by itself
};

std::vector<Deed> endings() {
  return {{"exit", "exit status 42", "exit", {}, 0, 0, false},
          {"segv", "SIGSEGV", "crash", {}, 0, 0, false},
          {"raise", "SIGSEGV", "crash", {}, 0, 0, false},
          {"abort", "SIGABRT", "crash", {}, 0, 0, false},
          {"throw", "thrown by the operator", "", {}, 0, 0, false},
          {"hang", "killed after", "killed", {}, 0, 0, true},
          {"ignore", "killed after", "killed", {}, 0, 0, true},
          {"sleep", "killed after", "killed", {}, 0, 0, true},
          {"daemon", "", "", {}, 0, 0, false},
          {"daemon and hang", "killed after", "killed", {}, 0, 0, true}};
}

std::vector<Deed> hoards(bool full_size) {
  const std::int64_t printed = full_size ? 1 << 20 : 1 << 15;
  const std::int64_t files = full_size ? 1'000'000 : 4'000;
  return {{"print", "", "", {{"kilobytes", printed}}, 0, 0, false},
          {"memory", "out of memory (limit 64 MiB, peak ", "out_of_memory", {}, 64 * mebi, 0, false},
          {"memory", "out of memory (limit 64 MiB, peak ", "out_of_memory",
           {{"piece", std::int64_t{1} << 32}}, 64 * mebi, 0, false},
          {"files", "no more files after", "", {}, 0, 0, false},
          {"many files", "killed: it had made more than 2000 files", "scratch",
           {{"count", files}, {"slowly", true}}, 0, 0, false},
          {"fill", "out of scratch space (limit 8 MiB, written ", "scratch",
           {{"kilobytes", 32 << 10}, {"slowly", true}}, 0, 8 * mebi, false},
          {"fill", "out of scratch space (limit 8 MiB, written ", "scratch",
           {{"kilobytes", 32 << 10}}, 0, 8 * mebi, false},
          {"fill one", "out of scratch space (limit 8 MiB, ", "scratch",
           {{"kilobytes", 32 << 10}}, 0, 8 * mebi, false}};
}

std::vector<Deed> lies(const AttemptPlan& plan) {
  const ValueTable own{{"attempt", plan.start.attempt}, {"fence", plan.start.fence}};
  return {{"lie", "a report that is not its own", "crash", {}, 0, 0, false},
          {"garbage", "no report", "crash", {}, 0, 0, false},
          {"twice", "a report that is not its own", "crash", own, 0, 0, false},
          {"old fence", "a report that is not its own", "crash", own, 0, 0, false},
          {"huge message", "no report", "crash", {}, 0, 0, false},
          {"huge notes", "", "", {}, 0, 0, false},
          {"many outputs", "", "", {{"count", 1500}}, 0, 0, false},
          {"close", "without a report", "exit", {}, 0, 0, false},
          {"close and hang", "closed its channel", "killed", {}, 0, 0, false}};
}

std::vector<Deed> escapes(const fs::path& outside) {
  const ValueTable path{{"path", outside.string()}};
  return {{"write", "Permission denied", "", path, 0, 0, false},
          {"truncate", "Permission denied", "", path, 0, 0, false},
          {"read", "Permission denied", "", path, 0, 0, false},
          {"ptrace", "ptrace", "", {}, 0, 0, false},
          {"unshare", "unshare", "", {}, 0, 0, false},
          {"connect", "open a socket", "", {{"pid", 9}}, 0, 0, false},
          {"unix socket", "open a socket", "", {}, 0, 0, false},
          {"affinity", "take a processor", "", {}, 0, 0, false},
          {"symlink", "make a symlink", "", {}, 0, 0, false},
          {"hard link", "make a hard link", "", path, 0, 0, false},
          {"device", "make a device", "", {}, 0, 0, false},
          {"pipe", "make a pipe", "", {}, 0, 0, false},
          {"link log", "link", "", {}, 0, 0, false}};
}

std::int64_t memory_of_this_process() {
  std::istringstream fields(read_text("/proc/self/statm"));
  std::int64_t size = 0, resident = 0;
  fields >> size >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

/// Everything in the test's folder but the attempts' own.
std::vector<std::string> outside_of_attempts(const fs::path& root) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (!entry.path().filename().string().starts_with("attempt")) {
      found.push_back(entry.path().filename().string() + "=" + read_text(entry.path()));
    }
  }
  return found;
}

class Matrix {
 public:
  Matrix(const std::string& kill_unit, int landlock_abi) : worker_(kill_unit) {
    worker_.options.extra_words = {"--files", "2000"};
    if (landlock_abi > 0) {
      worker_.options.extra_words.insert(worker_.options.extra_words.end(),
                                         {"--landlock-abi", std::to_string(landlock_abi)});
    }
    std::ofstream(outside()) << "precious";
  }

  void run_all(bool full_size) {
    for (const Deed& deed : endings()) run(deed);
    for (const Deed& deed : hoards(full_size)) run(deed);
    for (std::size_t i = 0; i < lies(worker_.plan("nothing")).size(); ++i) {
      AttemptPlan plan = worker_.plan("nothing");
      run(lies(plan)[i], std::move(plan));
    }
    for (const Deed& deed : escapes(outside())) run(deed);
    CHECK(outside_of_attempts(worker_.root()) ==
          std::vector<std::string>{outside().filename().string() + "=precious"});
  }

  void run(const Deed& deed) { run(deed, worker_.plan("nothing")); }
  void run(const Deed& deed, AttemptPlan plan) {
    INFO(deed.what << " on " << worker_.options.kill_unit);
    plan.start.params = deed.params;
    plan.start.params["what"] = deed.what;
    plan.start.memory_bytes = deed.memory_bytes;
    plan.start.scratch_bytes = deed.scratch_bytes;
    worker_.add_output(plan, "report");
    const AttemptReport report = deed.killed ? run_and_kill(plan) : worker_.run(plan);
    CHECK_THAT(report.error, Contains(deed.said));
    CHECK((report.outcome == Outcome::ok) == deed.said.empty());
    CHECK(report.failure_class == deed.failure_class);
    CHECK_FALSE(report.lost);
    CHECK(worker_.survivors() == 0);
    CHECK(fs::symlink_status(worker_.folder(plan) / "log").type() != fs::file_type::symlink);
    fs::remove_all(plan.folder);
  }

  WorkerHarness& worker() { return worker_; }

 private:
  fs::path outside() const { return worker_.root() / "outside"; }

  AttemptReport run_and_kill(const AttemptPlan& plan) {
    const std::size_t before = worker_.reports.size();
    const std::size_t idle = 2 * worker_.executor().host_pids().size();
    worker_.executor().start(plan);
    worker_.run_until([&] { return living_below(::getpid()).size() > std::max<std::size_t>(idle, 2); });
    worker_.executor().kill(plan.start.attempt, 20, "");
    worker_.run_until([&] { return worker_.reports.size() > before; });
    return worker_.reports.size() > before ? worker_.reports.back() : AttemptReport{};
  }

  WorkerHarness worker_;
};

/// Median time of a small attempt from start to report, in milliseconds.
double small_attempt_ms(WorkerHarness& worker, int count) {
  std::vector<double> times;
  for (int i = 0; i < count; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    AttemptPlan plan = worker.plan("nothing");
    const std::string attempt = plan.start.attempt;
    worker.executor().start(plan);
    worker.run_until([&] {
      return std::any_of(worker.reports.begin(), worker.reports.end(),
                         [&](const AttemptReport& report) { return report.attempt == attempt; });
    });
    times.push_back(std::chrono::duration<double, std::milli>(
        std::chrono::steady_clock::now() - begin).count());
    fs::remove_all(plan.folder);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

}  // namespace

TEST_CASE("matrix: hostile operators on every kill unit within the walls of Landlock ABI 2",
          "[host][matrix][plain]") {
  if (kill_units().size() < 3) WARN("cgroup v2: not possible here");
  const std::string unit = GENERATE(from_range(kill_units()));
  Matrix matrix(unit, 2);
  matrix.run({"nothing", "", "", {}, 0, 0, false});
  const std::int64_t before = memory_of_this_process();
  matrix.run_all(false);
  CHECK(memory_of_this_process() - before <= 10 * mebi);
}

TEST_CASE("matrix: hostile operators on every kill unit within the walls of this kernel",
          "[host][matrix][plain]") {
  Matrix matrix(GENERATE(from_range(kill_units())), 0);
  matrix.run_all(false);
}

TEST_CASE("matrix: a fork bomb of an ordinary user dies on every kill unit", "[host][matrix]") {
  const std::string unit = GENERATE(from_range(kill_units()));
  as_ordinary_user([&](WorkerHarness& worker) {
    worker.options.kill_unit = unit;
    const AttemptPlan plan = worker.plan("bomb");
    worker.executor().start(plan);
    worker.run_until([] { return living_below(::getpid()).size() > 40; }, 5000);
    const std::size_t most = living_below(::getpid()).size();
    worker.executor().kill(plan.start.attempt, 0, "");
    worker.run_until([&] { return !worker.reports.empty(); });
    return most > 40 && most <= 64 && worker.reports.size() == 1 && worker.survivors() == 0;
  });
}

TEST_CASE("matrix: an attempt cannot end the daemon where the machine can prevent it",
          "[host][matrix]") {
  // Before Landlock ABI 6 only a PID namespace hides other processes; `pipectl doctor` says so.
  const auto [unit, abi] = GENERATE(table<std::string, int>(
      {{"pid_namespace", 2}, {"pid_namespace", 0}, {"subreaper", 0}}));
  if (unit == "subreaper" && host::landlock_abi() < 6) {
    WARN("signals without a PID namespace: not possible to close here");
    return;
  }
  Matrix matrix(unit, abi);
  const ValueTable daemon{{"pid", static_cast<std::int64_t>(::getpid())}};
  matrix.run({"kill", "kill: ", "", daemon, 0, 0, false});
}

TEST_CASE("matrix: everything ten times and at full size, with the neighbours' time",
          "[.][long][host]") {
  const std::string unit = GENERATE(from_range(kill_units()));
  const int abi = GENERATE(2, 0);
  Matrix matrix(unit, abi);
  matrix.run({"nothing", "", "", {}, 0, 0, false});
  const double alone = small_attempt_ms(matrix.worker(), 50);
  const std::int64_t before = memory_of_this_process();
  for (int round = 0; round < 10; ++round) matrix.run_all(round == 0);
  CHECK(memory_of_this_process() - before <= 10 * mebi);
  for (const char* what : {"hang", "print", "memory", "daemon and hang"}) {
    AttemptPlan plan = matrix.worker().plan(what, {{"kilobytes", 1 << 22}});
    plan.start.memory_bytes = what == std::string("memory") ? 256 * mebi : 0;
    matrix.worker().executor().start(plan);
    const double beside = small_attempt_ms(matrix.worker(), 50);
    INFO(what << ": " << beside << " ms beside it, " << alone << " ms alone");
    CHECK(beside <= 2 * alone);
    matrix.worker().executor().kill(plan.start.attempt, 0, "");
    CHECK(matrix.worker().survivors() == 0);
  }
}
