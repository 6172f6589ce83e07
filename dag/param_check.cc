#include "dag/param_check.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "dag/nearest_name.h"
#include "dag/step_ports.h"

namespace pipelined {
namespace {

// Visits every text in a value with the dotted name of where it stands.
template <class Visit>
void for_each_text(const Value& value, const std::string& name, Visit& visit) {
  if (const std::string* text = value.as_text()) {
    visit(name, *text);
  } else if (const ValueList* list = value.as_list()) {
    for (const Value& item : *list) for_each_text(item, name, visit);
  } else if (const ValueTable* table = value.as_table()) {
    for (const auto& [key, item] : *table) {
      for_each_text(item, name.empty() ? key : name + '.' + key, visit);
    }
  }
}

std::string number_text(double number) {
  char buffer[40];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr};
}

// What ${…} and { file = … } leave to be judged; nothing when a reference leads nowhere.
class ParamChecker {
 public:
  ParamChecker(const StepSpec& step, const OperatorInfo& info, const ValueTable& values,
               const BundleFiles& files)
      : step_(step), info_(info), values_(values), files_(files) {}

  std::vector<ParamProblem> check() {
    for (const auto& [name, value] : step_.params) check_one(name, value);
    for (const ParamInfo& param : info_.params) {
      if (param.required && step_.params.find(param.name) == step_.params.end()) {
        say("", "step '" + step_.name + "' lacks the parameter '" + param.name + "' that '" +
                    info_.id + "' requires");
      }
    }
    return std::move(problems_);
  }

 private:
  void say(const std::string& name, std::string message) {
    problems_.push_back({name, std::move(message)});
  }

  void check_one(const std::string& name, const Value& value) {
    const ParamInfo* param = info_.param(name);
    if (param == nullptr) {
      std::vector<std::string> known;
      for (const ParamInfo& one : info_.params) known.push_back(one.name);
      say(name, "'" + info_.id + "' has no parameter '" + name + "'" + did_you_mean(name, known));
    }
    const std::size_t before = problems_.size();
    check_references(name, value);
    check_files(name, value);
    if (param == nullptr || problems_.size() > before) return;
    auto resolved = resolve_params({{name, value}}, values_, files_);
    if (!resolved) return say(name, resolved.error().message);
    check_kind(name, *param, resolved->begin()->second);
  }

  void check_references(const std::string& name, const Value& value) {
    std::vector<std::string> known;
    for (const auto& [one, ignored] : values_) known.push_back(one);
    auto visit = [&](const std::string& where, const std::string& text) {
      for (const std::string& reference : references_in(Value(text))) {
        if (values_.find(reference) != values_.end()) continue;
        say(where, "unknown parameter ${" + reference + "}: [params] has no '" + reference + "'" +
                       did_you_mean(reference, known));
      }
    };
    for_each_text(value, name, visit);
  }

  void check_files(const std::string& name, const Value& value) {
    const ValueTable* table = value.as_table();
    if (table == nullptr) return;
    if (const std::string* file = file_reference(*table)) {
      if (files_.find(*file) == files_.end()) {
        std::vector<std::string> known;
        for (const auto& [one, ignored] : files_) known.push_back(one);
        say(name, "there is no file '" + *file + "' beside the pipeline" +
                      did_you_mean(*file, known));
      }
      return;
    }
    for (const auto& [key, item] : *table) check_files(name + '.' + key, item);
  }

  void check_kind(const std::string& name, const ParamInfo& param, const Value& value) {
    const std::string found = kind_name(value);
    // A whole number is good enough where a decimal is asked for.
    const bool fits = param.kind == "any" || param.kind == found ||
                      (param.kind == "float" && found == "int");
    if (!fits) {
      return say(name, "parameter '" + name + "' of '" + info_.id + "' must be " +
                           article(param.kind) + ", not " + article(found));
    }
    if (const std::string* text = value.as_text()) check_choice(name, param, *text);
    check_limits(name, param, value);
  }

  static std::string article(const std::string& kind) {
    if (kind == "int") return "an integer";
    if (kind == "float") return "a number";
    if (kind == "bool") return "true or false";
    return "a " + kind;
  }

  void check_choice(const std::string& name, const ParamInfo& param, const std::string& text) {
    const auto& choices = param.choices;
    if (choices.empty() || std::count(choices.begin(), choices.end(), text) > 0) return;
    std::string list;
    for (const std::string& choice : choices) list += (list.empty() ? "" : ", ") + choice;
    say(name, "parameter '" + name + "' of '" + info_.id + "' must be one of " + list + ", not '" +
                  text + "'" + did_you_mean(text, choices));
  }

