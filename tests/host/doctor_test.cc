#include <catch2/catch.hpp>

#include "daemon/exec/doctor.h"
#include "tests/host/test_group.h"

using namespace pipelined;
using Catch::Matchers::Contains;

namespace {

const DoctorFact* find(const std::vector<DoctorFact>& facts, const std::string& name) {
  for (const DoctorFact& fact : facts) {
    if (fact.name == name) return &fact;
  }
  return nullptr;
}

std::vector<DoctorFact> examine(const Cgroups* cgroups, const std::string& kill_unit) {
  return examine_machine({WORKER_PATH, "/", "/no/such/folder", cgroups, kill_unit});
}

}  // namespace

TEST_CASE("doctor: says what the worker found and where the folders lie", "[host][doctor]") {
  const auto facts = examine(nullptr, "");
  REQUIRE(find(facts, "landlock") != nullptr);
  CHECK(find(facts, "landlock")->value.starts_with("ABI "));
  REQUIRE(find(facts, "kill unit") != nullptr);
  CHECK(find(facts, "state")->good);
  CHECK_FALSE(find(facts, "store")->good);
  for (const DoctorFact& fact : facts) CHECK((fact.good || !fact.advice.empty()));
}

TEST_CASE("doctor: a limit whose controller is not here is called impossible, never passed",
          "[host][doctor]") {
  const Cgroups none;
  const auto facts = examine(&none, "subreaper");
  CHECK_THAT(find(facts, "memory limits")->value, Contains("not possible here"));
  CHECK_FALSE(find(facts, "memory limits")->good);
  CHECK_THAT(find(facts, "processor limits")->value, Contains("not possible here"));
  CHECK_FALSE(find(facts, "kill unit")->good);
}

TEST_CASE("doctor: tells the control groups of the daemon and what they can do", "[host][doctor]") {
  const pipelined::testing::TestGroup group;
  if (!group.possible()) {
    WARN("not possible here: no cgroup v2 that may be written");
    return;
  }
  const Cgroups cgroups = Cgroups::enter(group.path());
  REQUIRE(cgroups.available());
  const auto facts = examine(&cgroups, "cgroup");
  CHECK_THAT(find(facts, "cgroup v2")->value, Contains(group.path() + ", controllers:"));
  CHECK(find(facts, "kill unit")->value == "a control group an attempt");
  const bool memory = find(facts, "memory limits")->value == "memory.max of its group";
  CHECK(memory == cgroups.has("memory"));
}

TEST_CASE("doctor: a worker that cannot be asked is a fact too", "[host][doctor]") {
  const auto facts = examine_machine({"/no/such/worker", "/", "/", nullptr, ""});
  REQUIRE(find(facts, "worker") != nullptr);
  CHECK_FALSE(find(facts, "worker")->good);
}
