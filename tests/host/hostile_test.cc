// Operators that crash, hang, lie, hoard and break out; every one leaves a sentence and no process.
// Tagged [plain] is what a sanitizer in the worker would see first: its signals and its memory.
#include <catch2/catch.hpp>

#include "tests/host/ordinary_user.h"
#include "tests/host/worker_harness.h"

using namespace pipelined;
namespace fs = std::filesystem;
using pipelined::testing::WorkerHarness;
using pipelined::testing::as_ordinary_user;
using pipelined::testing::kill_units;
using pipelined::testing::living_below;
using pipelined::testing::named;
using pipelined::testing::read_text;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

std::string any_kill_unit() { return GENERATE(from_range(kill_units())); }

}  // namespace

TEST_CASE("worker: a well-behaved operator succeeds and reports what it made", "[host]") {
  WorkerHarness worker(any_kill_unit());
  AttemptPlan plan = worker.plan("output");
  worker.add_output(plan, "report");
  const AttemptReport report = worker.run(plan);
  CHECK(report.error == "");
  CHECK(report.outcome == Outcome::ok);
  CHECK(report.fence == plan.start.fence);
  CHECK(report.outputs == std::vector<std::string>{"report"});
  CHECK(read_text(worker.folder(plan) / "out/report/report.txt") == "made");
  CHECK_FALSE(fs::exists(worker.folder(plan) / "log"));
  CHECK(worker.survivors() == 0);
}

TEST_CASE("worker: a crash is the operator's, retryable and named by its signal", "[host][plain]") {
  WorkerHarness worker(any_kill_unit());
  const auto [what, signal] = GENERATE(table<std::string, std::string>(
      {{"segv", "SIGSEGV"}, {"raise", "SIGSEGV"}, {"abort", "SIGABRT"}}));
  const AttemptReport report = worker.run(worker.plan(what));
  CHECK(report.outcome == Outcome::failed);
  CHECK_THAT(report.error, StartsWith("operator hostile.act crashed with " + signal));
  if (what == "abort") CHECK_THAT(report.error, Contains("last lines: about to abort"));
  CHECK(report.retryable);
  CHECK_FALSE(report.lost);
  CHECK(worker.survivors() == 0);
  CHECK(worker.run(worker.plan("nothing")).outcome == Outcome::ok);
}

TEST_CASE("worker: an exit without a report is a failure that names the status", "[host]") {
  WorkerHarness worker(any_kill_unit());
  const AttemptReport report = worker.run(worker.plan("exit"));
  CHECK(report.error == "operator hostile.act ended with exit status 42 without a report");
  CHECK(report.failure_class == "exit");
  CHECK(report.outcome == Outcome::failed);
  CHECK_FALSE(report.lost);
}

TEST_CASE("worker: an exception of the operator is a failure with its words", "[host]") {
  WorkerHarness worker;
  const AttemptReport report = worker.run(worker.plan("throw"));
  CHECK(report.outcome == Outcome::failed);
  CHECK_THAT(report.error, Contains("thrown by the operator"));
}

TEST_CASE("worker: what hangs is killed after its grace", "[host]") {
  WorkerHarness worker(any_kill_unit());
  const std::string what = GENERATE("hang", "ignore", "daemon and hang");
  const AttemptPlan plan = worker.plan(what);
  worker.executor().start(plan);
  REQUIRE(worker.run_until([] { return living_below(::getpid()).size() >= 3; }));
  worker.executor().kill(plan.start.attempt, 50, "timed out after 1 s");
  REQUIRE(worker.run_until([&] { return !worker.reports.empty(); }));
  CHECK(worker.reports[0].outcome == Outcome::cancelled);
  CHECK(worker.reports[0].error == "timed out after 1 s (cancelled; killed after 50 ms of grace)");
  CHECK_FALSE(worker.reports[0].lost);
  CHECK(worker.survivors() == 0);
}

TEST_CASE("worker: an operator that obeys a cancel says so itself", "[host]") {
  WorkerHarness worker(any_kill_unit());
  const AttemptPlan plan = worker.plan("wait");
  worker.executor().start(plan);
  REQUIRE(worker.run_until([] { return living_below(::getpid()).size() >= 3; }));
  worker.executor().kill(plan.start.attempt, 5000, "run cancelled by ann");
  REQUIRE(worker.run_until([&] { return !worker.reports.empty(); }));
  CHECK(worker.reports[0].outcome == Outcome::cancelled);
  CHECK_THAT(worker.reports[0].error, Contains("stopped when asked"));
}

