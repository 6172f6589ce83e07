#include "daemon/app_programs.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

namespace pipelined {
namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/programs-test-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

std::shared_ptr<const Pipeline> command(ValueList argv) {
  auto pipeline = std::make_shared<Pipeline>();
  pipeline->spec.params = {{"tool", "cp"}};
  OperatorInfo info;
  info.id = "command.run";
  PipelineStep step;
  step.info = std::make_shared<const OperatorInfo>(std::move(info));
  step.spec.params = {{"argv", std::move(argv)}};
  pipeline->steps = {step};
  return pipeline;
}

}  // namespace

TEST_CASE("programs: a name is found on the system's path with its digest", "[daemon][programs]") {
  Programs programs;
  const auto found = programs.find("cp");
  REQUIRE(found);
  CHECK(found->path.front() == '/');
  CHECK(found->digest);
  CHECK(programs.find(found->path)->digest == found->digest);
}

TEST_CASE("programs: what is not there is said with where was looked", "[daemon][programs]") {
  Programs programs;
  const auto missing = programs.find("no-such-program");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("/usr/bin") != std::string::npos);
  CHECK(programs.find("./cp").error().code == ErrorCode::invalid);
  CHECK(programs.find("/nowhere/cp").error().code == ErrorCode::not_found);
  CHECK_FALSE(programs.find("/usr"));
  CHECK_FALSE(programs.find(""));
}

TEST_CASE("programs: changed bytes are another digest", "[daemon][programs]") {
  Folder folder;
  const std::string path = folder.path + "/tool";
  std::ofstream(path) << "one";
  Programs programs;
  const auto before = programs.find(path);
  std::ofstream(path, std::ios::trunc) << "other bytes";
  const auto after = programs.find(path);
  REQUIRE(before);
  REQUIRE(after);
  CHECK(before->digest == sha256("one"));
  CHECK(after->digest == sha256("other bytes"));
}

TEST_CASE("programs: a command step names its program among its libraries", "[daemon][programs]") {
  Programs programs;
  const auto cp = programs.find("cp");
  REQUIRE(cp);
  for (const char* word : {"cp", "${tool}"}) {
    const auto filled = programs.with_programs(command({word, "{in.a}"}));
    REQUIRE(filled->steps[0].info->libraries.size() == 1);
    CHECK(filled->steps[0].info->libraries[0].name == "program " + cp->path);
    CHECK(filled->steps[0].info->libraries[0].version == cp->digest.hex());
  }
  const auto original = command({"no-such-program"});
  CHECK(programs.with_programs(original) == original);
  const auto later = command({"{in.script}"});
  CHECK(programs.with_programs(later) == later);
}

TEST_CASE("programs: a step in Python names its interpreter among its libraries",
          "[daemon][programs]") {
  Programs programs;
  const auto names = [&](const ValueTable& params) {
    auto pipeline = std::make_shared<Pipeline>(*command({}));
    OperatorInfo info;
    info.id = "python.call";
    info.params = {{"python", "string", "python3", false, {}, {}, {}, ""}};
    pipeline->steps[0].info = std::make_shared<const OperatorInfo>(std::move(info));
    pipeline->steps[0].spec.params = params;
    return programs.with_programs(pipeline)->steps[0].info->libraries;
  };
  const auto cp = programs.find("cp");
  REQUIRE(names({{"python", Value("cp")}}).size() == 1);
  CHECK(names({{"python", Value("cp")}})[0].version == cp->digest.hex());
  const auto python = programs.find("python3");
  if (python) CHECK(names({})[0].name == "program " + python->path);
  CHECK(names({{"python", Value(7)}}).empty());
}

}  // namespace pipelined
