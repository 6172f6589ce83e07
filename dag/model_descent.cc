#include "dag/model_descent.h"

#include <algorithm>

namespace pipelined {
namespace {

constexpr std::size_t makers_max = 8192;    // results that a walk back looks at

// What a key text says of a step's code and parameters, but for its inputs.
void read_key_text(const std::string& key_text, const std::string& step, bool trained,
                   ModelFacts& facts) {
  std::size_t begin = 0;
  while (begin < key_text.size()) {
    std::size_t end = key_text.find('\n', begin);
    if (end == std::string::npos) end = key_text.size();
    const std::string line = key_text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t space = line.find(' ');
    if (space == std::string::npos) continue;
    const std::string kind = line.substr(0, space), rest = line.substr(space + 1);
    const std::size_t next = rest.find(' ');
    const std::string name = rest.substr(0, next);
    const std::string value = next == std::string::npos ? "" : rest.substr(next + 1);
    if (kind == "operator" || kind == "command") {
      facts.recipe.emplace(step + " " + kind, rest);
    } else if (kind == "param") {
      facts.recipe.emplace(step + " params." + name, value);
    } else if (kind == "library") {
      facts.code.emplace(step + " library " + name, value);
    } else if (kind == "build") {
      facts.code.emplace(step + " build", rest);
    } else if (kind == "seed" && trained) {
      facts.seed = rest;
    }
  }
}

}  // namespace

ModelDescent::ModelDescent(Ledger& ledger, const Run& run,
                           const std::map<std::string, PipelineState>& pipelines)
    : ledger_(ledger), run_(run) {
  for (const auto& [name, pipeline] : pipelines) {
    for (const auto& [source, spans] : pipeline.spans) {
      for (const auto& [span, versions] : spans) {
        for (const SpanRow& row : versions) {
          delivered_.emplace(row.artifact.digest, source + "/" + span + " version " +
                                                      std::to_string(row.version));
        }
      }
    }
  }
  // Several elements of a step may have made the same bytes: each is part of how they came.
  for (const Node& node : run.nodes) {
    if (node.result == 0 || !node.outputs) continue;
    const PipelineStep& step = run.pipeline->steps[node.step];
    for (const Binding& output : *node.outputs) {
      if (step.passed.contains(output.port)) continue;
      auto& results = own_[{node.step, output.artifact.digest}];
      if (results.empty() || results.back() != node.result) results.push_back(node.result);
    }
  }
}

void ModelDescent::walk(const std::string& reader, const Digest& model, ModelFacts& facts) {
  open_.push_back({model, maker_at(run_.pipeline->find(reader), "model"), "", ""});
  seen_.insert({model, open_.front().made_by});
  while (!open_.empty() && taken_.size() < makers_max) {
    const Open next = std::move(open_.front());
    open_.pop_front();
    const auto makers = makers_of(next);
    if (makers.empty()) note_root(next, facts);
    for (const Maker& maker : makers) {
      if (taken_.insert({maker.result.id, maker.name}).second) {
        take(maker, next.reader.empty(), facts);
      }
    }
  }
  if (facts.data.empty()) facts.data = roots_;
  std::sort(release_.begin(), release_.end());
}

// The step behind an input port, beyond those that only pass an artifact on.
StepIndex ModelDescent::maker_at(StepIndex reader, const std::string& port) const {
  std::string at = port;
  while (reader != no_step) {
    const auto& inputs = run_.pipeline->steps[reader].inputs;
    const auto input = std::find_if(inputs.begin(), inputs.end(),
                                    [&](const PipelineInput& one) { return one.port.name == at; });
    if (input == inputs.end() || input->step == no_step) return no_step;
    const auto& passed = run_.pipeline->steps[input->step].passed;
    const auto through = passed.find(input->output);
    if (through == passed.end()) return input->step;
    reader = input->step;
    at = through->second;
  }
  return no_step;
}

// The step of the run that did what a result of another run, or of another place, says.
StepIndex ModelDescent::like(const ResultRow& result) const {
  return result.pipeline == run_.row.pipeline ? run_.pipeline->find(result.step) : no_step;
}

std::vector<ModelDescent::Maker> ModelDescent::makers_of(const Open& open) {
  std::vector<Maker> makers;
  if (const auto own = own_.find({open.made_by, open.digest}); own != own_.end()) {
    const std::string& name = run_.pipeline->steps[open.made_by].spec.name;
    for (const std::int64_t id : own->second) {
      if (auto row = ledger_.find_result_by_id(id)) {
        makers.push_back({*std::move(row), open.made_by, name});
      }
    }
  }
  if (!makers.empty()) return makers;
  auto row = ledger_.find_maker(open.digest);
  if (!row) return makers;
  const StepIndex step = like(*row);
  std::string name = row->step;
  makers.push_back({*std::move(row), step, std::move(name)});
  return makers;
}

void ModelDescent::open(const Digest& digest, StepIndex reader, const std::string& name,
                        const std::string& port) {
  const StepIndex made_by = maker_at(reader, port);
  if (seen_.insert({digest, made_by}).second) open_.push_back({digest, made_by, name, port});
}

void ModelDescent::take(const Maker& maker, bool trained, ModelFacts& facts) {
  read_key_text(maker.result.key_text, maker.name, trained, facts);
  if (maker.step != no_step) {
    for (const ParamInfo& param : run_.pipeline->steps[maker.step].info->params) {
      if (param.default_value.is_null()) continue;
      facts.defaults.emplace(maker.name + " params." + param.name, canonical(param.default_value));
    }
  }
  for (const Binding& input : maker.result.inputs) {
    if (trained && input.artifact.type.starts_with("examples/")) {
      facts.data.push_back(input.artifact.digest.hex());
    }
    open(input.artifact.digest, maker.step, maker.name, input.port);
  }
}

// Delivered, or a file of a pipeline, which is part of the recipe.
void ModelDescent::note_root(const Open& root, ModelFacts& facts) {
  const auto found = delivered_.find(root.digest);
  if (found != delivered_.end()) {
    release_.push_back(found->second);
    roots_.push_back(root.digest.hex());
  } else if (!root.reader.empty()) {
    facts.recipe.emplace(root.reader + " input " + root.port, root.digest.hex());
  }
}

}  // namespace pipelined