TEST_CASE("worker: killing an unknown attempt does nothing", "[host]") {
  WorkerHarness worker;
  worker.executor().kill("nobody", 0, "why");
  CHECK(worker.run(worker.plan("nothing")).outcome == Outcome::ok);
  CHECK(worker.reports.size() == 1);
}

TEST_CASE("worker: a double-forked child in a session of its own dies with its attempt", "[host]") {
  WorkerHarness worker(any_kill_unit());
  CHECK(worker.run(worker.plan("daemon")).outcome == Outcome::ok);
  CHECK(worker.survivors() == 0);
}

TEST_CASE("worker: the end of one attempt does not touch its neighbours", "[host]") {
  WorkerHarness worker(any_kill_unit());
  const AttemptPlan neighbour = worker.plan("daemon and hang");
  worker.executor().start(neighbour);
  // Guardian, host, the neighbour and its daemon; at first also the daemon's parent.
  const auto all_four = [] {
    const std::vector<int> living = living_below(::getpid());
    const auto daemon = [](int pid) { return named(pid, "left-behind"); };
    return living.size() == 4 && std::ranges::count_if(living, daemon) == 1;
  };
  REQUIRE(worker.run_until(all_four));
  CHECK(worker.run(worker.plan("daemon")).outcome == Outcome::ok);
  CHECK(worker.run_until(all_four));
  worker.executor().kill(neighbour.start.attempt, 0, "over");
  REQUIRE(worker.run_until([&] { return worker.reports.size() == 2; }));
  CHECK(worker.survivors() == 0);
}

TEST_CASE("worker: a fork bomb is stopped by sampling and leaves nothing", "[host][slow]") {
  WorkerHarness worker(any_kill_unit());
  worker.options.extra_words = {"--processes", "100"};
  const AttemptReport report = worker.run(worker.plan("bomb"));
  CHECK(report.outcome == Outcome::failed);
  CHECK(report.error == "killed: it had more than 100 processes at once");
  CHECK(worker.survivors() == 0);
}

TEST_CASE("worker: a fork bomb of an ordinary user runs into a limit", "[host][slow]") {
  as_ordinary_user([](WorkerHarness& worker) {
    worker.options.kill_unit = "pid_namespace";
    const AttemptPlan plan = worker.plan("bomb");
    worker.executor().start(plan);
    worker.run_until([] { return living_below(::getpid()).size() > 50; }, 5000);
    worker.run_until([] { return false; }, 300);
    const std::size_t most = living_below(::getpid()).size();
    worker.executor().kill(plan.start.attempt, 0, "");
    worker.run_until([&] { return !worker.reports.empty(); });
    return most > 50 && most < 70 && worker.reports.size() == 1 && worker.survivors() == 0;
  }, {"--processes", "64"});
}

TEST_CASE("worker: a memory bomb fails with limit and peak", "[host][plain]") {
  WorkerHarness worker(any_kill_unit());
  const bool slowly = GENERATE(false, true);
  AttemptPlan plan = worker.plan("memory", {{"slowly", slowly}});
  plan.start.memory_bytes = 128 << 20;
  const AttemptReport report = worker.run(plan);
  CHECK(report.outcome == Outcome::failed);
  CHECK_THAT(report.error, StartsWith("out of memory (limit 128 MiB, peak "));
  CHECK_FALSE(report.retryable);
  CHECK(report.memory_peak_bytes > 64 << 20);
  CHECK(report.failure_class == "out_of_memory");
  CHECK(worker.survivors() == 0);
}

TEST_CASE("worker: one request for more memory than the limit fails at once", "[host][plain]") {
  WorkerHarness worker;
  AttemptPlan plan = worker.plan("memory", {{"piece", std::int64_t{1} << 32}});
  plan.start.memory_bytes = 128 << 20;
  CHECK_THAT(worker.run(plan).error, StartsWith("out of memory (limit 128 MiB, peak "));
}

TEST_CASE("worker: the memory of a command's children counts", "[host]") {
  WorkerHarness worker(any_kill_unit());
  // The last command of a shell would take its place, and the memory would be gone.
  const std::string part = "(x=$(head -c 30000000 /dev/zero | tr '\\0' x); sleep 100; :) & ";
  AttemptPlan plan = worker.shell(part + part + part + part + "wait");
  plan.start.memory_bytes = 64 << 20;
  const AttemptReport report = worker.run(plan);
  CHECK(report.outcome == Outcome::failed);
  CHECK_THAT(report.error, Contains("memory"));
  CHECK(worker.survivors() == 0);
}

