#include "dag/pipeline.h"

#include <algorithm>
#include <unordered_map>

#include "dag/graph.h"
#include "dag/model_version.h"
#include "dag/query_source.h"
#include "dag/step_ports.h"

namespace pipelined {
namespace {

Error defect(const StepSpec& step, const std::string& what) {
  return {ErrorCode::invalid, "step " + step.name + ": " + what};
}

// The step that an input's order hangs on; resolvers over history look back and impose no order.
const std::string* ordering_step(const InputSpec& input) {
  const bool forward =
      input.kind == InputSpec::Kind::step || input.kind == InputSpec::Kind::newest;
  return forward ? &input.step : nullptr;
}

// Steps that must be terminal first.
std::vector<std::string> parent_names(const StepSpec& step) {
  std::vector<std::string> names = step.after;
  for (const InputSpec& input : step.inputs) {
    if (const std::string* name = ordering_step(input)) names.push_back(*name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// The step of a foreach gives the elements; it is waited for only when it is read (rule 5).
std::vector<std::string> ordering_names(const StepSpec& step) {
  std::vector<std::string> names = parent_names(step);
  if (step.foreach && !step.foreach->is_source) names.push_back(step.foreach->of);
  return names;
}

// Parents before children, otherwise in file order.  Fewer steps than given: there is a cycle.
std::vector<std::uint32_t> ordered(const std::vector<StepSpec>& steps) {
  std::unordered_map<std::string_view, std::uint32_t> index;
  for (std::uint32_t i = 0; i < steps.size(); ++i) index.emplace(steps[i].name, i);
  std::vector<Edge> edges;
  for (std::uint32_t i = 0; i < steps.size(); ++i) {
    for (const std::string& name : ordering_names(steps[i])) {
      if (const auto found = index.find(name); found != index.end()) {
        edges.push_back({found->second, i});
      }
    }
  }
  return topological_order(steps.size(), edges).order;
}

class Compiler {
 public:
  Compiler(PipelineSpec spec, const OperatorSet& operators, const BundleFiles& files)
      : operators_(operators), pipeline_(std::make_shared<Pipeline>()) {
    pipeline_->spec = std::move(spec);
    pipeline_->files = files;
  }

  Result<std::shared_ptr<const Pipeline>> compile(const Digest& version) {
    pipeline_->version = version;
    std::vector<StepSpec> specs = std::move(pipeline_->spec.steps);
    pipeline_->spec.steps.clear();
    const std::vector<std::uint32_t> order = ordered(specs);
    if (order.size() != specs.size()) {
      return Error{ErrorCode::invalid, "the steps of " + pipeline_->spec.name + " form a cycle"};
    }
    pipeline_->steps.reserve(order.size());
    pipeline_->file_order.resize(order.size());
    for (const std::uint32_t i : order) {
      pipeline_->file_order[i] = static_cast<StepIndex>(pipeline_->steps.size());
      TRY_VOID(add_step(std::move(specs[i])));
    }
    for (PipelineStep& step : pipeline_->steps) TRY_VOID(connect(step));
    for (StepIndex i = 0; i < pipeline_->steps.size(); ++i) note_place(i);
    note_depths();
    for (const SourceSpec& source : pipeline_->spec.sources) TRY_VOID(add_query(source));
    return std::shared_ptr<const Pipeline>(pipeline_);
  }

 private:
  /// One copy of each operator for all the steps that use it; null: there is none of that id.
  std::shared_ptr<const OperatorInfo> operator_of(const std::string& id) {
    const auto known = shared_.find(id);
    if (known != shared_.end()) return known->second;
    const auto found = operators_.find(id);
    if (found == operators_.end()) return nullptr;
    return shared_.emplace(id, std::make_shared<const OperatorInfo>(found->second)).first->second;
  }

  Result<void> add_step(StepSpec&& from) {
    PipelineStep step;
    step.spec = std::move(from);
    StepSpec& spec = step.spec;
    spec.param_positions = {}, spec.key_positions = {};  // the file has been judged
    const auto found = operator_of(spec.operator_id);
    if (!found) return defect(spec, "unknown operator " + spec.operator_id);
    step.info = found;
    ReviewSpec& review = spec.review;
    const bool registers = step.info->id == register_model_operator;
    if (registers && !review.given) review.required = true;
    if (review.automatic && !registers) {
      return defect(spec, "review = \"auto\" is for steps of model.register, where the evaluation "
                          "says whether the model is blessed");
    }
    if (spec.foreach) {
      const StepIndex of = spec.foreach->is_source ? no_step : pipeline_->find(spec.foreach->of);
      if (!spec.foreach->is_source && of == no_step) {
        return defect(spec, "foreach names the unknown step " + spec.foreach->of);
      }
      if (spec.foreach->is_source) {
        step.fan_source = spec.foreach->of;
      } else {
        const PipelineStep& maker = pipeline_->steps[of];
        step.fan_source = maker.spec.generates ? generated_source(maker.spec.name) : maker.fan_source;
      }
    }
    ValueTable own;
    const bool generated = is_generated_source(step.fan_source);
    if (generated) own = pipeline_->step_values(step.fan_source);
    TRY(params, resolve_params(spec.params, generated ? own : pipeline_->spec.params,
                               pipeline_->files));
    for (const PortInfo& port : expand_outputs(*step.info, params)) {
      step.outputs.push_back({port.name, port.type, port.evidence, port.optional, spec.at});
      if (!port.pass.empty()) step.passed.emplace(port.name, port.pass);
    }
    for (const OutputSpec& output : spec.outputs) step.outputs.push_back(output);
    std::sort(step.outputs.begin(), step.outputs.end(),
              [](const OutputSpec& a, const OutputSpec& b) { return a.port < b.port; });
    pipeline_->index.emplace(spec.name, static_cast<StepIndex>(pipeline_->steps.size()));
    pipeline_->steps.push_back(std::move(step));
    return {};
  }

  Result<void> connect(PipelineStep& step) {
    for (const InputSpec& spec : step.spec.inputs) {
      PipelineInput input;
      input.spec = spec;
      const PortInfo* port = step.info->input(spec.port);
      if (port == nullptr) return defect(step.spec, "unknown input port " + spec.port);
      input.port = *port;
      input.port.name = spec.port, input.port.doc.clear();
      if (port->name == "*") input.port.optional = spec.optional;  // rule 2
      if (!spec.step.empty()) TRY_VOID(connect_step(step, input));
      if (spec.kind == InputSpec::Kind::file) TRY_VOID(connect_file(step, input));
      if (spec.kind == InputSpec::Kind::model) input.port.type = "model/1";
      step.inputs.push_back(std::move(input));
    }
    std::sort(step.inputs.begin(), step.inputs.end(),
              [](const PipelineInput& a, const PipelineInput& b) { return a.port.name < b.port.name; });
    for (const std::string& name : parent_names(step.spec)) {
      const StepIndex parent = pipeline_->find(name);
      if (parent == no_step) return defect(step.spec, "unknown step " + name);
      step.parents.push_back(parent);
    }
    const StepIndex generator = pipeline_->find(generator_of(step.fan_source));
    const bool known = std::find(step.parents.begin(), step.parents.end(), generator) !=
                       step.parents.end();
    if (generator != no_step && !known) step.parents.push_back(generator);
    return {};
  }

  Result<void> connect_step(const PipelineStep& step, PipelineInput& input) {
    input.step = pipeline_->find(input.spec.step);
    if (input.step == no_step) return defect(step.spec, "unknown step " + input.spec.step);
    const PipelineStep& from = pipeline_->steps[input.step];
    input.output = input.spec.output;
    if (input.output.empty()) {
      for (const OutputSpec& output : from.outputs) {  // rule 1
        if (output.evidence || output.optional) continue;
        if (!input.output.empty()) {
          return defect(step.spec, "step " + from.spec.name + " has several outputs; name one");
        }
        input.output = output.port;
      }
    }
    const OutputSpec* found = nullptr;
    for (const OutputSpec& output : from.outputs) {
      if (output.port == input.output) found = &output;
    }
    if (found == nullptr) {
      return defect(step.spec, "step " + from.spec.name + " has no output " + input.output);
    }
    input.evidence = found->evidence;
    if (input.port.type == "*" || input.port.type.find('|') != std::string::npos) {
      input.port.type = found->type;
    }
    input.collects = input.spec.kind == InputSpec::Kind::newest ||
                     input.spec.kind == InputSpec::Kind::results ||
                     (input.spec.kind == InputSpec::Kind::step && !from.fan_source.empty() &&
                      from.fan_source != step.fan_source);
    return {};
  }

  Result<void> connect_file(const PipelineStep& step, PipelineInput& input) {
    const auto file = pipeline_->files.find(input.spec.file);
    if (file == pipeline_->files.end()) {
      return defect(step.spec, "the bundle holds no file " + input.spec.file);
    }
    std::string type = input.port.type;
    if (type == "*" || type.find('|') != std::string::npos) type = "files/1";
    const Manifest manifest = file_manifest(type, input.spec.file, file->second);
    input.file = {manifest.digest(), type, manifest.size()};
    return {};
  }

  Result<void> add_query(const SourceSpec& source) {
    if (source.kind != "query") return {};
    const auto poller = operators_.find(query_operator);
    if (poller == operators_.end()) {
      return Error{ErrorCode::invalid, "source " + source.name + " needs the operator " +
                                           query_operator + ", which no installed plugin has"};
    }
    pipeline_->poller = poller->second;
    auto params = resolve_params(source.query.params, {}, pipeline_->files);
    if (!params) return params.error().within("source " + source.name);
    pipeline_->query_params[source.name] = *std::move(params);
    return {};
  }

  // Parents stand before children, so what a step reads through others is known when it is met.
  void note_place(StepIndex index) {
    PipelineStep& step = pipeline_->steps[index];
    bool collects = std::any_of(step.inputs.begin(), step.inputs.end(),
                                [](const PipelineInput& input) { return input.collects; });
    for (const StepIndex parent : step.parents) {
      pipeline_->steps[parent].consumers.push_back(index);
      collects = collects || reads_collection_[parent];
    }
    reads_collection_.push_back(collects);
    step.below_collector = collects && !step.fan_source.empty();
  }

  void note_depths() {
    for (std::size_t i = pipeline_->steps.size(); i-- > 0;) {
      PipelineStep& step = pipeline_->steps[i];
      for (const StepIndex child : step.consumers) {
        step.depth_to_end = std::max(step.depth_to_end, pipeline_->steps[child].depth_to_end + 1);
      }
    }
  }

  const OperatorSet& operators_;
  std::shared_ptr<Pipeline> pipeline_;
  std::map<std::string, std::shared_ptr<const OperatorInfo>, std::less<>> shared_;
  std::vector<bool> reads_collection_;  // of each step placed so far, itself or through others
};

Result<Value> resolve(const Value& value, const ValueTable& values, const BundleFiles& files);

// Replaces ${name} in text; text that is nothing but one reference takes the value's own kind.
Result<Value> resolve_text(const std::string& text, const ValueTable& values) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.compare(at, 3, "$${") == 0) {
      out += "${";
      at += 3;
      continue;
    }
    if (text.compare(at, 2, "${") != 0) {
      out += text[at++];
      continue;
    }
    const std::size_t end = text.find('}', at);
    if (end == std::string::npos) {
      return Error{ErrorCode::invalid, "`${` without `}` in " + quoted(text)};
    }
    const std::string name = text.substr(at + 2, end - at - 2);
    const auto found = values.find(name);
    if (found == values.end()) {
      return Error{ErrorCode::invalid, "unknown parameter ${" + name + "}; declare it in [params]"};
    }
    if (at == 0 && end + 1 == text.size()) return found->second;
    const std::string* inner = found->second.as_text();
    out += inner != nullptr ? *inner : canonical(found->second);
    at = end + 1;
  }
  return Value(out);
}

Result<Value> resolve_table(const ValueTable& table, const ValueTable& values,
                            const BundleFiles& files) {
  if (table.size() == 1 && table.begin()->first == "file" && table.begin()->second.as_text()) {
    const std::string& name = *table.begin()->second.as_text();
    const auto found = files.find(name);
    if (found == files.end()) {
      return Error{ErrorCode::invalid, "the bundle holds no file " + quoted(name)};
    }
    return Value(found->second);
  }
  TRY(resolved, resolve_params(table, values, files));
  return Value(std::move(resolved));
}

Result<Value> resolve(const Value& value, const ValueTable& values, const BundleFiles& files) {
  if (const std::string* text = value.as_text()) return resolve_text(*text, values);
  if (const ValueTable* table = value.as_table()) return resolve_table(*table, values, files);
  if (const ValueList* list = value.as_list()) {
    ValueList out;
    for (const Value& item : *list) {
      TRY(resolved, resolve(item, values, files));
      out.push_back(std::move(resolved));
    }
    return Value(std::move(out));
  }
  return value;
}

}  // namespace

StepIndex Pipeline::find(std::string_view name) const {
  const auto found = index.find(name);
  return found == index.end() ? no_step : found->second;
}

ValueTable Pipeline::step_values(const std::string& fan_source) const {
  const StepIndex generator = find(generator_of(fan_source));
  return pipelined::step_values(spec.params, generator == no_step ? nullptr : &steps[generator].spec);
}

PipelineSpec Pipeline::whole_spec() const {
  PipelineSpec whole = spec;
  whole.steps.reserve(steps.size());
  for (const StepIndex at : file_order) whole.steps.push_back(steps[at].spec);
  return whole;
}

Manifest file_manifest(const std::string& type, const std::string& path, std::string_view content) {
  const std::size_t slash = path.rfind('/');
  const std::string base = slash == std::string::npos ? path : path.substr(slash + 1);
  return {type, {{base, sha256(content), static_cast<std::int64_t>(content.size()), false}}};
}

std::vector<PortInfo> expand_outputs(const OperatorInfo& info, const ValueTable& params) {
  std::vector<PortInfo> ports;
  for (const PortInfo& port : info.outputs) {
    if (port.name == "*") continue;
    const std::size_t close = port.name.find('}');
    if (!port.name.starts_with("{") || close == std::string::npos) {
      ports.push_back(port);
      continue;
    }
    const auto found = params.find(port.name.substr(1, close - 1));
    const ValueTable* table = found == params.end() ? nullptr : found->second.as_table();
    if (table == nullptr) continue;
    for (const auto& [key, value] : *table) {
      PortInfo one = port;
      one.name = key + port.name.substr(close + 1);
      ports.push_back(std::move(one));
    }
  }
  return ports;
}

Result<std::shared_ptr<const Pipeline>> compile(PipelineSpec spec,
                                                const OperatorSet& operators,
                                                const BundleFiles& files, const Digest& version) {
  return Compiler(std::move(spec), operators, files).compile(version);
}

Result<ValueTable> resolve_params(const ValueTable& params, const ValueTable& values,
                                  const BundleFiles& files) {
  ValueTable out;
  for (const auto& [name, value] : params) {
    auto resolved = resolve(value, values, files);
    if (!resolved) return resolved.error().within("parameter " + name);
    out.emplace(name, *std::move(resolved));
  }
  return out;
}

}  // namespace pipelined
