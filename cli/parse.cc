#include "cli/parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <list>
#include <ostream>

#include "dag/nearest_name.h"

namespace pipelined::cli {
namespace {

/// Where the parser puts what it finds for one verb.
struct Slots {
  const Verb* verb = nullptr;
  std::map<std::string, std::vector<std::string>> values;
  std::map<std::string, bool> switches;
  std::map<std::string, std::string> texts;  ///< positionals, and options with a default meaning
};

void add_flag(CLI::App& app, const Flag& flag, Slots& slots) {
  const std::string name =
      std::string(flag.name) == "output" ? "-o,--output"
      : std::string(flag.name) == "follow" ? "-f,--follow"
      : std::string(flag.name) == "lines" ? "-n,--lines"
      : std::string(flag.name) == "count" ? "-n,--count" : "--" + std::string(flag.name);
  if (flag.value_name == nullptr) {
    app.add_flag(name, slots.switches[flag.name], flag.summary);
    return;
  }
  if (flag.default_value != nullptr) {  // its value comes behind `=` alone, never as the next word
    app.add_flag(name + "{" + flag.default_value + "}", slots.texts[flag.name], flag.summary)
        ->check(CLI::IsMember({flag.value_name, flag.default_value}));
    return;
  }
  CLI::Option* option = app.add_option(name, slots.values[flag.name], flag.summary);
  option->type_name(flag.value_name);
  option->expected(1)->allow_extra_args(false)->multi_option_policy(flag.many ? CLI::MultiOptionPolicy::TakeAll
                                                     : CLI::MultiOptionPolicy::TakeLast);
  if (std::string(flag.name) == "output") {
    option->check(CLI::IsMember({"table", "wide", "json", "yaml"}));
  }
}

void declare(CLI::App& app, const Verb& verb, Slots& slots) {
  slots.verb = &verb;
  for (const Positional& positional : verb.positionals) {
    if (positional.count == Positional::Count::many) {
      app.add_option(positional.name, slots.values[positional.name], positional.summary)
          ->type_name("");
      continue;
    }
    CLI::Option* option =
        app.add_option(positional.name, slots.texts[positional.name], positional.summary);
    option->type_name("");
    if (positional.count == Positional::Count::one) option->required();
  }
  for (const Flag& flag : verb.flags) add_flag(app, flag, slots);
  for (const Flag& flag : common_flags()) add_flag(app, flag, slots);
}

Arguments collect(const Slots& slots) {
  Arguments arguments;
  for (const auto& [name, values] : slots.values) {
    if (!values.empty()) arguments.given[name] = values;
  }
  for (const auto& [name, given] : slots.switches) {
    if (given) arguments.given[name] = {};
  }
  for (const auto& [name, value] : slots.texts) {
    if (!value.empty()) arguments.given[name] = {value};
  }
  return arguments;
}

/// The first words that could be a verb's name, for "did you mean".
std::string unknown_verb(const std::vector<std::string>& words) {
  if (words.empty() || words.front().substr(0, 1) == "-") return {};
  std::vector<std::string> known;
  for (const Verb& verb : verbs()) {
    const std::string name = verb.name;
    known.push_back(name.substr(0, name.find(' ')));
  }
  if (std::find(known.begin(), known.end(), words.front()) != known.end()) return {};
  return "there is no verb '" + words.front() + "'" + did_you_mean(words.front(), known) +
         "; `pipectl --help` lists them";
}

// Flags that every verb takes may stand before it, too: they are moved behind it.
std::vector<std::string> verb_first(std::vector<std::string> words) {
  const std::vector<Flag> flags = common_flags();
  std::size_t leading = 0;
  while (leading < words.size() && words[leading].starts_with("-")) {
    const std::string& word = words[leading];
    const auto flag = std::find_if(flags.begin(), flags.end(), [&](const Flag& f) {
      const std::string name = f.name;
      return word == "--" + name || word.starts_with("--" + name + "=") ||
             (name == "output" && word == "-o");
    });
    if (flag == flags.end()) break;
    const bool separate = flag->value_name != nullptr && word.find('=') == std::string::npos;
    leading += separate ? 2 : 1;
  }
  if (leading >= words.size()) return words;
  std::rotate(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(leading), words.end());
  return words;
}

}  // namespace

int run_pipectl(const std::vector<std::string>& given, const Terminal& terminal,
                const Environment& environment) {
  const std::vector<std::string> words = verb_first(given);
  if (const std::string sentence = unknown_verb(words); !sentence.empty()) {
    terminal.err << "pipectl: " << escaped(sentence) << "\n";
    return exit_usage;
  }
  CLI::App app("Talks to pipelined, the machine that repeats the life cycle of a model.", "pipectl");
  app.require_subcommand(1);
  std::list<Slots> all;
  std::map<const CLI::App*, Slots*> by_app;
  std::map<std::string, CLI::App*> groups, words_alone;
  for (const Verb& verb : verbs()) {
    const std::string name = verb.name;
    const std::size_t blank = name.find(' ');
    CLI::App* parent = &app;
    if (blank != std::string::npos) {
      const std::string group = name.substr(0, blank);
      CLI::App*& made = groups[group];
      if (const auto verb_too = words_alone.find(group); verb_too != words_alone.end()) {
        made = verb_too->second;  // `alerts` is a verb, and `alerts test` another
      } else if (made == nullptr) {
        made = app.add_subcommand(group, "Verbs about one " + group);
        made->require_subcommand(1);
      }
      parent = made;
    }
    CLI::App* sub = parent->add_subcommand(
        blank == std::string::npos ? name : name.substr(blank + 1), verb.summary);
    if (blank == std::string::npos) words_alone[name] = sub;
    declare(*sub, verb, all.emplace_back());
    by_app[sub] = &all.back();
  }
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());  // as the library wants them
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, terminal.out, terminal.err);
    return code == 0 ? exit_done : exit_usage;
  }
  const CLI::App* chosen = app.get_subcommands().front();
  if (!chosen->get_subcommands().empty()) chosen = chosen->get_subcommands().front();
  const Slots& slots = *by_app[chosen];
  Session session(terminal, environment, collect(slots));
  const int code = slots.verb->run(session);
  terminal.out.flush();
  return code;
}

}  // namespace pipelined::cli
