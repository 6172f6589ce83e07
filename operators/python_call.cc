#include "operators/python_call.h"

#include "operators/value_json.h"

namespace pipelined {

Result<std::vector<std::string>> python_words(const ValueTable& params, const CommandPaths& paths) {
  const auto script = paths.inputs.find(script_port);
  if (script == paths.inputs.end() || script->second.size() != 1) {
    return Error{ErrorCode::invalid, "python.call needs one script at its input \"code\", for "
                                     "example in.code = { file = \"step.py\" }"};
  }
  std::vector<std::string> words = {default_python, script->second.front()};
  if (const auto python = params.find("python"); python != params.end()) {
    if (python->second.as_text() == nullptr) {
      return Error{ErrorCode::invalid, "python must be the path or name of an interpreter"};
    }
    words.front() = *python->second.as_text();
  }
  for (const auto& [port, artifacts] : paths.inputs) {
    if (port == script_port || artifacts.empty()) continue;  // absent: the function's own default
    words.push_back(port + "=");
    words.insert(words.end(), artifacts.begin(), artifacts.end());
  }
  if (const auto arguments = params.find("arguments"); arguments != params.end()) {
    const ValueTable* table = arguments->second.as_table();
    if (table == nullptr) {
      return Error{ErrorCode::invalid, "arguments must be a table, for example { depth = 3 }"};
    }
    for (const auto& [name, value] : *table) words.push_back(name + ":=" + json_text(value));
  }
  for (const auto& [port, path] : paths.outputs) words.push_back(port + ">" + path);
  return words;
}

}  // namespace pipelined
