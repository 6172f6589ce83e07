// Plugins as JSON: what `pipelined-worker describe` prints and the daemon reads.
#include "operators/descriptor.h"
#include "operators/fields.h"

namespace pipelined {
namespace {

Value written(const PortInfo& port) {
  return ValueTable{{"name", port.name},         {"type", port.type},
                    {"many", port.many},         {"optional", port.optional},
                    {"evidence", port.evidence}, {"pass", port.pass},
                    {"doc", port.doc}};
}

Value written(const ParamInfo& param) {
  ValueTable table{{"name", param.name},
                   {"kind", param.kind},
                   {"default", param.default_value},
                   {"required", param.required},
                   {"choices", ValueList(param.choices.begin(), param.choices.end())},
                   {"doc", param.doc}};
  if (param.min) table["min"] = *param.min;
  if (param.max) table["max"] = *param.max;
  return table;
}

Value written(const LibraryInfo& library) {
  return ValueTable{{"name", library.name}, {"version", library.version}};
}

Value written(const OperatorInfo& info);

template <class T>
ValueList to_list(const std::vector<T>& items) {
  ValueList list;
  for (const T& item : items) list.push_back(written(item));
  return list;
}

// The flags that are on, by name.
struct Flag {
  const char* name;
  bool OperatorInfo::*member;
};
constexpr Flag flags[] = {
    {"deterministic", &OperatorInfo::deterministic}, {"cacheable", &OperatorInfo::cacheable},
    {"effect", &OperatorInfo::effect},               {"network", &OperatorInfo::network},
    {"entropy", &OperatorInfo::entropy},             {"resumable", &OperatorInfo::resumable},
    {"distributed", &OperatorInfo::distributed},     {"generates", &OperatorInfo::generates},
    {"open_inputs", &OperatorInfo::open_inputs},     {"open_outputs", &OperatorInfo::open_outputs},
};

Value written(const OperatorInfo& info) {
  ValueTable table{{"id", info.id},
                   {"behaviour", info.behaviour},
                   {"summary", info.summary},
                   {"doc", info.doc},
                   {"inputs", to_list(info.inputs)},
                   {"outputs", to_list(info.outputs)},
                   {"params", to_list(info.params)},
                   {"libraries", to_list(info.libraries)},
                   {"build", info.build},
                   {"cpus", info.cpus},
                   {"memory_bytes", info.memory_bytes}};
  for (const Flag& flag : flags) table[flag.name] = info.*flag.member;
  return table;
}

// Reads each table of a list with `read(Fields&)`.
template <class T, class Read>
Result<std::vector<T>> read_list(const ValueList& list, const std::string& what, Read read) {
  std::vector<T> items;
  for (const Value& value : list) {
    if (!value.as_table()) return Error{ErrorCode::invalid, "cannot read " + what + ": no table"};
    Fields fields(*value.as_table(), what);
    items.push_back(read(fields));
    if (fields.error()) return *fields.error();
  }
  return items;
}

PortInfo read_port(Fields& fields) {
  PortInfo port;
  port.name = fields.text("name", true);
  port.type = fields.text("type", true);
  port.many = fields.flag("many");
  port.optional = fields.flag("optional");
  port.evidence = fields.flag("evidence");
  port.pass = fields.text("pass");
  port.doc = fields.text("doc");
  return port;
}

ParamInfo read_param(Fields& fields) {
  ParamInfo param;
  param.name = fields.text("name", true);
  param.kind = fields.text("kind", true);
  if (const Value* value = fields.find("default")) param.default_value = *value;
  param.required = fields.flag("required");
  for (const Value& choice : fields.list("choices")) {
    if (!choice.as_text()) fields.refuse("choices", "holds something that is no string");
    if (choice.as_text()) param.choices.push_back(*choice.as_text());
  }
  if (fields.find("min")) param.min = fields.number("min");
  if (fields.find("max")) param.max = fields.number("max");
  param.doc = fields.text("doc");
  return param;
}

LibraryInfo read_library(Fields& fields) {
  return {fields.text("name", true), fields.text("version", true)};
}

Result<OperatorInfo> read_operator(const ValueTable& table) {
  Fields fields(table, "an operator's description");
  OperatorInfo info;
  info.id = fields.text("id", true);
  const std::string of = " of operator \"" + info.id + "\"";
  info.behaviour = fields.integer("behaviour", true);
  info.summary = fields.text("summary");
  info.doc = fields.text("doc");
  TRY(inputs, read_list<PortInfo>(fields.list("inputs"), "an input" + of, read_port));
  TRY(outputs, read_list<PortInfo>(fields.list("outputs"), "an output" + of, read_port));
  TRY(params, read_list<ParamInfo>(fields.list("params"), "a parameter" + of, read_param));
  TRY(libraries, read_list<LibraryInfo>(fields.list("libraries"), "a library" + of, read_library));
  info.inputs = std::move(inputs);
  info.outputs = std::move(outputs);
  info.params = std::move(params);
  info.libraries = std::move(libraries);
  info.build = fields.text("build");
  info.cpus = fields.number("cpus");
  info.memory_bytes = fields.integer("memory_bytes");
  for (const Flag& flag : flags) info.*flag.member = fields.flag(flag.name);
  if (fields.error()) return *fields.error();
  return info;
}

}  // namespace

Value to_value(const PluginInfo& plugin) {
  return ValueTable{{"id", plugin.id},
                    {"version", plugin.version},
                    {"operators", to_list(plugin.operators)},
                    {"fork_safe", plugin.fork_safe},
                    {"asks_libraries", plugin.asks_libraries},
                    {"threads", ValueList(plugin.threads.begin(), plugin.threads.end())}};
}

Result<PluginInfo> plugin_from_value(const Value& value) {
  if (!value.as_table()) {
    return Error{ErrorCode::invalid, "cannot read a plugin's description: it is no table"};
  }
  Fields fields(*value.as_table(), "a plugin's description");
  PluginInfo plugin;
  plugin.id = fields.text("id", true);
  plugin.version = fields.text("version");
  plugin.fork_safe = fields.flag("fork_safe", true);
  plugin.asks_libraries = fields.flag("asks_libraries");
  for (const Value& name : fields.list("threads")) {
    if (name.as_text()) plugin.threads.push_back(*name.as_text());
  }
  for (const Value& item : fields.list("operators", true)) {
    if (!item.as_table()) {
      return Error{ErrorCode::invalid, "cannot read plugin \"" + plugin.id +
                                           "\": an operator is no table"};
    }
    TRY(info, read_operator(*item.as_table()));
    info.plugin = plugin.id;
    plugin.operators.push_back(std::move(info));
  }
  if (fields.error()) return *fields.error();
  const std::vector<std::string> sentences = problems(plugin);
  if (!sentences.empty()) return Error{ErrorCode::invalid, sentences.front()};
  return plugin;
}

}  // namespace pipelined
