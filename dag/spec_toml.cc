#include "dag/spec_toml.h"

// Hostile text reaches some of the library's assertions in front of its own error messages ("[.");
// without them it reports the error.
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <functional>
#include <limits>

#include "dag/nearest_name.h"

namespace pipelined {
namespace {

SourcePosition position_of(const toml::source_region& region) {
  return {static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

std::string kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "a string";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a decimal number";
    case toml::node_type::boolean: return "true or false";
    default: return "a date or time";
  }
}

// One key that a table may have, and what to do with its value.
struct Field {
  std::string name;
  std::function<void(const toml::node&)> read;
};

// Keys that the language has in its design and this version does not act upon.
using Unsupported = std::vector<std::string>;

class Reader {
 public:
  explicit Reader(std::string file_name) : file_(std::move(file_name)) {}

  PipelineSpec read(const toml::table& root);
  std::vector<Diagnostic> take_problems() { return std::move(problems_); }

 private:
  void error(SourcePosition at, std::string message) {
    problems_.push_back({file_, at, std::move(message), false});
  }
  void error(const toml::node& node, std::string message) {
    error(position_of(node.source()), std::move(message));
  }
  void wrong_kind(const toml::node& node, const std::string& what, const std::string& wanted) {
    error(node, what + " must be " + wanted + ", not " + kind_of(node));
  }

  void fields(const toml::table& table, const std::string& where, const std::vector<Field>& known,
              const Unsupported& unsupported = {});
  const toml::table* table_of(const toml::node& node, const std::string& what);

  // Each reads one value of one kind, or reports what it must be.
  void text(const toml::node& node, const std::string& what, std::string& out);
  void flag(const toml::node& node, const std::string& what, bool& out);
  void integer(const toml::node& node, const std::string& what, std::int64_t least,
               std::int64_t& out);
  void duration(const toml::node& node, const std::string& what, std::int64_t& out);
  void size(const toml::node& node, const std::string& what, std::int64_t& out);
  void word(const toml::node& node, const std::string& what, const std::vector<std::string>& words,
            std::string& out);
  void names(const toml::node& node, const std::string& what, std::vector<std::string>& out);
  void spans(const toml::node& node, const std::string& what, SpanSelection& out);
  Value value(const toml::node& node, const std::string& what);
  ValueTable values(const toml::node& node, const std::string& what);

  // Each reads one table of the language.
  void source(const std::string& name, SourcePosition at, const toml::node& node);
  void triggers(const toml::node& node);
  void trigger(const toml::table& table);
  void run_policy(const toml::node& node);
  void step(const std::string& name, SourcePosition at, const toml::node& node);
  void input(const std::string& what, const toml::node& node, InputSpec& out);
  void input_table(const std::string& what, const toml::table& table, InputSpec& out);
  void output(const std::string& what, const toml::node& node, OutputSpec& out);
  void step_inputs(const toml::node& node, const std::string& where, StepSpec& out);
  void step_outputs(const toml::node& node, const std::string& where, StepSpec& out);
  void params(const toml::node& node, const std::string& where, StepSpec& out);
  void param_positions(const toml::table& table, const std::string& prefix, StepSpec& out);
  void foreach(const toml::node& node, const std::string& where, StepSpec& out);
  void retry(const toml::node& node, const std::string& where, RetrySpec& out);
  void timeout(const toml::node& node, const std::string& where, StepSpec& out);
  void resources(const toml::node& node, const std::string& where, StepSpec& out);
  void review(const toml::node& node, const std::string& where, StepSpec& out);

  template <class Visit>
  void in_file_order(const toml::node& node, const std::string& what, Visit visit);

