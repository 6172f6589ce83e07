#include "operators/descriptor.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "dag/nearest_name.h"
#include "operators/pipelined_plugin.h"
#include "operators/python_call.h"
#include "operators/value_json.h"

namespace pipelined {
namespace {

std::string text_or_empty(const char* text) { return text ? text : ""; }

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// "data.validate", "late", "examples": what may stand in a pipeline file and in a folder's name.
bool is_word(std::string_view text, std::string_view extra) {
  if (text.empty() || text.size() > 100) return false;
  return std::all_of(text.begin(), text.end(), [&](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') ||
           letter == '_' || extra.find(letter) != std::string_view::npos;
  });
}

bool is_type(std::string_view type) {
  if (type == "*") return true;
  const std::vector<std::string> parts = split(type, '|');
  return !parts.empty() && std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    const std::size_t slash = part.find('/');
    return slash != std::string::npos && is_word(part.substr(0, slash), "-.") &&
           part.size() > slash + 1 &&
           std::all_of(part.begin() + static_cast<std::ptrdiff_t>(slash) + 1, part.end(),
                       [](char digit) { return digit >= '0' && digit <= '9'; });
  });
}

// ---- C structs to plain values ----

// An array of pointers to structs that each cover version 0.1.
template <class T>
Result<void> check_array(const T* const* items, std::uint32_t count, const std::string& what) {
  if (count > 0 && !items) return Error{ErrorCode::invalid, what + " are missing"};
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string which = what + ", number " + std::to_string(i + 1) + ",";
    if (!items[i]) return Error{ErrorCode::invalid, which + " is missing"};
    if (items[i]->struct_size < sizeof(T)) {
      return Error{ErrorCode::invalid, which + " has " + std::to_string(items[i]->struct_size) +
                                           " bytes where this version has " +
                                           std::to_string(sizeof(T))};
    }
  }
  return {};
}

PortInfo read_port(const pl_port_t& port) {
  PortInfo info;
  info.name = text_or_empty(port.name);
  info.type = text_or_empty(port.type);
  info.many = (port.flags & PL_MANY) != 0;
  info.optional = (port.flags & PL_OPTIONAL) != 0;
  info.evidence = (port.flags & PL_EVIDENCE) != 0;
  info.pass = text_or_empty(port.pass);
  info.doc = text_or_empty(port.doc);
  return info;
}

Result<ParamInfo> read_param(const pl_param_t& param) {
  ParamInfo info;
  info.name = text_or_empty(param.name);
  info.kind = text_or_empty(param.kind);
  info.required = (param.flags & PL_REQUIRED) != 0;
  info.choices = split(text_or_empty(param.choices), '|');
  if (param.flags & PL_HAS_MIN) info.min = param.min;
  if (param.flags & PL_HAS_MAX) info.max = param.max;
  info.doc = text_or_empty(param.doc);
  if (!param.default_value) return info;
  if (info.kind == "string") {
    info.default_value = param.default_value;
    return info;
  }
  Result<Value> value = value_from_json(param.default_value);
  if (!value) return value.error().within("the default of parameter \"" + info.name + "\"");
  info.default_value = *std::move(value);
  return info;
}

LibraryInfo read_library(const pl_library_t& library) {
  const char* version = library.version;
  if (!version && library.read_version) version = library.read_version();
  return {text_or_empty(library.name), text_or_empty(version)};
}

void read_flags(std::uint32_t flags, OperatorInfo& info) {
  info.deterministic = (flags & PL_DETERMINISTIC) != 0;
  info.cacheable = (flags & PL_CACHEABLE) != 0;
  info.effect = (flags & PL_EFFECT) != 0;
  info.network = (flags & PL_NETWORK) != 0;
  info.entropy = (flags & PL_ENTROPY) != 0;
  info.generates = (flags & PL_GENERATES) != 0;
  info.resumable = (flags & PL_RESUMABLE) != 0;
  info.distributed = (flags & PL_DISTRIBUTED) != 0;
}

// "{shares}_statistics" without its braces: one port a key of the table parameter `shares`.
std::string plain_name(std::string name) {
  const std::size_t close = name.find('}');
  if (!name.starts_with("{") || close == std::string::npos) return name;
  name.erase(close, 1);
  return name.erase(0, 1);
}

