// Key texts, their differences and the reasons made of them.
#include <catch2/catch.hpp>

#include "dag/cache_key.h"
#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

PipelineStep step(const std::string& xgboost = "1.7.4") {
  OperatorInfo info =
      fake_operator("train.trees", {port("examples", "examples/1", true)}, {}, {"rounds"});
  info.libraries = {{"xgboost", xgboost}, {"arrow", "26.0.1"}};
  ParamInfo depth;
  depth.name = "max_depth";
  depth.kind = "int";
  depth.default_value = Value(6);
  info.params.push_back(depth);
  PipelineStep step;
  step.info = std::make_shared<const OperatorInfo>(std::move(info));
  step.spec.name = "train";
  return step;
}

}  // namespace

TEST_CASE("key: the text is canonical and its order fixed", "[dag][key]") {
  const ArtifactRef one{sha256("1"), "examples/1", 1}, two{sha256("2"), "examples/1", 1};
  ValueTable params;
  params["rounds"] = Value(100);
  params["drift"] = Value(ValueTable{{"late", Value(ValueTable{{"l_infinity", Value(0.1)}})}});
  CHECK(key_text(step(), params, {{"examples", "examples/1", {one, two}}}) ==
        "operator train.trees 1\nlibrary arrow 26.0.1\nlibrary xgboost 1.7.4\n"
        "param drift.late.l_infinity 0.1\nparam rounds 100\nin examples 2 " +
            one.digest.hex() + " " + two.digest.hex() + "\nseed 0\nsalt \"\"\n");
}

TEST_CASE("key: a parameter equal to its default does not appear, 6 and 6.0 differ", "[dag][key]") {
  ValueTable params;
  const std::string without = key_text(step(), params, {});
  params["max_depth"] = Value(6);
  CHECK(key_text(step(), params, {}) == without);
  params["max_depth"] = Value(6.0);
  CHECK(key_text(step(), params, {}) != without);
}

TEST_CASE("key: run, pipeline and step name are no part of it", "[dag][key]") {
  PipelineStep other = step();
  other.spec.name = "another";
  CHECK(key_text(step(), {}, {}) == key_text(other, {}, {}));
}

TEST_CASE("key: a command shows its template and its ports", "[dag][key]") {
  OperatorInfo info;
  info.id = "command.run";
  info.open_outputs = true;
  PipelineStep command;
  command.info = std::make_shared<const OperatorInfo>(std::move(info));
  command.outputs = {{"copy", "files/1", false, false, {}}};
  ValueTable params;
  params["argv"] = Value(ValueList{Value("cp"), Value("{in.x}"), Value("{out.copy}")});
  CHECK(key_text(command, params, {}) ==
        "operator command.run 1\nout copy files/1\ncommand [\"cp\",\"{in.x}\",\"{out.copy}\"]\n"
        "seed 0\nsalt \"\"\n");
}

TEST_CASE("key: a difference names what changed with both values", "[dag][key]") {
  ValueTable before, after;
  before["rounds"] = Value(100);
  after["rounds"] = Value(200);
  auto details = key_difference(key_text(step(), before, {}), key_text(step(), after, {}));
  REQUIRE(details.size() == 1);
  CHECK(details[0] == ReasonDetail{"parameter rounds", "100", "200"});
  CHECK(miss_reason(details, 3).sentence ==
        "parameter rounds changed from 100 to 200 (compared with run 3)");
  CHECK(miss_reason(details, 3).code == "parameter_changed");
}

TEST_CASE("key: the default stands where the text leaves it out", "[dag][key]") {
  ValueTable after;
  after["max_depth"] = Value(8);
  auto details = key_difference(key_text(step(), {}, {}), key_text(step(), after, {}));
  name_defaults(details, *step().info);
  REQUIRE(details.size() == 1);
  CHECK(details[0] == ReasonDetail{"parameter max_depth", "6", "8"});
}

TEST_CASE("key: inputs, libraries and salt are told apart", "[dag][key]") {
  const ArtifactRef one{sha256("1"), "examples/1", 1}, two{sha256("2"), "examples/1", 1};
  const std::string base = key_text(step(), {}, {{"examples", "examples/1", {one}}});
  CHECK(miss_reason(key_difference(base, key_text(step(), {}, {{"examples", "examples/1", {two}}})), 1)
            .code == "input_changed");
  const PipelineStep newer = step("1.7.5");
  CHECK(miss_reason(key_difference(base, key_text(newer, {}, {{"examples", "examples/1", {one}}})), 1)
            .sentence ==
        "library xgboost changed from 1.7.4 to 1.7.5 (compared with run 1)");
  PipelineStep salted = step();
  salted.spec.salt = "again";
  CHECK(miss_reason(key_difference(base, key_text(salted, {}, {{"examples", "examples/1", {one}}})), 1)
            .code == "setting_changed");
}