  std::string file_;
  std::vector<Diagnostic> problems_;
  PipelineSpec spec_;
};

// ---- Values of one kind ----------------------------------------------------------------------------

void Reader::fields(const toml::table& table, const std::string& where,
                    const std::vector<Field>& known, const Unsupported& unsupported) {
  std::vector<std::string> all;
  for (const Field& field : known) all.push_back(field.name);
  for (auto&& [key, node] : table) {
    const std::string name(key.str());
    const auto field = std::find_if(known.begin(), known.end(),
                                    [&](const Field& f) { return f.name == name; });
    if (field != known.end()) {
      field->read(node);
    } else if (std::count(unsupported.begin(), unsupported.end(), name) > 0) {
      error(position_of(key.source()), "'" + name + "' " + where + " is not supported yet");
    } else {
      error(position_of(key.source()),
            "unknown key '" + name + "' " + where + did_you_mean(name, all));
    }
  }
}

const toml::table* Reader::table_of(const toml::node& node, const std::string& what) {
  if (!node.is_table()) wrong_kind(node, what, "a table");
  return node.as_table();
}

void Reader::text(const toml::node& node, const std::string& what, std::string& out) {
  if (const auto* string = node.as_string()) {
    out = string->get();
  } else {
    wrong_kind(node, what, "a string");
  }
}

void Reader::flag(const toml::node& node, const std::string& what, bool& out) {
  if (const auto* boolean = node.as_boolean()) {
    out = boolean->get();
  } else {
    wrong_kind(node, what, "true or false");
  }
}

void Reader::integer(const toml::node& node, const std::string& what, std::int64_t least,
                     std::int64_t& out) {
  const auto* number = node.as_integer();
  if (number == nullptr) return wrong_kind(node, what, "an integer");
  if (number->get() < least) {
    return error(node, what + " must be at least " + std::to_string(least));
  }
  out = number->get();
}

void Reader::duration(const toml::node& node, const std::string& what, std::int64_t& out) {
  const auto* string = node.as_string();
  const auto parsed = string == nullptr ? std::nullopt : parse_duration(string->get());
  if (parsed) {
    out = *parsed;
  } else {
    const std::string found = string == nullptr ? kind_of(node) : '\'' + string->get() + '\'';
    error(node, what + " must be a duration such as \"500ms\", \"2s\", \"5m\", \"1h\" or \"3d\", "
                       "not " + found);
  }
}

void Reader::size(const toml::node& node, const std::string& what, std::int64_t& out) {
  std::optional<std::int64_t> parsed;
  std::string found = kind_of(node);
  if (const auto* number = node.as_integer()) {
    if (number->get() >= 0) parsed = number->get();
    found = std::to_string(number->get());
  } else if (const auto* string = node.as_string()) {
    parsed = parse_size(string->get());
    found = '\'' + string->get() + '\'';
  }
  if (parsed) {
    out = *parsed;
  } else {
    error(node, what + " must be a size such as \"64KiB\" or \"4GiB\", not " + found);
  }
}

void Reader::word(const toml::node& node, const std::string& what,
                  const std::vector<std::string>& words, std::string& out) {
  std::string found;
  if (!node.is_string()) return wrong_kind(node, what, "a string");
  text(node, what, found);
  if (std::count(words.begin(), words.end(), found) > 0) {
    out = found;
    return;
  }
  std::string list;
  for (const std::string& one : words) list += (list.empty() ? "\"" : ", \"") + one + '"';
  error(node, what + " must be one of " + list + ", not '" + found + "'" +
                  did_you_mean(found, words));
}

void Reader::names(const toml::node& node, const std::string& what,
                   std::vector<std::string>& out) {
  if (const auto* string = node.as_string()) {
    out.push_back(string->get());
    return;
  }
  const toml::array* list = node.as_array();
  if (list == nullptr) return wrong_kind(node, what, "a list of strings");
  for (const toml::node& item : *list) {
    std::string name;
    text(item, "an item of " + what, name);
    if (!name.empty()) out.push_back(name);
  }
}

void Reader::spans(const toml::node& node, const std::string& what, SpanSelection& out) {
  const auto* string = node.as_string();
  const auto parsed = string == nullptr ? std::nullopt : parse_spans(string->get());
  if (parsed) {
    out = *parsed;
  } else {
    const std::string found = string == nullptr ? kind_of(node) : '\'' + string->get() + '\'';
    error(node, what + " must be \"all\", \"new\", \"last 9\" or a range such as "
                       "\"2013-01..2013-09\", not " + found);
  }
}

// The scanner has bounded the depth.
Value Reader::value(const toml::node& node, const std::string& what) {
  if (const auto* string = node.as_string()) return string->get();
  if (const auto* number = node.as_integer()) return number->get();
  if (const auto* real = node.as_floating_point()) return real->get();
  if (const auto* boolean = node.as_boolean()) return boolean->get();
  if (const toml::array* array = node.as_array()) {
    ValueList list;
    for (const toml::node& item : *array) list.push_back(value(item, what));
    return list;
  }
  if (node.is_table()) return values(node, what);
  error(node, what + " is a date or time; write it in quotes");
  return {};
}

ValueTable Reader::values(const toml::node& node, const std::string& what) {
  ValueTable result;
  const toml::table* table = table_of(node, what);
  if (table == nullptr) return result;
  for (auto&& [key, item] : *table) {
    const std::string name(key.str());
    result[name] = value(item, what + "." + name);
  }
  return result;
}

// Calls visit(name, position of the name, node) for each entry of a table, as written in the file.
template <class Visit>
void Reader::in_file_order(const toml::node& node, const std::string& what, Visit visit) {
  const toml::table* table = table_of(node, what);
  if (table == nullptr) return;
  struct Entry {
    SourcePosition at;
    std::string name;
    const toml::node* node;
  };
  std::vector<Entry> entries;
  for (auto&& [key, item] : *table) {
    entries.push_back({position_of(key.source()), std::string(key.str()), &item});
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
  });
  for (const Entry& entry : entries) visit(entry.name, entry.at, *entry.node);
}

// ---- The tables of the language --------------------------------------------------------------------

PipelineSpec Reader::read(const toml::table& root) {
  using Node = const toml::node&;
  const std::string where = "at the top of the file";
  fields(root, where,
         {{"name", [&](Node n) { text(n, "'name'", spec_.name); }},
          {"description", [&](Node n) { text(n, "'description'", spec_.description); }},
          {"owner", [&](Node n) { text(n, "'owner'", spec_.owner); }},
          {"params", [&](Node n) { spec_.params = values(n, "'params'"); }},
          {"source",
           [&](Node n) {
             in_file_order(n, "'source'", [&](const auto& name, SourcePosition at, Node item) {
               source(name, at, item);
             });
           }},
          {"trigger", [&](Node n) { triggers(n); }},
          {"step",
           [&](Node n) {
             in_file_order(n, "'step'", [&](const auto& name, SourcePosition at, Node item) {
               step(name, at, item);
             });
           }},
          {"run", [&](Node n) { run_policy(n); }}});
  for (auto&& [key, item] : root) {
    spec_.key_positions.emplace_back(std::string(key.str()), position_of(key.source()));
    if (key.str() != "params" || !item.is_table()) continue;
    for (auto&& [param, value] : *item.as_table()) {
      spec_.key_positions.emplace_back("params." + std::string(param.str()),
                                       position_of(param.source()));
    }
  }
  if (spec_.name.empty() && !root.contains("name")) {
    error(SourcePosition{1, 1}, "the pipeline has no name; begin the file with name = \"…\"");
  }
  return std::move(spec_);
}

void Reader::source(const std::string& name, SourcePosition at, const toml::node& node) {
  using Node = const toml::node&;
  const std::string where = "in source '" + name + "'";
  const toml::table* table = table_of(node, "source '" + name + "'");
  if (table == nullptr) return;
  SourceSpec out;
  out.name = name;
  out.at = at;
  fields(*table, where,
         {{"kind",
           [&](Node n) {
             text(n, "'kind' " + where, out.kind);
             for (const char* later : {"query", "http", "s3", "feedback"}) {
               if (out.kind != later) continue;
               error(n, "a source of kind '" + out.kind + "' is not supported yet");
               return;
             }
             word(n, "'kind' " + where, {"files"}, out.kind);
           }},
          {"path", [&](Node n) { text(n, "'path' " + where, out.path); }},
          {"settle", [&](Node n) { duration(n, "'settle' " + where, out.settle_ms); }},
          {"snapshot",
           [&](Node n) {
             word(n, "'snapshot' " + where, {"copy", "reference"}, out.snapshot);
             if (out.snapshot == "reference") error(n, "snapshot = \"reference\" is not supported yet");
           }}},
         {"expect"});
  if (!table->contains("path")) error(at, "source '" + name + "' has no path");
  spec_.sources.push_back(std::move(out));
}

void Reader::triggers(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    return error(node, "a trigger is written [[trigger]], with two brackets");
  }
  for (const toml::node& item : *list) {
    if (const toml::table* table = table_of(item, "a trigger")) trigger(*table);
  }
}