// A "*" port of an operator means that the step names ports itself.
void mark_open(OperatorInfo& info) {
  const auto is_open = [](const PortInfo& port) { return port.name == "*"; };
  info.open_inputs = std::any_of(info.inputs.begin(), info.inputs.end(), is_open);
  info.open_outputs = std::any_of(info.outputs.begin(), info.outputs.end(), is_open);
}

Result<OperatorInfo> read_operator(const pl_operator_t& raw) {
  OperatorInfo info;
  info.id = text_or_empty(raw.id);
  const std::string of = " of operator \"" + info.id + "\"";
  TRY_VOID(check_array(raw.inputs, raw.input_count, "the inputs" + of));
  TRY_VOID(check_array(raw.outputs, raw.output_count, "the outputs" + of));
  TRY_VOID(check_array(raw.params, raw.param_count, "the parameters" + of));
  TRY_VOID(check_array(raw.libraries, raw.library_count, "the libraries" + of));
  if (!raw.run) return Error{ErrorCode::invalid, "the function" + of + " is missing"};
  info.behaviour = raw.behaviour;
  info.summary = text_or_empty(raw.summary);
  info.doc = text_or_empty(raw.doc);
  for (std::uint32_t i = 0; i < raw.input_count; ++i) {
    info.inputs.push_back(read_port(*raw.inputs[i]));
  }
  for (std::uint32_t i = 0; i < raw.output_count; ++i) {
    info.outputs.push_back(read_port(*raw.outputs[i]));
  }
  for (std::uint32_t i = 0; i < raw.param_count; ++i) {
    Result<ParamInfo> param = read_param(*raw.params[i]);
    if (!param) return param.error().within("operator \"" + info.id + "\"");
    info.params.push_back(*std::move(param));
  }
  for (std::uint32_t i = 0; i < raw.library_count; ++i) {
    info.libraries.push_back(read_library(*raw.libraries[i]));
  }
  read_flags(raw.flags, info);
  mark_open(info);
  if (raw.cpus > 0) info.cpus = raw.cpus;
  info.memory_bytes = raw.memory_bytes;
  return info;
}

// ---- the consistency check ----

// Collects sentences about one operator.
class Review {
 public:
  Review(const OperatorInfo& info, std::vector<std::string>& sentences)
      : info_(info), sentences_(sentences) {}

  void all() {
    if (!is_word(info_.id, ".") || info_.id.find('.') == std::string::npos) {
      say("has an id that is not like \"stage.verb\" in lower case");
    }
    if (info_.id.starts_with("command.")) say("uses the stage \"command\", which is built in");
    if (info_.behaviour < 1) say("has a behaviour version below 1");
    if (info_.summary.empty()) say("has no summary");
    if (info_.effect && info_.cacheable) say("has an effect and can therefore not be cacheable");
    if (info_.cpus < 0 || info_.memory_bytes < 0) say("has resources below zero");
    ports(info_.inputs, "input");
    ports(info_.outputs, "output");
    passes();
    params();
    libraries();
  }

 private:
  void say(const std::string& what) {
    sentences_.push_back("operator \"" + info_.id + "\" " + what);
  }

  void ports(const std::vector<PortInfo>& ports, const std::string& side) {
    std::set<std::string> names;
    for (const PortInfo& port : ports) {
      const std::string which = side + " \"" + port.name + "\"";
      if (port.name != "*" && !is_word(plain_name(port.name), "-")) {
        say("has an " + which + " of a bad name");
      }
      if (!names.insert(port.name).second) say("has the " + which + " twice");
      if (!is_type(port.type)) {
        say("has the " + which + " of type \"" + port.type + "\", which is not like \"name/1\"");
      }
      if (side == "input" && port.evidence) say("marks the " + which + " as evidence");
      if (side == "output" && port.many) say("marks the " + which + " as MANY");
    }
  }

  void passes() {
    for (const PortInfo& input : info_.inputs) {
      if (!input.pass.empty()) say("has the input \"" + input.name + "\" pass something on");
    }
    for (const PortInfo& output : info_.outputs) {
      if (output.pass.empty()) continue;
      const auto named = [&](const PortInfo& input) { return input.name == output.pass; };
      const auto input = std::find_if(info_.inputs.begin(), info_.inputs.end(), named);
      if (input == info_.inputs.end()) {
        say("passes on the input \"" + output.pass + "\", which it does not have");
      } else if (input->many) {
        say("passes on the input \"" + output.pass + "\", which is MANY");
      }
    }
  }