  // The limits of a table or list hold for every number in it.
  void check_limits(const std::string& name, const ParamInfo& param, const Value& value) {
    if (const ValueTable* table = value.as_table()) {
      for (const auto& [key, item] : *table) check_limits(name + '.' + key, param, item);
    } else if (const ValueList* list = value.as_list()) {
      for (const Value& item : *list) check_limits(name, param, item);
    }
    std::optional<double> number;
    if (const std::int64_t* integer = value.as_int()) number = static_cast<double>(*integer);
    if (const double* real = value.as_double()) number = *real;
    if (!number) return;
    const std::string start = "parameter '" + name + "' of '" + info_.id + "' must be at ";
    // Written so that nan, which no limit allows, is caught too.
    if (param.min && !(*number >= *param.min)) {
      say(name, start + "least " + number_text(*param.min) + ", not " + number_text(*number));
    } else if (param.max && !(*number <= *param.max)) {
      say(name, start + "most " + number_text(*param.max) + ", not " + number_text(*number));
    }
  }

  const StepSpec& step_;
  const OperatorInfo& info_;
  const ValueTable& values_;
  const BundleFiles& files_;
  std::vector<ParamProblem> problems_;
};

// Judges the words of one argv template against the ports that the step declares.
class TemplateChecker {
 public:
  TemplateChecker(const StepSpec& step, const OperatorInfo& info,
                  std::vector<ParamProblem>& problems)
      : step_(step), info_(info), problems_(problems) {
    for (const InputSpec& input : step.inputs) inputs_.push_back(input.port);
    for (const OutputSpec& output : step.outputs) outputs_.push_back(output.port);
  }

  void check_word(const std::string& word) {
    for (std::size_t at = 0; at < word.size(); ++at) {
      const char c = word[at];
      if (c != '{' && c != '}') continue;
      if (at + 1 < word.size() && word[at + 1] == c) {
        ++at;
      } else if (c == '{' && at > 0 && word[at - 1] == '$') {
        at = std::min(word.find('}', at), word.size());  // a literal ${…}, written $${…}
      } else if (c == '}') {
        return say(word, "a single '}'; a brace itself is written }}");
      } else {
        const std::size_t end = word.find('}', at);
        if (end == std::string::npos) {
          return say(word, "'{' is not closed; a brace itself is written {{");
        }
        check_placeholder(word, word.substr(at + 1, end - at - 1),
                          at == 0 && end + 1 == word.size());
        at = end;
      }
    }
  }

  /// Declared outputs that no word names can never be made.
  void check_all_made() {
    for (const std::string& port : outputs_) {
      if (std::count(made_.begin(), made_.end(), port) > 0) continue;
      problems_.push_back({"argv", "step '" + step_.name + "' declares the output '" + port +
                                       "', and no word of argv says {out." + port + "}"});
    }
  }

 private:
  void say(const std::string& word, const std::string& what) {
    problems_.push_back({"argv", "in the word '" + word + "': " + what});
  }

  void check_placeholder(const std::string& word, const std::string& inside, bool alone) {
    if (inside == "scratch") return;
    if (inside.starts_with("secret.")) {
      const std::string secret = inside.substr(7);
      if (std::count(step_.secrets.begin(), step_.secrets.end(), secret) > 0) return;
      return say(word, "{" + inside + "}: step '" + step_.name + "' does not name the secret '" +
                           secret + "'" + did_you_mean(secret, step_.secrets) +
                           "; add it to secrets = […]");
    }
    if (inside.starts_with("out.")) {
      const std::string port = inside.substr(4);
      made_.push_back(port);
      if (std::count(outputs_.begin(), outputs_.end(), port) > 0) return;
      return say(word, "{" + inside + "}: step '" + step_.name + "' declares no output '" + port +
                           "'" + did_you_mean(port, outputs_) + "; declare it with out." + port +
                           " = \"files/1\"");
    }
    if (!inside.starts_with("in.")) {
      return say(word, "unknown placeholder {" + inside +
                           "}; there are {in.PORT}, {out.PORT}, {secret.NAME} and {scratch}");
    }
    const std::string port = inside.substr(3);
    if (std::count(inputs_.begin(), inputs_.end(), port) == 0) {
      return say(word, "{" + inside + "}: step '" + step_.name + "' declares no input '" + port +
                           "'" + did_you_mean(port, inputs_));
    }
    const auto info = input_of(step_, info_, port);
    if (!alone && info && info->optional) {
      say(word, "{" + inside + "} may be absent, so it must be a word of its own");
    }
  }