void Reader::trigger(const toml::table& table) {
  using Node = const toml::node&;
  const std::string where = "in a trigger";
  TriggerSpec out;
  out.at = position_of(table.source());
  const bool says_nothing_known = !table.contains("arrival") && !table.contains("all_of");
  fields(table, where,
         {{"arrival", [&](Node n) { names(n, "'arrival' " + where, out.arrival); }},
          {"all_of",
           [&](Node n) {
             if (n.is_boolean()) return flag(n, "'all_of' " + where, out.all_of);
             if (table.contains("arrival")) {
               return error(n, "a trigger has either 'arrival' or a list 'all_of', not both");
             }
             names(n, "'all_of' " + where, out.arrival);
             out.all_of = true;
           }},
          {"coalesce", [&](Node n) { duration(n, "'coalesce' " + where, out.coalesce_ms); }}},
         {"schedule", "timezone", "catch_up", "webhook", "after"});
  const bool later = table.contains("schedule") || table.contains("webhook") ||
                     table.contains("after");
  if (says_nothing_known && !later) {
    error(out.at, "a trigger says what fires it: arrival = [\"SOURCE\"]");
  }
  spec_.triggers.push_back(std::move(out));
}

void Reader::run_policy(const toml::node& node) {
  using Node = const toml::node&;
  const toml::table* table = table_of(node, "'run'");
  if (table == nullptr) return;
  RunPolicySpec& out = spec_.run;
  fields(*table, "in [run]",
         {{"max_active", [&](Node n) { integer(n, "'max_active'", 1, out.max_active); }},
          {"overlap",
           [&](Node n) {
             word(n, "'overlap'", {"queue", "skip", "cancel_previous", "coalesce"}, out.overlap);
           }},
          {"deadline", [&](Node n) { duration(n, "'deadline'", out.deadline_ms); }},
          {"priority", [&](Node n) {
             integer(n, "'priority'", std::numeric_limits<std::int64_t>::min(), out.priority);
           }}});
}

