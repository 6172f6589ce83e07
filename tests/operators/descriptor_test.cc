// Descriptors: the consistency check, the way through JSON, and parameters against them.
#include <catch2/catch.hpp>
#include <functional>
#include <string>

#include "operators/descriptor.h"
#include "operators/value_json.h"

namespace {

using Catch::Contains;
using pipelined::complete_params;
using pipelined::OperatorInfo;
using pipelined::ParamInfo;
using pipelined::PluginInfo;
using pipelined::PortInfo;
using pipelined::Value;
using pipelined::ValueList;
using pipelined::ValueTable;

PluginInfo sound_plugin() {
  OperatorInfo info;
  info.id = "data.check";
  info.plugin = "data";
  info.behaviour = 2;
  info.summary = "Checks";
  info.inputs = {{"examples", "examples/1|files/1", false, false, false, "", "in"},
                 {"more", "*", true, true, false, "", ""}};
  info.outputs = {{"same", "examples/1", false, false, false, "examples", ""},
                  {"report", "report/1", false, true, true, "", ""}};
  ParamInfo rounds{"rounds", "int", 5, false, {}, 1, 9, "how often"};
  ParamInfo mode{"mode", "string", "fast", false, {"fast", "slow"}, {}, {}, ""};
  ParamInfo query{"query", "string", {}, true, {}, {}, {}, ""};
  ParamInfo rate{"rate", "float", {}, false, {}, 0, {}, ""};
  ParamInfo words{"words", "list", {}, false, {}, {}, {}, ""};
  info.params = {rounds, mode, query, rate, words};
  info.libraries = {{"arrow", "26.0.1"}};
  info.memory_bytes = 1 << 20;
  PluginInfo plugin;
  plugin.id = "data";
  plugin.version = "1";
  plugin.operators = {info};
  plugin.threads = {"jemalloc_bg_thd"};
  return plugin;
}

// The sentences after one change to a plugin that is sound.
std::string after(const std::function<void(OperatorInfo&)>& change) {
  PluginInfo plugin = sound_plugin();
  change(plugin.operators[0]);
  std::string all;
  for (const std::string& sentence : problems(plugin)) all += sentence + "\n";
  return all;
}

std::string error_of(const ValueTable& params) {
  const auto complete = complete_params(sound_plugin().operators[0], params);
  REQUIRE_FALSE(complete.has_value());
  return complete.error().message;
}

}  // namespace

TEST_CASE("descriptor: a sound plugin survives JSON", "[operators][descriptor]") {
  const PluginInfo plugin = sound_plugin();
  CHECK(problems(plugin).empty());
  const std::string json = json_text(to_value(plugin));
  const auto read = plugin_from_value(*pipelined::value_from_json(json));
  REQUIRE(read.has_value());
  CHECK(json_text(to_value(*read)) == json);
  CHECK(read->operators[0].plugin == "data");
  CHECK(read->operators[0].input("examples")->type == "examples/1|files/1");
  CHECK(read->operators[0].output("same")->pass == "examples");
  CHECK(read->operators[0].param("rounds")->max == 9);
}

TEST_CASE("descriptor: each contradiction has its sentence", "[operators][descriptor]") {
  CHECK_THAT(after([](OperatorInfo& o) { o.id = "Check"; }), Contains("stage.verb"));
  CHECK_THAT(after([](OperatorInfo& o) { o.id = "command.x"; }), Contains("built in"));
  CHECK_THAT(after([](OperatorInfo& o) { o.behaviour = 0; }), Contains("below 1"));
  CHECK_THAT(after([](OperatorInfo& o) { o.summary = ""; }), Contains("no summary"));
  CHECK_THAT(after([](OperatorInfo& o) { o.effect = true; }), Contains("not be cacheable"));
  CHECK_THAT(after([](OperatorInfo& o) { o.cpus = -1; }), Contains("below zero"));
  CHECK_THAT(after([](OperatorInfo& o) { o.inputs[0].name = "a b"; }), Contains("bad name"));
  CHECK_THAT(after([](OperatorInfo& o) { o.inputs[1].name = "examples"; }), Contains("twice"));
  CHECK_THAT(after([](OperatorInfo& o) { o.inputs[0].type = "examples"; }), Contains("name/1"));
  CHECK_THAT(after([](OperatorInfo& o) { o.inputs[0].evidence = true; }), Contains("evidence"));
  CHECK_THAT(after([](OperatorInfo& o) { o.outputs[1].many = true; }), Contains("MANY"));
  CHECK_THAT(after([](OperatorInfo& o) { o.outputs[0].pass = "x"; }), Contains("does not have"));
  CHECK_THAT(after([](OperatorInfo& o) { o.outputs[0].pass = "more"; }), Contains("is MANY"));
  CHECK_THAT(after([](OperatorInfo& o) { o.inputs[0].pass = "x"; }), Contains("pass something"));
  CHECK_THAT(after([](OperatorInfo& o) { o.params[0].name = "Rounds"; }), Contains("bad name"));
  CHECK_THAT(after([](OperatorInfo& o) { o.params[0].name = "mode"; }), Contains("twice"));
  CHECK_THAT(after([](OperatorInfo& o) { o.params[0].kind = "long"; }), Contains("unknown kind"));
  CHECK_THAT(after([](OperatorInfo& o) { o.params[0].min = 10; }), Contains("above its maximum"));
  CHECK_THAT(after([](OperatorInfo& o) { o.params[1].min = 1; }), Contains("no number"));
  CHECK_THAT(after([](OperatorInfo& o) { o.params[0].choices = {"1"}; }), Contains("no string"));
  CHECK_THAT(after([](OperatorInfo& o) { o.params[0].required = true; }), Contains("a default"));
  CHECK_THAT(after([](OperatorInfo& o) { o.params[0].default_value = 10; }),
             Contains("default that is above 9"));
  CHECK_THAT(after([](OperatorInfo& o) { o.params[1].default_value = "odd"; }),
             Contains("where one of fast slow is wanted"));
  CHECK_THAT(after([](OperatorInfo& o) { o.libraries[0].version = ""; }), Contains("plain name"));
  CHECK_THAT(after([](OperatorInfo& o) { o.libraries.push_back({"arrow", "1"}); }),
             Contains("\"arrow\" twice"));
}