  const StepSpec& step_;
  const OperatorInfo& info_;
  std::vector<ParamProblem>& problems_;
  std::vector<std::string> inputs_, outputs_, made_;
};

void check_environment(const ValueTable& params, std::vector<ParamProblem>& problems) {
  const auto env = params.find("env");
  if (env == params.end() || env->second.as_table() == nullptr) return;
  for (const auto& [name, value] : *env->second.as_table()) {
    if (value.as_text() != nullptr) continue;
    problems.push_back({"env." + name, "the environment variable '" + name +
                                           "' must be a string, not " + kind_name(value) +
                                           "; write it in quotes, and a number of [params] " +
                                           "inside other text"});
  }
}

}  // namespace

std::vector<ParamProblem> check_params(const StepSpec& step, const OperatorInfo& info,
                                       const ValueTable& pipeline_params,
                                       const BundleFiles& files) {
  return ParamChecker(step, info, pipeline_params, files).check();
}

std::vector<ParamProblem> check_command_params(const StepSpec& step, const OperatorInfo& info,
                                               const ValueTable& params) {
  std::vector<ParamProblem> problems;
  const auto argv = params.find("argv");
  const ValueList* words = argv == params.end() ? nullptr : argv->second.as_list();
  if (words != nullptr && words->empty()) problems.push_back({"argv", "argv is empty"});
  TemplateChecker checker(step, info, problems);
  bool all_text = words != nullptr;
  if (words != nullptr) {
    for (const Value& word : *words) {
      if (const std::string* text = word.as_text()) {
        checker.check_word(*text);
      } else {
        all_text = false;
        problems.push_back({"argv", std::string("every word of argv must be a string, not ") +
                                        kind_name(word) + "; write it in quotes, and a number of " +
                                        "[params] inside a word: \"-k${by}\""});
      }
    }
  }
  if (all_text) checker.check_all_made();
  check_environment(params, problems);
  const auto input = params.find("stdin");
  if (input != params.end() && input->second.as_text() != nullptr) {
    std::vector<std::string> known;
    for (const InputSpec& one : step.inputs) known.push_back(one.port);
    const std::string& port = *input->second.as_text();
    if (std::count(known.begin(), known.end(), port) == 0) {
      problems.push_back({"stdin", "stdin names '" + port + "', which is no input of step '" +
                                       step.name + "'" + did_you_mean(port, known)});
    }
  }
  return problems;
}

std::vector<ParamProblem> check_python_params(const StepSpec& step, const ValueTable& params) {
  std::vector<ParamProblem> problems;
  check_environment(params, problems);
  const auto arguments = params.find("arguments");
  if (arguments == params.end() || arguments->second.as_table() == nullptr) return problems;
  for (const auto& [name, value] : *arguments->second.as_table()) {
    const std::string at = "arguments." + name;
    const bool is_port = std::any_of(step.inputs.begin(), step.inputs.end(),
                                     [&](const InputSpec& input) { return input.port == name; });
    if (name == "out" || is_port) {
      problems.push_back({at, "the function gets '" + name + "' already, as " +
                                  (is_port ? "an input" : "the place for what it makes") +
                                  "; give the argument another name"});
    } else if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != name.npos ||
               name.empty() || (name.front() >= '0' && name.front() <= '9')) {
      problems.push_back({at, "the argument '" + name + "' cannot be one of a function: lower case " +
                                  "letters, digits and _"});
    }
  }
  return problems;
}

std::vector<std::string> references_in(const Value& value) {
  std::vector<std::string> names;
  auto visit = [&](const std::string&, const std::string& text) {
    for (std::size_t at = 0; (at = text.find("${", at)) != std::string::npos; at += 2) {
      if (at > 0 && text[at - 1] == '$') continue;
      const std::size_t end = text.find('}', at);
      names.push_back(text.substr(at + 2, end == std::string::npos ? end : end - at - 2));
    }
  };
  for_each_text(value, "", visit);
  return names;
}

const std::string* file_reference(const ValueTable& table) {
  if (table.size() != 1 || table.begin()->first != "file") return nullptr;
  return table.begin()->second.as_text();
}

}  // namespace pipelined
