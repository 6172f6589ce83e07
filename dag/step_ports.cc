#include "dag/step_ports.h"

#include <algorithm>

#include "dag/nearest_name.h"
#include "dag/pipeline.h"

namespace pipelined {

std::vector<PortInfo> outputs_of(const StepSpec& step, const OperatorInfo& info,
                                 const ValueTable& params) {
  std::vector<PortInfo> ports = expand_outputs(info, params);
  if (!info.open_outputs) return ports;
  for (const OutputSpec& output : step.outputs) {
    ports.push_back({output.port, output.type, false, output.optional, output.evidence, {}, {}});
  }
  return ports;
}

Result<PortInfo> pick_output(const std::string& step, const std::vector<PortInfo>& outputs,
                             const std::string& name) {
  std::vector<std::string> known;
  std::vector<const PortInfo*> plain;
  for (const PortInfo& port : outputs) {
    if (!name.empty() && port.name == name) return port;
    if (!port.evidence && !port.optional) plain.push_back(&port);
    known.push_back(port.name);
  }
  if (!name.empty()) {
    return Error{ErrorCode::not_found,
                 "step '" + step + "' has no output '" + name + "'" + did_you_mean(name, known)};
  }
  if (plain.size() == 1) return *plain.front();
  std::string list;
  for (const std::string& port : known) {
    list += (list.empty() ? "\"" : ", \"") + step + '.' + port + '"';
  }
  if (known.empty()) return Error{ErrorCode::not_found, "step '" + step + "' has no outputs"};
  if (plain.empty()) {
    return Error{ErrorCode::invalid,
                 "step '" + step + "' has no output that is always there; name one: " + list};
  }
  return Error{ErrorCode::invalid, "step '" + step + "' has several outputs; name one: " + list};
}

std::optional<PortInfo> input_of(const StepSpec& step, const OperatorInfo& info,
                                 const std::string& port) {
  const PortInfo* found = info.input(port);
  if (found == nullptr) return std::nullopt;
  PortInfo result = *found;
  if (found->name == "*") {
    result.name = port;
    const auto input = std::find_if(step.inputs.begin(), step.inputs.end(),
                                    [&](const InputSpec& i) { return i.port == port; });
    result.optional = input != step.inputs.end() && input->optional;
  }
  return result;
}

bool types_fit(const std::string& given, const std::string& wanted) {
  if (wanted == "*" || given == "*") return true;
  for (std::size_t from = 0; from <= wanted.size();) {
    const std::size_t end = std::min(wanted.find('|', from), wanted.size());
    if (wanted.compare(from, end - from, given) == 0) return true;
    from = end + 1;
  }
  return false;
}

std::unordered_map<std::string_view, std::uint32_t> step_places(const PipelineSpec& spec) {
  std::unordered_map<std::string_view, std::uint32_t> places;
  places.reserve(spec.steps.size());
  for (std::uint32_t i = 0; i < spec.steps.size(); ++i) places.emplace(spec.steps[i].name, i);
  return places;
}

std::vector<std::string> fan_sources(const PipelineSpec& spec) {
  const auto places = step_places(spec);
  enum class Known : std::uint8_t { no, now, yes };
  std::vector<Known> known(spec.steps.size(), Known::no);
  std::vector<std::string> sources(spec.steps.size());
  for (std::uint32_t start = 0; start < spec.steps.size(); ++start) {
    // Down the chain of foreach until an answer, then the answer for all of the chain.
    std::vector<std::uint32_t> chain;
    std::string answer;
    for (std::uint32_t at = start;;) {
      if (known[at] == Known::yes) answer = sources[at];
      if (known[at] != Known::no) break;
      known[at] = Known::now;
      chain.push_back(at);
      const auto& foreach = spec.steps[at].foreach;
      if (!foreach) break;
      if (foreach->is_source) {
        answer = foreach->of;
        break;
      }
      const auto next = places.find(foreach->of);
      if (next == places.end()) break;
      if (spec.steps[next->second].generates) {
        answer = generated_source(foreach->of);
        break;
      }
      at = next->second;
    }
    for (const std::uint32_t step : chain) {
      known[step] = Known::yes;
      sources[step] = answer;
    }
  }
  return sources;
}

std::string generated_source(const std::string& step) { return "@" + step; }

std::string generator_of(const std::string& fan_source) {
  return is_generated_source(fan_source) ? fan_source.substr(1) : std::string();
}

ValueTable step_values(ValueTable values, const StepSpec* generator) {
  if (generator == nullptr || !generator->generates) return values;
  for (const auto& [name, value] : generator->generates->values) values["each." + name] = value;
  return values;
}

std::vector<Edge> step_edges(const PipelineSpec& spec) {
  const auto places = step_places(spec);
  std::vector<Edge> edges;
  for (std::uint32_t child = 0; child < spec.steps.size(); ++child) {
    const StepSpec& step = spec.steps[child];
    const auto add = [&](const std::string& parent) {
      const auto place = places.find(parent);
      if (place != places.end()) edges.push_back({place->second, child});
    };
    for (const InputSpec& input : step.inputs) {
      if (input.kind == InputSpec::Kind::step || input.kind == InputSpec::Kind::newest) {
        add(input.step);
      }
    }
    for (const std::string& name : step.after) add(name);
    if (step.foreach && !step.foreach->is_source) add(step.foreach->of);
  }
  return edges;
}

}  // namespace pipelined