TEST_CASE("descriptor: a plugin needs a name and operators of its own", "[operators][descriptor]") {
  PluginInfo plugin = sound_plugin();
  plugin.operators.push_back(plugin.operators[0]);
  CHECK_THAT(problems(plugin).at(0), Contains("is there twice"));
  plugin.operators.clear();
  CHECK_THAT(problems(plugin).at(0), Contains("no operator"));
  plugin.id = "../up";
  CHECK_THAT(problems(plugin).at(0), Contains("../up"));
}

TEST_CASE("descriptor: JSON that lies about itself is refused", "[operators][descriptor]") {
  const std::string sound = json_text(to_value(sound_plugin()));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string json = sound;
    const std::size_t at = json.find(from);
    REQUIRE(at != std::string::npos);
    json.replace(at, from.size(), to);
    const auto value = pipelined::value_from_json(json);
    REQUIRE(value.has_value());
    const auto plugin = plugin_from_value(*value);
    REQUIRE_FALSE(plugin.has_value());
    return plugin.error().message;
  };
  CHECK_THAT(with("\"behaviour\":2", "\"behaviour\":\"2\""), Contains("\"behaviour\""));
  CHECK_THAT(with("\"behaviour\":2", "\"behaviour\":-2"), Contains("below 1"));
  CHECK_THAT(with("\"kind\":\"int\"", "\"kind\":7"), Contains("\"kind\""));
  CHECK_THAT(with("\"type\":\"report/1\"", "\"typ\":\"report/1\""), Contains("\"type\""));
  CHECK_THAT(with("\"fork_safe\":true", "\"fork\":true"), Contains("\"fork_safe\" is missing"));
  CHECK_FALSE(plugin_from_value(Value(7)).has_value());
}

TEST_CASE("params: defaults are filled in, given values stay", "[operators][descriptor]") {
  const auto complete = complete_params(sound_plugin().operators[0],
                                        {{"query", "x"}, {"rate", 1}, {"words", "lone"}});
  REQUIRE(complete.has_value());
  CHECK(complete->size() == 5);
  CHECK(complete->at("rounds") == Value(5));
  CHECK(complete->at("mode") == Value("fast"));
  CHECK(complete->at("rate") == Value(1));
}

TEST_CASE("params: what does not fit is refused by name", "[operators][descriptor]") {
  CHECK_THAT(error_of({}), Contains("\"query\" is missing"));
  CHECK_THAT(error_of({{"query", 1}}), Contains("is a int where a string is wanted"));
  CHECK_THAT(error_of({{"query", "x"}, {"rate", -0.5}}), Contains("\"rate\" is below 0"));
  CHECK_THAT(error_of({{"query", "x"}, {"rounds", 5.0}}), Contains("is a float"));
  CHECK_THAT(error_of({{"query", "x"}, {"words", 3}}), Contains("where a list is wanted"));
  CHECK_THAT(error_of({{"qery", "x"}}), Contains("did you mean \"query\"?"));
}

TEST_CASE("descriptor: command.run takes what a step declares", "[operators][descriptor]") {
  const OperatorInfo info = pipelined::command_run_info();
  CHECK(info.open_inputs);
  CHECK(info.open_outputs);
  CHECK(info.input("anything")->many);
  CHECK(info.output("anything") != nullptr);
  CHECK(complete_params(info, {{"argv", ValueList{"cp", "{in.x}", "{out.y}"}}}).has_value());
  CHECK_FALSE(complete_params(info, {}).has_value());
}

TEST_CASE("descriptor: python.call needs its script and takes what a step declares",
          "[operators][descriptor]") {
  const OperatorInfo info = pipelined::python_call_info();
  CHECK_FALSE(info.input("code")->optional);
  CHECK_FALSE(info.input("code")->many);
  CHECK(info.input("rows")->many);
  CHECK(info.output("anything") != nullptr);
  CHECK(*complete_params(info, {})->at("python").as_text() == "python3");
}