void Reader::step(const std::string& name, SourcePosition at, const toml::node& node) {
  using Node = const toml::node&;
  const std::string where = "in step '" + name + "'";
  const toml::table* table = table_of(node, "step '" + name + "'");
  if (table == nullptr) return;
  StepSpec out;
  out.name = name;
  out.at = at;
  const auto what = [&](const char* key) { return "'" + std::string(key) + "' " + where; };
  constexpr std::int64_t any_number = std::numeric_limits<std::int64_t>::min();
  fields(*table, where,
         {{"operator", [&](Node n) { text(n, what("operator"), out.operator_id); }},
          {"description", [&](Node n) { text(n, what("description"), out.description); }},
          {"in", [&](Node n) { step_inputs(n, where, out); }},
          {"out", [&](Node n) { step_outputs(n, where, out); }},
          {"params", [&](Node n) { params(n, where, out); }},
          {"after", [&](Node n) { names(n, what("after"), out.after); }},
          {"tags", [&](Node n) { names(n, what("tags"), out.tags); }},
          {"foreach", [&](Node n) { foreach(n, where, out); }},
          {"max_parallel", [&](Node n) { integer(n, what("max_parallel"), 1, out.max_parallel); }},
          {"when", [&](Node n) { text(n, what("when"), out.when); }},
          {"run_on",
           [&](Node n) { word(n, what("run_on"), {"success", "failure", "always"}, out.run_on); }},
          {"retry", [&](Node n) { retry(n, where, out.retry); }},
          {"timeout", [&](Node n) { timeout(n, where, out); }},
          {"resources", [&](Node n) { resources(n, where, out); }},
          {"pool", [&](Node n) { text(n, what("pool"), out.pool); }},
          {"priority", [&](Node n) { integer(n, what("priority"), any_number, out.priority); }},
          {"review", [&](Node n) { review(n, where, out); }},
          {"cache", [&](Node n) { flag(n, what("cache"), out.cache); }},
          {"seed", [&](Node n) { integer(n, what("seed"), any_number, out.seed); }},
          {"salt", [&](Node n) { text(n, what("salt"), out.salt); }},
          {"executor", [&](Node n) {
             text(n, what("executor"), out.executor);
             if (out.executor == "slurm") return error(n, "executor \"slurm\" is not supported yet");
             word(n, what("executor"), {"local"}, out.executor);
           }}});
  for (auto&& [key, item] : *table) {
    out.key_positions.emplace_back(std::string(key.str()), position_of(key.source()));
  }
  if (!table->contains("operator")) {
    error(at, "step '" + name + "' has no operator; for a program of your own write operator = "
              "\"command.run\"");
  }
  spec_.steps.push_back(std::move(out));
}