  void params() {
    std::set<std::string> names;
    for (const ParamInfo& param : info_.params) {
      const std::string which = "parameter \"" + param.name + "\"";
      if (!is_word(param.name, "-")) say("has a " + which + " of a bad name");
      if (!names.insert(param.name).second) say("has the " + which + " twice");
      static const std::set<std::string> kinds{"bool", "int",   "float", "string",
                                               "list", "table", "any"};
      if (!kinds.contains(param.kind)) {
        say("has the " + which + " of the unknown kind \"" + param.kind + "\"");
        continue;
      }
      const bool is_number = param.kind == "int" || param.kind == "float";
      if ((param.min || param.max) && !is_number) say("limits the " + which + ", no number");
      if (param.min && param.max && *param.min > *param.max) {
        say("has the " + which + " with a minimum above its maximum");
      }
      if (!param.choices.empty() && param.kind != "string") {
        say("has choices for the " + which + ", no string");
      }
      if (param.required && !param.default_value.is_null()) {
        say("has the required " + which + " with a default");
      }
      if (!param.default_value.is_null()) {
        if (const auto wrong = problem_of(param, param.default_value)) {
          say("has the " + which + " with a default that " + *wrong);
        }
      }
    }
  }

  void libraries() {
    std::set<std::string> names;
    for (const LibraryInfo& library : info_.libraries) {
      const bool plain = library.name.find_first_of(" \n") == std::string::npos &&
                         library.version.find('\n') == std::string::npos;
      if (library.name.empty() || library.version.empty() || !plain) {
        say("has the library \"" + library.name + "\" without a plain name and version");
      }
      if (!names.insert(library.name).second) say("has the library \"" + library.name + "\" twice");
    }
  }

 public:
  // What is wrong with a value for a parameter; nothing if it fits.
  static std::optional<std::string> problem_of(const ParamInfo& param, const Value& value) {
    const std::string kind = kind_name(value);
    const bool fits = param.kind == "any" || param.kind == kind ||
                      (param.kind == "float" && kind == "int") ||
                      (param.kind == "list" && kind == "string");
    if (!fits) return "is a " + kind + " where a " + param.kind + " is wanted";
    if (const std::string* text = value.as_text(); text && !param.choices.empty()) {
      return problem_of_choice(param, *text);
    }
    const std::int64_t* whole = value.as_int();
    const double* real = value.as_double();
    if (!whole && !real) return std::nullopt;
    const double number = whole ? static_cast<double>(*whole) : *real;
    if (std::isnan(number) && (param.min || param.max)) return "is nan where limits stand";
    if (param.min && number < *param.min) return "is below " + canonical(shortest(*param.min));
    if (param.max && number > *param.max) return "is above " + canonical(shortest(*param.max));
    return std::nullopt;
  }

 private:
  static std::optional<std::string> problem_of_choice(const ParamInfo& param,
                                                      const std::string& text) {
    if (std::find(param.choices.begin(), param.choices.end(), text) != param.choices.end()) {
      return std::nullopt;
    }
    std::string sentence = "is \"" + text + "\" where one of";
    for (const std::string& choice : param.choices) sentence += " " + choice;
    return sentence + " is wanted";
  }
  // 4 rather than 4.0 in a sentence.
  static Value shortest(double number) {
    const bool whole = std::floor(number) == number && std::abs(number) < 1e15;
    return whole ? Value(static_cast<std::int64_t>(number)) : Value(number);
  }

  const OperatorInfo& info_;
  std::vector<std::string>& sentences_;
};

std::string nearest(const OperatorInfo& info, const std::string& name) {
  std::vector<std::string> known;
  for (const ParamInfo& param : info.params) known.push_back(param.name);
  const std::string found = nearest_name(name, known);
  return found.empty() ? "" : ", did you mean \"" + found + "\"?";
}

Result<PluginInfo> accepted(PluginInfo plugin) {
  const std::vector<std::string> sentences = problems(plugin);
  if (sentences.empty()) return plugin;
  std::string all;
  for (const std::string& sentence : sentences) all += (all.empty() ? "" : "; ") + sentence;
  return Error{ErrorCode::invalid, "plugin \"" + plugin.id + "\" contradicts itself: " + all};
}

}  // namespace

