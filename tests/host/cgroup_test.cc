// Control groups: what is written for a limit, who is in them, and that killing one kills all.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "daemon/exec/cgroups.h"
#include "daemon/exec/processors.h"
#include "operators/host/attempt_group.h"
#include "tests/host/test_group.h"
#include "tests/host/worker_harness.h"

using namespace pipelined;
using namespace pipelined::host;
using pipelined::testing::TestGroup;
using pipelined::testing::WorkerHarness;
using pipelined::testing::read_text;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
namespace fs = std::filesystem;
using Lines = std::vector<std::pair<std::string, std::string>>;

namespace {

bool not_possible(bool possible) {
  if (!possible) WARN("not possible here: no cgroup v2 that may be written");
  return !possible;
}

}  // namespace

TEST_CASE("cgroup: limits are written where their controller is, and only there",
          "[host][cgroup]") {
  const GroupLimits limits{4096, 64, 1.5};
  CHECK(limit_lines(limits, {}).empty());
  CHECK(limit_lines({}, {true, true, true}).empty());
  CHECK(limit_lines(limits, {true, true, true}) ==
        Lines{{"memory.max", "4096"}, {"memory.swap.max", "0"}, {"memory.oom.group", "1"},
              {"pids.max", "64"}, {"cpu.max", "150000 100000"}});
}

TEST_CASE("cgroup: controllers are read by whole words", "[host][cgroup]") {
  const Controllers found = read_controllers("cpuset io pids\n");
  CHECK_FALSE(found.cpu);
  CHECK_FALSE(found.memory);
  CHECK(found.processes);
  CHECK(read_controllers("memory").memory);
}

TEST_CASE("cgroup: the own group is found through the mounts", "[host][cgroup]") {
  const char* const mounts =
      "24 1 0:22 / /proc rw - proc proc rw\n"
      "36 35 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";
  CHECK(group_folder("4:memory:/x\n0::/system.slice/p.service\n", mounts) ==
        "/sys/fs/cgroup/system.slice/p.service");
  CHECK(group_folder("0::/\n", mounts) == "/sys/fs/cgroup");
  CHECK(group_folder("0::/\n", "24 1 0:22 / /proc rw - proc proc rw\n").empty());
  CHECK(group_folder("4:memory:/x\n", mounts).empty());
  CHECK(group_folder("0::/docker/a/b\n", "36 35 0:26 /docker/a /sys/fs/cgroup rw - cgroup2 c rw\n") ==
        "/sys/fs/cgroup/b");
}

TEST_CASE("cgroup: killing a group ends whoever left parent, session and name", "[host][cgroup]") {
  const TestGroup folder;
  if (not_possible(folder.possible())) return;
  auto groups = AttemptGroups::open(folder.path());
  REQUIRE(groups);
  auto group = groups->make({});
  REQUIRE(group);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t first = ::fork();
  if (first == 0) {
    if (!group->enter()) ::_exit(1);
    for (int i = 0; i < 3; ++i) {
      if (::fork() != 0) continue;
      ::setsid();
      if (::fork() != 0) ::_exit(0);
      ::signal(SIGTERM, SIG_IGN);
      for (;;) ::pause();
    }
    while (::wait(nullptr) > 0) {  // those between are gone before the count
    }
    ::_exit(0);
  }
  int status = 1;
  REQUIRE(::waitpid(first, &status, 0) == first);
  REQUIRE(status == 0);
  const auto living = [] { return pipelined::testing::living_below(::getpid()).size(); };
  REQUIRE(living() == 3);
  group->kill();
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  CHECK(living() == 0);
  groups->remove(*std::move(group));
  CHECK_FALSE(fs::exists(folder.path() + "/1"));
}

TEST_CASE("cgroup: a folder that is none is refused with its name", "[host][cgroup]") {
  CHECK_THAT(AttemptGroups::open("/tmp").error().message, Contains("/tmp is no folder of a cgroup v2"));
  CHECK_FALSE(Cgroups::enter("/no/such/group").available());
  CHECK_THAT(Cgroups::enter("/no/such/group").words(), Contains("/no/such/group"));
}

TEST_CASE("cgroup: the daemon lives in a leaf, and what a dead life left is killed",
          "[host][cgroup]") {
  const TestGroup folder;
  if (not_possible(folder.possible())) return;
  const pid_t left = [&] {
    const Cgroups before = Cgroups::enter(folder.path());
    fs::create_directories(folder.path() + "/attempts/1/1");
    const pid_t child = ::fork();
    if (child == 0) {
      std::ofstream(folder.path() + "/attempts/1/1/cgroup.procs") << "0";
      ::kill(::getpid(), SIGSTOP);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, WUNTRACED);
    return child;  // the groups of `before` are swept with it
  }();
  int status = 0;
  REQUIRE(::waitpid(left, &status, 0) == left);
  CHECK(WTERMSIG(status) == SIGKILL);
  const Cgroups groups = Cgroups::enter(folder.path());
  REQUIRE(groups.available());
  CHECK_THAT(read_text(folder.path() + "/supervisor/cgroup.procs"),
             Contains(std::to_string(::getpid())));
}

TEST_CASE("cgroup: without one, the kill unit cgroup is refused, not replaced", "[host][cgroup]") {
  WorkerHarness worker;
  worker.options.kill_unit = "cgroup";
  const AttemptReport report = worker.run(worker.plan("nothing"));
  CHECK(report.outcome == Outcome::unsupported);
  CHECK_THAT(report.error, Contains("attempts cannot have control groups"));
}

TEST_CASE("cgroup: the memory controller ends an attempt at its limit", "[host][cgroup]") {
  WorkerHarness worker("cgroup");
  if (!worker.cgroups().has("memory")) {
    WARN("memory.max: not possible here, no memory controller in cgroup v2");
    return;
  }
  AttemptPlan plan = worker.plan("memory");
  plan.start.memory_bytes = 64 << 20;
  const AttemptReport report = worker.run(plan);
  CHECK_THAT(report.error, StartsWith("out of memory (limit 64 MiB, peak "));
  CHECK(report.failure_class == "out_of_memory");
}

TEST_CASE("processors: attempts are spread, and those that want all are not bound",
          "[host][processors]") {
  Processors processors({0, 2, 5});
  const auto first = processors.take(1), second = processors.take(0.5), third = processors.take(2);
  CHECK(first == std::vector<int>{0});
  CHECK(second == std::vector<int>{2});
  CHECK(third == std::vector<int>{0, 5});
  CHECK(processors.take(3).empty());
  processors.give_back(first);
  processors.give_back(third);
  CHECK(processors.take(1) == std::vector<int>{0});
}