void Reader::step_inputs(const toml::node& node, const std::string& where, StepSpec& out) {
  in_file_order(node, "'in' " + where,
                [&](const std::string& port, SourcePosition at, const toml::node& item) {
                  InputSpec one;
                  one.port = port;
                  one.at = at;
                  const std::size_t before = problems_.size();
                  input("'in." + port + "' " + where, item, one);
                  if (problems_.size() == before) out.inputs.push_back(std::move(one));
                });
  std::sort(out.inputs.begin(), out.inputs.end(),
            [](const InputSpec& a, const InputSpec& b) { return a.port < b.port; });
}

void Reader::step_outputs(const toml::node& node, const std::string& where, StepSpec& out) {
  in_file_order(node, "'out' " + where,
                [&](const std::string& port, SourcePosition at, const toml::node& item) {
                  OutputSpec one;
                  one.port = port;
                  one.at = at;
                  output("'out." + port + "' " + where, item, one);
                  out.outputs.push_back(std::move(one));
                });
  std::sort(out.outputs.begin(), out.outputs.end(),
            [](const OutputSpec& a, const OutputSpec& b) { return a.port < b.port; });
}

// "join" or "validate.examples" into its step and output.
void split_reference(const std::string& reference, std::string& step, std::string& output) {
  const std::size_t dot = reference.find('.');
  step = reference.substr(0, dot);
  if (dot != std::string::npos) output = reference.substr(dot + 1);
}

void Reader::input(const std::string& what, const toml::node& node, InputSpec& out) {
  if (const toml::table* table = node.as_table()) return input_table(what, *table, out);
  std::string reference;
  if (!node.is_string()) {
    return wrong_kind(node, what, "a string such as \"STEP\", \"STEP.OUTPUT\" or \"each\", or a "
                                  "table such as { file = \"…\" }");
  }
  text(node, what, reference);
  if (reference == "each") {
    out.kind = InputSpec::Kind::each;
  } else if (reference.starts_with("source.")) {
    error(node, what + ": the newest version of a source is { source = \"" +
                    reference.substr(7) + "\" }, its elements under foreach are \"each\"");
  } else {
    split_reference(reference, out.step, out.output);
    if (out.step.empty()) error(node, what + " names no step");
  }
}

