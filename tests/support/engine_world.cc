#include "tests/support/engine_world.h"

#include <catch2/catch.hpp>

#include "dag/check.h"
#include "dag/run_state.h"
#include "dag/spec_toml.h"

namespace pipelined {

PortInfo port(std::string name, std::string type, bool many,
              bool optional, bool evidence, std::string pass) {
  PortInfo info;
  info.name = std::move(name);
  info.type = std::move(type);
  info.many = many;
  info.optional = optional;
  info.evidence = evidence;
  info.pass = std::move(pass);
  return info;
}

OperatorInfo fake_operator(std::string id, std::vector<PortInfo> inputs,
                                  std::vector<PortInfo> outputs, std::vector<std::string> params) {
  OperatorInfo info;
  info.id = std::move(id);
  info.plugin = "fake";
  info.inputs = std::move(inputs);
  info.outputs = std::move(outputs);
  for (std::string& name : params) {
    ParamInfo param;
    param.name = std::move(name);
    param.kind = "any";
    info.params.push_back(std::move(param));
  }
  return info;
}

OperatorSet fake_operators() {
  OperatorSet set;
  auto add = [&](OperatorInfo info) { set.emplace(info.id, std::move(info)); };
  add(fake_operator("ingest.files", {port("files")}, {port("examples", "examples/1")}, {"null"}));
  OperatorInfo sql = fake_operator("data.sql", {port("*", "*", true)},
                                   {port("examples", "examples/1")}, {"query"});
  sql.open_inputs = true;
  add(sql);
  add(fake_operator("data.statistics", {port("examples", "examples/1", true)},
                    {port("statistics", "statistics/1")}, {"label"}));
  add(fake_operator("data.validate",
                    {port("examples", "examples/1"), port("statistics", "statistics/1"),
                     port("schema", "schema/1"), port("previous", "statistics/1", false, true)},
                    {port("examples", "examples/1", false, false, false, "examples"),
                     port("anomalies", "anomalies/1", false, false, true),
                     port("report", "report/1", false, false, true)},
                    {"drift", "label"}));
  add(fake_operator("data.split", {port("examples", "examples/1", true)},
                    {port("{shares}", "examples/1")}, {"key", "shares"}));
  add(fake_operator("train.trees", {port("examples", "examples/1", true)},
                    {port("model", "model/1")}, {"label", "max_depth", "rounds"}));
  add(fake_operator("model.evaluate", {port("model", "model/1"), port("examples", "examples/1", true)},
                    {port("evaluation", "evaluation/1")}));
  add(fake_operator("one", {port("in", "files/1", true, true)}, {port("out")}, {"p"}));
  add(fake_operator("many", {port("in", "files/1", true)}, {port("out")}, {"p"}));
  add(fake_operator("single", {port("in", "files/1", false, false)}, {port("out")}, {"p"}));
  add(fake_operator("gate", {port("in", "files/1")},
                    {port("out", "files/1", false, false, false, "in"),
                     port("report", "report/1", false, false, true)}, {"p"}));
  return set;
}

EngineWorld::EngineWorld() {
  engine->use_zones(zones);
  turn(event::CapacityChanged{capacity});
}

EngineWorld::~EngineWorld() = default;

std::shared_ptr<const Pipeline> EngineWorld::compiled(const std::string& text,
                                                      const BundleFiles& files) {
  ParsedPipeline parsed = parse_pipeline(text, "pipeline.toml");
  std::string problems;
  for (const Diagnostic& d : parsed.problems) problems += d.message + "\n";
  INFO(problems);
  REQUIRE(parsed.spec);
  BundleFiles bundle = files;
  bundle["pipeline.toml"] = text;
  std::string all = text;
  for (const auto& [name, content] : files) all += name + content;
  auto pipeline = compile(*parsed.spec, operators, bundle, sha256(all));
  if (!pipeline) FAIL(pipeline.error().message);
  return *pipeline;
}

void EngineWorld::apply(const std::string& text, const BundleFiles& files) {
  pipelines.push_back(compiled(text, files));
  turn(event::PipelineApplied{pipelines.back(), 0, "/data"});
}

RunNumber EngineWorld::run(const std::string& pipeline, RunOptions options) {
  turn(event::RunRequested{++last_request, pipeline, std::move(options), "uid 1000"});
  REQUIRE(!replies.empty());
  if (replies.back().error) FAIL(replies.back().error->message);
  return replies.back().run;
}

void EngineWorld::turn(const Event& event) {
  REQUIRE(ledger.begin());
  effects.clear();
  engine->apply(event, now, effects);
  for (auto due = engine->next_timer(); due && *due <= now.steady_ms; due = engine->next_timer()) {
    engine->apply(event::TimeReached{}, now, effects);
  }
  REQUIRE(ledger.commit());
  take_effects();
}

void EngineWorld::take_effects() {
  for (const Effect& e : effects) {
    if (const auto* start = std::get_if<effect::StartAttempt>(&e)) {
      started.push_back(*start);
      log.push_back("start " + step_path(start->step, start->element));
    } else if (const auto* kill = std::get_if<effect::KillAttempt>(&e)) {
      killed.push_back(*kill);
    } else if (const auto* reply = std::get_if<effect::Reply>(&e)) {
      replies.push_back(*reply);
    }
  }
}

ArtifactRef EngineWorld::artifact(const std::string& content, const std::string& type) {
  return {sha256(type + content), type, static_cast<std::int64_t>(content.size())};
}

void EngineWorld::arrive(const std::string& pipeline, const std::string& source,
                         const std::string& span, const std::string& content) {
  turn(event::Arrived{pipeline, source, span, artifact(content), span + ".csv"});
}

void EngineWorld::wait(std::int64_t ms) {
  now.wall_ms += ms;
  now.steady_ms += ms;
  turn(event::TimeReached{});
}

event::AttemptEnded EngineWorld::answer(const effect::StartAttempt& start, Outcome outcome) {
  event::AttemptEnded ended;
  ended.attempt = start.attempt;
  ended.fence = start.fence;
  ended.outcome = outcome;
  std::string text = start.operator_id + canonical(Value(start.params));
  for (const PortInputs& in : start.inputs) {
    for (const ArtifactRef& a : in.artifacts) text += in.port + a.digest.hex();
  }
  if (outcome == Outcome::ok || outcome == Outcome::halt) {
    for (const OutputSpec& out : start.outputs) {
      ended.outputs.push_back({out.port, 0, artifact(text + out.port, out.type)});
    }
  } else {
    ended.error = "the fake operator failed";
  }
  if (outcome == Outcome::halt) ended.error = "the data look wrong";
  return ended;
}

void EngineWorld::end(std::size_t i, Outcome outcome, bool retryable) {
  const effect::StartAttempt start = started.at(i);
  started.erase(started.begin() + static_cast<std::ptrdiff_t>(i));
  event::AttemptEnded ended = answer(start, outcome);
  ended.retryable = retryable;
  turn(ended);
}

void EngineWorld::run_all() {
  while (!started.empty()) {
    const auto verdict = verdicts.find(step_path(started.front().step, started.front().element));
    end(0, verdict == verdicts.end() ? Outcome::ok : verdict->second);
  }
}

void EngineWorld::restart() {
  started.clear();
  engine = std::make_unique<Engine>(ledger, 43);
  engine->use_zones(zones);
  auto found = ledger.recover();
  REQUIRE(found);
  REQUIRE(ledger.begin());
  effects.clear();
  std::vector<Effect> first;
  engine->apply(event::CapacityChanged{capacity}, now, first);
  engine->recover(*found, pipelines, now, effects);
  REQUIRE(ledger.commit());
  take_effects();
}

RunState EngineWorld::run_state(RunNumber number) const { return ledger.runs.at(number).state; }

StepRow EngineWorld::step(RunNumber number, const std::string& step,
                          const std::string& element) const {
  const auto found = ledger.steps.find({number, step, element});
  return found == ledger.steps.end() ? StepRow{} : found->second;
}

StepState EngineWorld::state(RunNumber number, const std::string& name,
                             const std::string& element) const {
  return step(number, name, element).state;
}

SpanState EngineWorld::span_state(const std::string& pipeline, const std::string& source,
                                  const std::string& span, std::int64_t version) const {
  return ledger.spans.at({pipeline, source, span, version}).state;
}

}  // namespace pipelined