Result<PluginInfo> read_entry(const pl_plugin& entry) {
  PluginInfo plugin;
  plugin.id = text_or_empty(entry.plugin_id);
  plugin.version = text_or_empty(entry.plugin_version);
  TRY_VOID(check_array(entry.operators, entry.operator_count,
                       "the operators of plugin \"" + plugin.id + "\""));
  for (std::uint32_t i = 0; i < entry.operator_count; ++i) {
    TRY(info, read_operator(*entry.operators[i]));
    info.plugin = plugin.id;
    const pl_operator_t& raw = *entry.operators[i];
    for (std::uint32_t library = 0; library < raw.library_count; ++library) {
      if (!raw.libraries[library]->version) plugin.asks_libraries = true;
    }
    plugin.operators.push_back(std::move(info));
  }
  return accepted(std::move(plugin));
}

std::vector<std::string> problems(const PluginInfo& plugin) {
  std::vector<std::string> sentences;
  if (!is_word(plugin.id, "-")) {
    sentences.push_back("its id \"" + plugin.id + "\" is not lower case, digits, '-' and '_'");
  }
  if (plugin.operators.empty()) sentences.push_back("it holds no operator");
  std::set<std::string> ids;
  for (const OperatorInfo& info : plugin.operators) {
    if (!ids.insert(info.id).second) {
      sentences.push_back("operator \"" + info.id + "\" is there twice");
    }
    Review(info, sentences).all();
  }
  return sentences;
}

Result<ValueTable> complete_params(const OperatorInfo& info, const ValueTable& params) {
  const std::string what = "cannot run operator \"" + info.id + "\": parameter \"";
  ValueTable complete;
  for (const auto& [name, value] : params) {
    const ParamInfo* param = info.param(name);
    if (!param) {
      return Error{ErrorCode::invalid, what + name + "\" is unknown" + nearest(info, name)};
    }
    if (const auto wrong = Review::problem_of(*param, value)) {
      return Error{ErrorCode::invalid, what + name + "\" " + *wrong};
    }
    complete[name] = value;
  }
  for (const ParamInfo& param : info.params) {
    if (complete.contains(param.name)) continue;
    if (param.required) return Error{ErrorCode::invalid, what + param.name + "\" is missing"};
    if (!param.default_value.is_null()) complete[param.name] = param.default_value;
  }
  return complete;
}

OperatorInfo command_run_info() {
  OperatorInfo info;
  info.id = command_operator;
  info.summary = "Runs a program";
  info.doc =
      "Runs argv with {in.x}, {out.y} and {scratch} replaced by paths.  Exit 0 is success, 75 try "
      "again, 65 halt, any other a failure.  The step declares the ports.";
  info.inputs = {{"*", "*", true, true, false, "", "what {in.x} stands for"}};
  info.outputs = {{"*", "*", false, true, false, "", "what the command makes at {out.y}"}};
  ParamInfo argv{"argv", "list", {}, true, {}, {}, {}, "the program and its arguments"};
  ParamInfo env{"env", "table", {}, false, {}, {}, {}, "its whole environment beside PATH"};
  ParamInfo input{"stdin", "string", {}, false, {}, {}, {}, "the input port that it reads"};
  info.params = {std::move(argv), std::move(env), std::move(input)};
  info.open_inputs = info.open_outputs = true;
  return info;
}

OperatorInfo python_call_info() {
  OperatorInfo info;
  info.id = python_operator;
  info.summary = "Calls a function in Python";
  info.doc =
      "Starts the script at `code`, whose function, marked with @step of the package pipelined_step, "
      "gets the other inputs and `arguments` by their names and makes the outputs at `out`.  Exit 0 "
      "is success, 75 try again, 65 halt, any other a failure.  The step declares the ports.";
  info.inputs = {{script_port, "*", false, false, false, "", "the script"},
                 {"*", "*", true, true, false, "", "an argument of the function"}};
  info.outputs = {{"*", "*", false, true, false, "", "what the function makes"}};
  info.params = {{"python", "string", default_python, false, {}, {}, {},
                  "the interpreter: a path, or a name on the system's PATH; its bytes are in the key"},
                 {"arguments", "table", {}, false, {}, {}, {}, "further arguments by name"},
                 {"env", "table", {}, false, {}, {}, {}, "its whole environment beside PATH"}};
  info.open_inputs = info.open_outputs = true;
  return info;
}

std::vector<OperatorInfo> builtin_operators() { return {command_run_info(), python_call_info()}; }

}  // namespace pipelined