void Reader::input_table(const std::string& what, const toml::table& table, InputSpec& out) {
  using Node = const toml::node&;
  using Kind = InputSpec::Kind;
  int origins = 0;
  bool has_spans = false, has_offset = false;
  const auto origin = [&](Node n, Kind kind, const char* key) {
    std::string reference;
    text(n, std::string("'") + key + "' of " + what, reference);
    ++origins;
    out.kind = kind;
    if (reference.empty()) {
      if (n.is_string()) error(n, std::string("'") + key + "' of " + what + " is empty");
    } else if (kind == Kind::source) {
      out.source = reference;
    } else if (kind == Kind::file) {
      out.file = reference;
    } else {
      split_reference(reference, out.step, out.output);
    }
  };
  fields(table, "in " + what,
         {{"of", [&](Node n) { origin(n, Kind::step, "of"); }},
          {"source", [&](Node n) { origin(n, Kind::source, "source"); }},
          {"file", [&](Node n) { origin(n, Kind::file, "file"); }},
          {"newest", [&](Node n) { origin(n, Kind::newest, "newest"); }},
          {"latest", [&](Node n) { origin(n, Kind::latest, "latest"); }},
          {"spans",
           [&](Node n) {
             has_spans = true;
             spans(n, "'spans' of " + what, out.spans);
           }},
          {"span",
           [&](Node n) {
             std::int64_t offset = 0;
             has_offset = true;
             integer(n, "'span' of " + what, -1'000'000, offset);
             if (offset >= 0 && n.is_integer()) {
               error(n, "'span' of " + what + " counts back from this span: -1 is the one before");
             }
             out.offset = static_cast<int>(offset);
           }},
          {"optional", [&](Node n) { flag(n, "'optional' of " + what, out.optional); }}},
         {"deployed"});
  if (origins != 1 && !table.contains("deployed")) {
    error(out.at, what + " must have exactly one of 'of', 'source', 'file', 'newest', 'latest'");
  }
  if ((has_spans || has_offset) && out.kind != Kind::step) {
    error(out.at, what + ": 'spans' and 'span' go with 'of' only");
  }
  if (has_spans && has_offset) error(out.at, what + " has either 'spans' or 'span', not both");
  if (has_offset) out.kind = Kind::span;
}

void Reader::output(const std::string& what, const toml::node& node, OutputSpec& out) {
  using Node = const toml::node&;
  if (!node.is_table()) {
    if (!node.is_string()) {
      return wrong_kind(node, what, "a type such as \"files/1\", or a table");
    }
    return text(node, what, out.type);
  }
  fields(*node.as_table(), "in " + what,
         {{"type", [&](Node n) { text(n, "'type' of " + what, out.type); }},
          {"evidence", [&](Node n) { flag(n, "'evidence' of " + what, out.evidence); }},
          {"optional", [&](Node n) { flag(n, "'optional' of " + what, out.optional); }}});
  if (!node.as_table()->contains("type")) error(out.at, what + " has no type");
}

void Reader::params(const toml::node& node, const std::string& where, StepSpec& out) {
  out.params = values(node, "'params' " + where);
  if (node.is_table()) param_positions(*node.as_table(), "", out);
}

void Reader::param_positions(const toml::table& table, const std::string& prefix, StepSpec& out) {
  for (auto&& [key, item] : table) {
    const std::string name = prefix + std::string(key.str());
    out.param_positions.emplace_back(name, position_of(key.source()));
    if (const toml::table* inner = item.as_table()) param_positions(*inner, name + ".", out);
  }
}

void Reader::foreach(const toml::node& node, const std::string& where, StepSpec& out) {
  using Node = const toml::node&;
  ForeachSpec one;
  one.at = position_of(node.source());
  const std::string what = "'foreach' " + where;
  bool has_spans = false;
  if (node.is_string()) {
    text(node, what, one.of);
  } else if (const toml::table* table = node.as_table()) {
    fields(*table, "in " + what,
           {{"of", [&](Node n) { text(n, "'of' in " + what, one.of); }},
            {"spans", [&](Node n) {
               has_spans = true;
               spans(n, "'spans' in " + what, one.spans);
             }}});
  } else {
    return wrong_kind(node, what, "\"source.NAME\", a step's name, or a table");
  }
  if (one.of.starts_with("source.")) {
    one.is_source = true;
    one.of.erase(0, 7);
  }
  if (one.of.empty()) return error(node, what + " names neither a source nor a step");
  if (has_spans && !one.is_source) {
    error(node, what + ": 'spans' goes with a source; a step's elements are taken as they are");
  }
  out.foreach = std::move(one);
}

