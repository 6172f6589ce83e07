#include <catch2/catch.hpp>

#include "daemon/exec/doctor.h"

using namespace pipelined;

namespace {

const DoctorFact* find(const std::vector<DoctorFact>& facts, const std::string& name) {
  for (const DoctorFact& fact : facts) {
    if (fact.name == name) return &fact;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("doctor: says what the worker found and where the folders lie", "[host][doctor]") {
  const auto facts = examine_machine({WORKER_PATH, "/", "/no/such/folder"});
  REQUIRE(find(facts, "landlock") != nullptr);
  CHECK(find(facts, "landlock")->value.starts_with("ABI "));
  REQUIRE(find(facts, "kill unit") != nullptr);
  CHECK(find(facts, "state")->good);
  CHECK_FALSE(find(facts, "store")->good);
  for (const DoctorFact& fact : facts) CHECK((fact.good || !fact.advice.empty()));
}

TEST_CASE("doctor: a worker that cannot be asked is a fact too", "[host][doctor]") {
  const auto facts = examine_machine({"/no/such/worker", "/", "/"});
  REQUIRE(find(facts, "worker") != nullptr);
  CHECK_FALSE(find(facts, "worker")->good);
}