TEST_CASE("worker: a gigabyte of output costs two megabytes of log", "[host][slow]") {
  WorkerHarness worker;
  const AttemptPlan plan = worker.plan("print", {{"kilobytes", 1 << 20}});
  CHECK(worker.run(plan).outcome == Outcome::ok);
  const auto log = worker.folder(plan) / "log";
  CHECK(fs::file_size(log) < (2 << 20) + 4096);
  const std::string text = read_text(log);
  CHECK_THAT(text, StartsWith("pppp"));
  CHECK_THAT(text, Contains(" bytes left out …]"));
  CHECK(text.ends_with("the last line\n"));
}

TEST_CASE("worker: opening files without end hits a limit", "[host]") {
  WorkerHarness worker;
  const AttemptReport report = worker.run(worker.plan("files"));
  CHECK(report.outcome == Outcome::failed);
  CHECK_THAT(report.error, StartsWith("no more files after 40"));
}

TEST_CASE("worker: a report in the name of another attempt is refused", "[host]") {
  WorkerHarness worker(any_kill_unit());
  const AttemptReport report = worker.run(worker.plan("lie"));
  CHECK(report.outcome == Outcome::failed);
  CHECK(report.error == "operator hostile.act sent a report that is not its own");
  CHECK(worker.reports.size() == 1);
}

TEST_CASE("worker: bytes that are no report are a failure", "[host]") {
  WorkerHarness worker;
  const AttemptReport report = worker.run(worker.plan("garbage"));
  CHECK(report.outcome == Outcome::failed);
  CHECK(report.error == "operator hostile.act sent bytes to the host that are no report");
}

TEST_CASE("worker: of two answers the first stands, and it cannot call itself lost", "[host]") {
  WorkerHarness worker;
  AttemptPlan plan = worker.plan("twice");
  plan.start.params["attempt"] = plan.start.attempt;
  plan.start.params["fence"] = plan.start.fence;
  const AttemptReport report = worker.run(plan);
  CHECK(report.outcome == Outcome::failed);
  CHECK_FALSE(report.lost);
  CHECK(worker.run(worker.plan("nothing")).outcome == Outcome::ok);
  CHECK(worker.reports.size() == 2);
}

TEST_CASE("worker: who closes the channel to the host cannot go on unseen", "[host]") {
  WorkerHarness worker(any_kill_unit());
  CHECK_THAT(worker.run(worker.plan("close")).error, Contains("without a report"));
  const AttemptReport report = worker.run(worker.plan("close and hang"));
  CHECK(report.outcome == Outcome::failed);
  CHECK_THAT(report.error, Contains("closed its channel to the host"));
  CHECK(worker.survivors() == 0);
}