void Reader::retry(const toml::node& node, const std::string& where, RetrySpec& out) {
  using Node = const toml::node&;
  const std::string what = "'retry' " + where;
  const toml::table* table = table_of(node, what);
  if (table == nullptr) return;
  fields(*table, "in " + what,
         {{"max", [&](Node n) { integer(n, "'max' in " + what, 0, out.max); }},
          {"backoff", [&](Node n) { duration(n, "'backoff' in " + what, out.backoff_ms); }},
          {"backoff_max",
           [&](Node n) { duration(n, "'backoff_max' in " + what, out.backoff_max_ms); }}});
}

void Reader::timeout(const toml::node& node, const std::string& where, StepSpec& out) {
  using Node = const toml::node&;
  const std::string what = "'timeout' " + where;
  if (!node.is_table()) return duration(node, what, out.timeout_ms);
  fields(*node.as_table(), "in " + what,
         {{"execution", [&](Node n) { duration(n, "'execution' in " + what, out.timeout_ms); }},
          {"queue", [&](Node n) { duration(n, "'queue' in " + what, out.timeout_queue_ms); }},
          {"progress", [&](Node n) {
             duration(n, "'progress' in " + what, out.timeout_progress_ms);
           }}});
}

void Reader::resources(const toml::node& node, const std::string& where, StepSpec& out) {
  using Node = const toml::node&;
  const std::string what = "'resources' " + where;
  const toml::table* table = table_of(node, what);
  if (table == nullptr) return;
  out.resources_given = true;
  fields(*table, "in " + what,
         {{"cpus",
           [&](Node n) {
             const auto number = n.value<double>();
             if (!n.is_number() || !number) return wrong_kind(n, "'cpus' in " + what, "a number");
             if (!(*number > 0 && *number <= 100'000)) {
               return error(n, "'cpus' in " + what + " must be more than 0");
             }
             out.resources.cpus = *number;
           }},
          {"memory", [&](Node n) { size(n, "'memory' in " + what, out.resources.memory_bytes); }},
          {"scratch",
           [&](Node n) { size(n, "'scratch' in " + what, out.resources.scratch_bytes); }},
          {"gpus", [&](Node n) { integer(n, "'gpus' in " + what, 0, out.resources.gpus); }}},
         {"nodes"});
}

void Reader::review(const toml::node& node, const std::string& where, StepSpec& out) {
  using Node = const toml::node&;
  const std::string what = "'review' " + where;
  if (!node.is_table()) return flag(node, what, out.review);
  out.review = true;
  fields(*node.as_table(), "in " + what, {{"expires", [&](Node n) {
            duration(n, "'expires' in " + what, out.review_expires_ms);
          }}});
}

}  // namespace

ParsedPipeline parse_pipeline(std::string_view text, const std::string& file_name,
                              const PipelineLimits& limits) {
  ParsedPipeline result;
  if (auto breach = find_breach(text, file_name, limits)) {
    result.problems.push_back(std::move(*breach));
    return result;
  }
  const toml::parse_result parsed = toml::parse(text);
  if (parsed.failed()) {
    const toml::parse_error& problem = parsed.error();
    result.problems.push_back({file_name, position_of(problem.source()),
                               std::string(problem.description()), false});
    return result;
  }
  Reader reader(file_name);
  PipelineSpec spec = reader.read(parsed.table());
  result.problems = reader.take_problems();
  sort_by_place(result.problems);
  if (!has_errors(result.problems)) result.spec = std::move(spec);
  return result;
}

}  // namespace pipelined
