// The table of verbs: name, arguments and summary of everything that pipectl can do.
//
// Help, completions, docs/pipectl.md (checked by a test) and the parser are made from this table;
// the parser's library stays inside parse.cc.  A verb's function stands in commands/ and gets a
// `Session`.  No state.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pipelined::cli {

class Session;

/// An argument by position.
struct Positional {
  enum class Count { one, optional, many } count = Count::one;
  const char* name;          ///< "RUN"
  const char* summary;
};

/// An option.  Without a value name it is a switch.
struct Flag {
  const char* name;          ///< "wait", written `--wait`
  const char* value_name;    ///< "K=V"; nullptr: a switch
  const char* summary;
  bool many = false;         ///< may be given several times
  const char* default_value = nullptr;  ///< what the option means without `=VALUE`; nullptr: an error
};

/// One verb; "span list" has two words.
struct Verb {
  const char* name;
  const char* summary;
  std::vector<Positional> positionals;
  std::vector<Flag> flags;
  int (*run)(Session& session);
};

/// All verbs in the order of the documentation.
const std::vector<Verb>& verbs();
/// Options that every verb takes.
std::vector<Flag> common_flags();
/// "run PIPELINE [--param K=V]… [--wait]".
std::string usage_of(const Verb& verb);

/// What was given to a verb.
struct Arguments {
  std::map<std::string, std::vector<std::string>, std::less<>> given;

  bool has(std::string_view name) const { return given.find(name) != given.end(); }
  /// The value, the last if there are several, or the fallback.
  std::string text(std::string_view name, const std::string& fallback = {}) const;
  /// All values.
  std::vector<std::string> list(std::string_view name) const;
};

}  // namespace pipelined::cli