TEST_CASE("worker: progress reaches the daemon", "[host]") {
  WorkerHarness worker;
  CHECK(worker.run(worker.plan("progress")).outcome == Outcome::ok);
  CHECK(worker.progress == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE("worker: an attempt is born with three descriptors and its channel", "[host]") {
  WorkerHarness worker;
  ::setenv("PIPELINED_TEST_SECRET", "secret", 1);
  const AttemptPlan plan = worker.plan("surroundings");
  const AttemptReport report = worker.run(plan);
  REQUIRE(report.outcome == Outcome::ok);
  const ValueTable& notes = *report.notes.as_table();
  CHECK(notes.at("descriptors") == Value("0 1 2 3 "));
  CHECK(notes.at("environment") == Value("PATH LANG TZ OMP_WAIT_POLICY TMPDIR HOME CUDA_VISIBLE_DEVICES "));
  CHECK(notes.at("umask") == Value(077));
  CHECK(notes.at("core") == Value(0));
  CHECK(notes.at("stdin") == Value(0));
  CHECK(notes.at("folder") == Value(plan.folder));
}

TEST_CASE("sandbox: nothing outside the attempt's folder can be written", "[host][sandbox]") {
  WorkerHarness worker(any_kill_unit());
  const fs::path outside = worker.root() / "outside";
  std::ofstream(outside) << "precious";
  for (const char* deed : {"write", "truncate"}) {
    const AttemptReport report = worker.run(worker.plan(deed, {{"path", outside.string()}}));
    CHECK(report.outcome == Outcome::failed);
    CHECK_THAT(report.error, Contains("Permission denied"));
  }
  CHECK(read_text(outside) == "precious");
  const AttemptPlan neighbour = worker.plan("nothing");
  CHECK_THAT(worker.run(worker.plan("write", {{"path", neighbour.folder + "/log"}})).error,
             Contains("Permission denied"));
}

TEST_CASE("sandbox: the state folder, secrets and other people's files cannot be read",
          "[host][sandbox]") {
  WorkerHarness worker;
  const fs::path state = worker.root() / "state.db";
  std::ofstream(state) << "rows";
  for (const std::string& path : {state.string(), std::string("/etc/shadow"), std::string("/root"),
                                 "/proc/" + std::to_string(::getpid()) + "/environ",
                                 "/proc/" + std::to_string(::getpid()) + "/mem"}) {
    INFO(path);
    const AttemptReport report = worker.run(worker.plan("read", {{"path", path}}));
    CHECK(report.outcome == Outcome::failed);
    CHECK_THAT(report.error, StartsWith("read "));
  }
}

TEST_CASE("sandbox: no sockets, tracing, namespaces, signals outwards or links beside the log",
          "[host][sandbox]") {
  WorkerHarness worker;
  for (const char* deed : {"socket", "unix socket", "ptrace", "unshare", "link log"}) {
    INFO(deed);
    CHECK(worker.run(worker.plan(deed)).outcome == Outcome::failed);
  }
  const AttemptReport report =
      worker.run(worker.plan("kill", {{"pid", static_cast<std::int64_t>(::getpid())}}));
  CHECK(report.outcome == Outcome::failed);
}

TEST_CASE("sandbox: an operator that declares network gets internet sockets", "[host][sandbox]") {
  WorkerHarness worker;
  AttemptPlan plan = worker.plan("socket");
  plan.start.network = true;
  CHECK(worker.run(plan).outcome == Outcome::ok);
}

TEST_CASE("host: killed from outside, its attempts are lost and nothing survives", "[host]") {
  WorkerHarness worker(any_kill_unit());
  const AttemptPlan plan = worker.plan("daemon and hang");
  worker.executor().start(plan);
  REQUIRE(worker.run_until([] { return living_below(::getpid()).size() >= 4; }));
  const int guardian = worker.executor().host_pids().at(0);
  const bool kill_guardian = GENERATE(false, true);
  if (kill_guardian) {
    ::kill(guardian, SIGKILL);
  } else {
    for (const int pid : living_below(guardian)) {
      const std::string status = read_text("/proc/" + std::to_string(pid) + "/status");
      if (status.find("PPid:\t" + std::to_string(guardian) + "\n") != std::string::npos) {
        ::kill(pid, SIGKILL);  // the host itself
      }
    }
  }
  REQUIRE(worker.run_until([&] { return !worker.reports.empty(); }));
  CHECK(worker.reports[0].lost);
  CHECK_THAT(worker.reports[0].error, StartsWith("lost with its host"));
  // A guardian that is shot itself cannot clean up where the kernel does not do it.
  if (!kill_guardian || worker.options.kill_unit != "subreaper") CHECK(worker.survivors() == 0);
  for (const int pid : living_below(::getpid())) ::kill(pid, SIGKILL);
  CHECK(worker.run(worker.plan("nothing")).outcome == Outcome::ok);
}

TEST_CASE("host: a process is kept ready, and one that was shot is no loss", "[host]") {
  WorkerHarness worker(any_kill_unit());
  const auto spares = [] { return living_below(::getpid(), true); };
  REQUIRE(worker.run(worker.plan("nothing")).outcome == Outcome::ok);
  REQUIRE(worker.run_until([&] { return spares().size() == 1; }));
  const int first = spares().at(0);
  ::kill(first, SIGKILL);
  REQUIRE(worker.run_until([&] {
    const std::vector<int> now = spares();
    return now.size() == 1 && now.front() != first;
  }));
  AttemptPlan plan = worker.plan("surroundings");
  const AttemptReport report = worker.run(plan);
  CHECK(report.outcome == Outcome::ok);
  CHECK(report.notes.as_table()->at("descriptors") == Value("0 1 2 3 "));
  CHECK(worker.survivors() == 0);
  worker.destroy_executor();
  CHECK(spares().empty());
}

TEST_CASE("host: an attempt killed from outside is lost and its neighbours live", "[host]") {
  WorkerHarness worker;
  worker.executor().start(worker.plan("hang"));
  int hanging = 0;
  REQUIRE(worker.run_until([&hanging] {
    for (const int pid : living_below(::getpid())) {
      if (named(pid, "hanging")) hanging = pid;
    }
    return hanging != 0;
  }));
  ::kill(hanging, SIGKILL);
  REQUIRE(worker.run_until([&] { return !worker.reports.empty(); }));
  CHECK(worker.reports[0].lost);
  CHECK(worker.reports[0].error == "killed by SIGKILL from outside");
}

TEST_CASE("host: when the daemon dies every process of its attempts is gone", "[host]") {
  const std::string kill_unit = any_kill_unit();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pipelined::testing::TestGroup group;  // the one who is killed could not take it away
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    WorkerHarness worker;
    worker.options.kill_unit = kill_unit;
    if (kill_unit == "cgroup") worker.use_group(group.path());
    worker.executor().start(worker.plan("daemon and hang"));
    worker.run_until([] { return false; });
    ::_exit(0);
  }
  const auto wait_until = [](const std::function<bool()>& done) {
    for (int i = 0; i < 3000; ++i) {
      if (done()) return true;
      ::usleep(20'000);
    }
    return done();
  };
  REQUIRE(wait_until([] { return living_below(::getpid()).size() >= 5; }));
  ::kill(daemon, SIGKILL);
  ::waitpid(daemon, nullptr, 0);
  CHECK(wait_until([] { return living_below(::getpid()).empty(); }));
}

TEST_CASE("executor: when it is destroyed nothing is left", "[host]") {
  WorkerHarness worker(any_kill_unit());
  worker.executor().start(worker.plan("daemon and hang"));
  REQUIRE(worker.run_until([] { return living_below(::getpid()).size() >= 4; }));
  worker.destroy_executor();
  CHECK(living_below(::getpid()).empty());
  CHECK(worker.reports.empty());
}

TEST_CASE("executor: a plugin or worker that is not there is a failure with a sentence", "[host]") {
  WorkerHarness worker;
  AttemptPlan plan = worker.plan("nothing");
  plan.start.plugin = "absent";
  CHECK_THAT(worker.run(plan).error, Contains("no plugin absent"));
  WorkerHarness other("", "/nowhere/pipelined-worker");
  CHECK_THAT(other.run(other.plan("nothing")).error, Contains("start /nowhere/pipelined-worker"));
  WorkerHarness third("", WORKER_PATH, "/nowhere/plugin.so");
  const AttemptReport report = third.run(third.plan("nothing"));
  CHECK(report.outcome == Outcome::unsupported);
  CHECK_THAT(report.error, Contains("refused to start"));
}

TEST_CASE("executor: a plugin that cannot be forked is loaded anew in each attempt", "[host]") {
  WorkerHarness worker;
  worker.options.fork_safe = [](const std::string&) { return false; };
  CHECK(worker.run(worker.plan("nothing")).error == "");
  CHECK_THAT(worker.run(worker.plan("write", {{"path", "/tmp/no"}})).error,
             Contains("Permission denied"));
}

TEST_CASE("executor: hundreds of attempts at once all report", "[host]") {
  WorkerHarness worker(any_kill_unit());
  for (int i = 0; i < 300; ++i) worker.executor().start(worker.plan("nothing"));
  CHECK(worker.run_until([&] { return worker.reports.size() == 300; }));
  for (const AttemptReport& report : worker.reports) CHECK(report.outcome == Outcome::ok);
  CHECK(worker.survivors() == 0);
}

TEST_CASE("worker: everything holds for an ordinary user too", "[host]") {
  const std::string kill_unit = any_kill_unit();
  as_ordinary_user([&](WorkerHarness& worker) {
    worker.options.kill_unit = kill_unit;
    int wrong = 0;
    AttemptPlan plan = worker.plan("output");
    worker.add_output(plan, "report");
    wrong += worker.run(plan).outcome != Outcome::ok;
    const std::string outside = (worker.root() / "x").string();
    wrong += worker.run(worker.plan("write", {{"path", outside}})).outcome == Outcome::ok;
    wrong += worker.run(worker.plan("socket")).outcome == Outcome::ok;
    wrong += worker.run(worker.plan("daemon")).outcome != Outcome::ok;
    wrong += worker.run(worker.shell("true")).outcome != Outcome::ok;
    wrong += worker.survivors() != 0;
    worker.destroy_executor();
    wrong += !living_below(::getpid()).empty();
    return wrong == 0;
  });
}
