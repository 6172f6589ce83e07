// The argv template of `command.run`: what may stand in it and what it becomes.
//
// A word of the template may hold `{in.PORT}`, `{out.PORT}`, `{secret.NAME}` and `{scratch}`; `{{` and `}}` are
// braces, and a `${…}` that is still there when the template arrives is left as it is.  `check`
// looks at a template with the step's ports, the worker expands it with paths.  Nothing here knows
// a file, a process or the environment; plain functions, any thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"

namespace pipelined {

/// A literal stretch of a word, or something to be put in its place.
struct TemplatePiece {
  enum class Kind { literal, input, output, secret, scratch } kind = Kind::literal;
  std::string text;  ///< the literal, or the name of port or secret
  bool operator==(const TemplatePiece&) const = default;
};

/// Takes one word of an argv template apart.  Errors name the word and what is wrong in it.
Result<std::vector<TemplatePiece>> parse_template_word(std::string_view word);

/// The ports that a step declares, for checking a template before anything runs.
struct CommandPorts {
  std::set<std::string> inputs;           ///< all of them
  std::set<std::string> optional_inputs;  ///< those that may be absent
  std::set<std::string> many_inputs;      ///< those that may hold several artifacts
  std::set<std::string> outputs;
  std::set<std::string> secrets;
};

/// Every sentence that there is to say against the template; empty: it is good.
std::vector<std::string> check_command(const std::vector<std::string>& argv,
                                       const CommandPorts& ports);

/// What the placeholders stand for in one attempt.
struct CommandPaths {
  /// Paths of each input port in order: of the file if the artifact is one file, else of its folder.
  /// A port that is not here, or has no path, is absent.
  std::map<std::string, std::vector<std::string>> inputs;
  std::map<std::string, std::string> outputs;  ///< where the command makes a file or a folder
  std::map<std::string, std::string> secrets;  ///< the file that holds each
  std::string scratch;
};

/// The words to run.  A word that is nothing but `{in.x}` becomes as many words as the port has
/// artifacts, none if it is absent; inside a longer word there must be exactly one.
Result<std::vector<std::string>> expand_command(const std::vector<std::string>& argv,
                                                const CommandPaths& paths);

}  // namespace pipelined
