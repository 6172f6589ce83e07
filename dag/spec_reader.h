// The reader of pipeline files, shared by the sources that read its tables.  Private to
// dag/spec_toml*.cc.
//
// One member function a table of the language; each reads what it knows, reports everything else
// with its place and goes on, so that a file's mistakes are told all at once.
#pragma once

// Hostile text reaches some of the library's assertions in front of its own error messages ("[.");
// without them it reports the error.
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "dag/spec.h"

namespace pipelined::spec_reader {

SourcePosition position_of(const toml::source_region& region);
/// "a table", "an integer", …
std::string kind_of(const toml::node& node);

/// One key that a table may have, and what to do with its value.
struct Field {
  std::string name;
  std::function<void(const toml::node&)> read;
};

/// What to do with the value of a key of a step: refers to a lambda and does not own it, since a step
/// has two dozen keys and a file may have a hundred thousand steps.
class Reading {
 public:
  /// REQUIRES: `read` outlives it.
  template <class Read>
  Reading(const Read& read)
      : read_(&read), call_([](const void* to, const toml::node& node) {
          (*static_cast<const Read*>(to))(node);
        }) {}
  void operator()(const toml::node& node) const { call_(read_, node); }

 private:
  const void* read_;
  void (*call_)(const void*, const toml::node&);
};

/// One key of a step.  Lives for the one call of `step_fields` that it is written in.
struct StepField {
  const char* name;
  Reading read;
};

/// Keys that the language has in its design and this version does not act upon.
using Unsupported = std::vector<std::string>;

/// Reads one file into a spec and its problems.
class Reader {
 public:
  /// `file_name` stands in the problems.
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
  void step_fields(const toml::table& table, const std::string& where,
                   std::initializer_list<StepField> known);
  void unknown_key(const toml::key& key, const std::string& where,
                   const std::vector<std::string>& known);
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
  std::vector<Field> query_fields(const std::string& where, const toml::table& table,
                                  QuerySpec& out);
  void check_source_keys(const toml::table& table, const std::string& where,
                         const SourceSpec& source);
  void triggers(const toml::node& node);
  void trigger(const toml::table& table);
  void trigger_kind(const toml::table& table, const TriggerSpec& trigger);
  void expectation(const toml::node& node, const std::string& where, ExpectSpec& out);
  void pipeline_params(const toml::node& node);
  void run_policy(const toml::node& node);
  void step(const std::string& name, SourcePosition at, const toml::node& node);
  void input(const std::string& what, const toml::node& node, InputSpec& out);
  void input_table(const std::string& what, const toml::table& table, InputSpec& out);
  void output(const std::string& what, const toml::node& node, OutputSpec& out);
  void step_inputs(const toml::node& node, const std::string& where, StepSpec& out);
  void step_outputs(const toml::node& node, const std::string& where, StepSpec& out);
  void params(const toml::node& node, const std::string& where, StepSpec& out);
  void param_positions(const toml::table& table, const std::string& prefix, StepSpec& out);
  void generates(const toml::node& node, const std::string& where, StepSpec& out);
  void foreach(const toml::node& node, const std::string& where, StepSpec& out);
  void retry(const toml::node& node, const std::string& where, RetrySpec& out);
  void timeout(const toml::node& node, const std::string& where, StepSpec& out);
  void resources(const toml::node& node, const std::string& where, StepSpec& out);
  void memory(const toml::node& node, const std::string& where, ResourceSpec& out);
  void pool(const toml::node& node, const std::string& where, StepSpec& out);
  void group(const std::string& name, SourcePosition at, const toml::node& node);
  void review(const toml::node& node, const std::string& where, ReviewSpec& out);

  template <class Visit>
  void in_file_order(const toml::node& node, const std::string& what, Visit visit);

  std::string file_;
  std::vector<Diagnostic> problems_;
  PipelineSpec spec_;
};

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

}  // namespace pipelined::spec_reader
