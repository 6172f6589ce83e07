#include "cli/completions.h"

#include <map>
#include <set>
#include <vector>

#include "cli/verb.h"

namespace pipelined::cli {
namespace {

/// First words with what may follow each: second words or flags.
std::map<std::string, std::set<std::string>> followers() {
  std::map<std::string, std::set<std::string>> table;
  for (const Verb& verb : verbs()) {
    const std::string name = verb.name;
    const std::size_t blank = name.find(' ');
    auto& after = table[name.substr(0, blank)];
    if (blank != std::string::npos) after.insert(name.substr(blank + 1));
    for (const Flag& flag : verb.flags) after.insert("--" + std::string(flag.name));
    for (const Flag& flag : common_flags()) after.insert("--" + std::string(flag.name));
  }
  return table;
}

std::string joined(const std::set<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

/// The body of a bash function; zsh runs it through bashcompinit.
std::string bash_script() {
  std::set<std::string> first;
  std::string cases;
  for (const auto& [word, after] : followers()) {
    first.insert(word);
    cases += "    " + word + ") words=\"" + joined(after) + "\" ;;\n";
  }
  return "_pipectl() {\n"
         "  local words current=\"${COMP_WORDS[COMP_CWORD]}\"\n"
         "  if [ \"$COMP_CWORD\" -le 1 ]; then\n"
         "    words=\"" + joined(first) + "\"\n"
         "  else case \"${COMP_WORDS[1]}\" in\n" + cases +
         "  esac; fi\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -o default -F _pipectl pipectl\n";
}

std::string fish_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return quoted + "'";
}

std::string fish_script() {
  std::string script;
  for (const Verb& verb : verbs()) {
    const std::string name = verb.name;
    const std::size_t blank = name.find(' ');
    const std::string first = name.substr(0, blank);
    if (blank == std::string::npos) {
      script += "complete -c pipectl -n __fish_use_subcommand -a " + first + " -d " +
                fish_quoted(verb.summary) + "\n";
    } else {
      script += "complete -c pipectl -n __fish_use_subcommand -a " + first + "\n";
      script += "complete -c pipectl -n '__fish_seen_subcommand_from " + first + "' -a " +
                name.substr(blank + 1) + " -d " + fish_quoted(verb.summary) + "\n";
    }
    for (const Flag& flag : verb.flags) {
      script += "complete -c pipectl -n '__fish_seen_subcommand_from " + first + "' -l " +
                flag.name + " -d " + fish_quoted(flag.summary) + "\n";
    }
  }
  for (const Flag& flag : common_flags()) {
    script += "complete -c pipectl -l " + std::string(flag.name) + " -d " +
              fish_quoted(flag.summary) + "\n";
  }
  return script;
}

}  // namespace

std::string completion_script(const std::string& shell) {
  if (shell == "bash") return bash_script();
  if (shell == "zsh") {
    return "#compdef pipectl\nautoload -U +X bashcompinit && bashcompinit\n" + bash_script();
  }
  if (shell == "fish") return fish_script();
  return {};
}

}  // namespace pipelined::cli
