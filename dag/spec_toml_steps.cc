// The steps of a pipeline file and their policies.
#include <limits>
#include <tuple>

#include "dag/model_named.h"
#include "dag/spec_reader.h"

namespace pipelined::spec_reader {
namespace {

// "join" or "validate.examples" into its step and output.
void split_reference(const std::string& reference, std::string& step, std::string& output) {
  const std::size_t dot = reference.find('.');
  step = reference.substr(0, dot);
  if (dot != std::string::npos) output = reference.substr(dot + 1);
}

}  // namespace

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
  step_fields(*table, where,
         {{"operator", [&](Node n) { text(n, what("operator"), out.operator_id); }},
          {"description", [&](Node n) { text(n, what("description"), out.description); }},
          {"in", [&](Node n) { step_inputs(n, where, out); }},
          {"out", [&](Node n) { step_outputs(n, where, out); }},
          {"params", [&](Node n) { params(n, where, out); }},
          {"after", [&](Node n) { names(n, what("after"), out.after); }},
          {"tags", [&](Node n) { names(n, what("tags"), out.tags); }},
          {"secrets", [&](Node n) { names(n, what("secrets"), out.secrets); }},
          {"requests", [&](Node n) { names(n, what("requests"), out.requests); }},
          {"foreach", [&](Node n) { foreach(n, where, out); }},
          {"generates", [&](Node n) { generates(n, where, out); }},
          {"max_parallel", [&](Node n) { integer(n, what("max_parallel"), 1, out.max_parallel); }},
          {"when", [&](Node n) { text(n, what("when"), out.when); }},
          {"run_on",
           [&](Node n) { word(n, what("run_on"), {"success", "failure", "always"}, out.run_on); }},
          {"retry", [&](Node n) { retry(n, where, out.retry); }},
          {"timeout", [&](Node n) { timeout(n, where, out); }},
          {"resources", [&](Node n) { resources(n, where, out); }},
          {"pool", [&](Node n) { pool(n, where, out); }},
          {"group", [&](Node n) { text(n, what("group"), out.group); }},
          {"priority", [&](Node n) { integer(n, what("priority"), any_number, out.priority); }},
          {"review", [&](Node n) { review(n, where, out.review); }},
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
    } else if (kind == Kind::model) {
      const auto named = parse_model_name(reference);
      if (named) std::tie(out.model, out.version) = *named;
      else error(n, "'model' of " + what + " is a model's name with an alias or a number behind "
                    "'@', such as \"late@champion\", not '" + reference + "'");
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
          {"model", [&](Node n) { origin(n, Kind::model, "model"); }},
          {"results", [&](Node n) { origin(n, Kind::results, "results"); }},
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
    error(out.at, what + " must have exactly one of 'of', 'source', 'file', 'newest', 'latest', "
                       "'model', 'results'");
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

void Reader::generates(const toml::node& node, const std::string& where, StepSpec& out) {
  using Node = const toml::node&;
  const std::string what = "'generates' " + where;
  const toml::table* table = table_of(node, what);
  if (table == nullptr) return;
  GeneratesSpec one;
  one.at = position_of(node.source());
  fields(*table, "in " + what,
         {{"max", [&](Node n) { integer(n, "'max' in " + what, 1, one.max); }},
          {"failures", [&](Node n) { integer(n, "'failures' in " + what, 0, one.failures); }},
          {"time", [&](Node n) { duration(n, "'time' in " + what, one.time_ms); }},
          {"values", [&](Node n) { one.values = values(n, "'values' in " + what); }}});
  if (table->contains("time") && one.time_ms == 0) error(node, what + ": time must be above 0");
  if (!table->contains("max")) error(node, what + " needs a max: so many elements at most");
  if (one.max > generated_most) {
    error(node, what + ": max is " + std::to_string(one.max) + "; at most " +
                    std::to_string(generated_most) + " elements are possible");
  }
  out.generates = std::move(one);
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
           [&](Node n) { duration(n, "'backoff_max' in " + what, out.backoff_max_ms); }},
          {"max_time", [&](Node n) { duration(n, "'max_time' in " + what, out.max_time_ms); }}});
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
          {"memory", [&](Node n) { memory(n, what, out.resources); }},
          {"scratch",
           [&](Node n) { size(n, "'scratch' in " + what, out.resources.scratch_bytes); }},
          {"gpus", [&](Node n) { integer(n, "'gpus' in " + what, 0, out.resources.gpus); }}},
         {"nodes"});
}

// "4GiB", or { start = "2GiB", grow = 2, max = "16GiB" }: more with every try.
void Reader::memory(const toml::node& node, const std::string& where, ResourceSpec& out) {
  using Node = const toml::node&;
  const std::string what = "'memory' in " + where;
  if (!node.is_table()) return size(node, what, out.memory_bytes);
  out.memory_grow = 2;
  fields(*node.as_table(), "in " + what,
         {{"start", [&](Node n) { size(n, "'start' of " + what, out.memory_bytes); }},
          {"grow",
           [&](Node n) {
             const auto number = n.value<double>();
             if (!n.is_number() || !number) return wrong_kind(n, "'grow' of " + what, "a number");
             if (!(*number > 1 && *number <= 100)) {
               return error(n, "'grow' of " + what + " must be more than 1, and at most 100");
             }
             out.memory_grow = *number;
           }},
          {"max", [&](Node n) { size(n, "'max' of " + what, out.memory_max_bytes); }}});
  if (out.memory_bytes == 0) error(node, what + " has no 'start' to grow from");
  if (out.memory_max_bytes != 0 && out.memory_max_bytes < out.memory_bytes) {
    error(node, what + " begins above its 'max'");
  }
}

void Reader::pool(const toml::node& node, const std::string& where, StepSpec& out) {
  using Node = const toml::node&;
  const std::string what = "'pool' " + where;
  if (!node.is_table()) return text(node, what, out.pool);
  fields(*node.as_table(), "in " + what,
         {{"name", [&](Node n) { text(n, "'name' of " + what, out.pool); }},
          {"slots", [&](Node n) { integer(n, "'slots' of " + what, 1, out.pool_slots); }}});
  if (!node.as_table()->contains("name")) error(node, what + " has no name");
}

void Reader::group(const std::string& name, SourcePosition at, const toml::node& node) {
  using Node = const toml::node&;
  const std::string where = "in group '" + name + "'";
  const toml::table* table = table_of(node, "group '" + name + "'");
  if (table == nullptr) return;
  GroupSpec out;
  out.name = name;
  out.at = at;
  fields(*table, where,
         {{"description", [&](Node n) { text(n, "'description' " + where, out.description); }},
          {"max_parallel",
           [&](Node n) { integer(n, "'max_parallel' " + where, 1, out.max_parallel); }},
          {"priority", [&](Node n) {
             integer(n, "'priority' " + where, std::numeric_limits<std::int64_t>::min(),
                     out.priority);
           }}});
  spec_.groups.push_back(std::move(out));
}

void Reader::review(const toml::node& node, const std::string& where, ReviewSpec& out) {
  using Node = const toml::node&;
  const std::string what = "'review' " + where;
  out.given = true;
  out.automatic = node.value<std::string_view>() == "auto";
  if (out.automatic) return;
  if (!node.is_table()) return flag(node, what, out.required);
  out.required = true;
  fields(*node.as_table(), "in " + what,
         {{"who", [&](Node n) { names(n, "'who' in " + what, out.who); }},
          {"expires", [&](Node n) { duration(n, "'expires' in " + what, out.expires_ms); }},
          {"remind", [&](Node n) { duration(n, "'remind' in " + what, out.remind_ms); }},
          {"not_starter",
           [&](Node n) { flag(n, "'not_starter' in " + what, out.not_starter); }}});
}

}  // namespace pipelined::spec_reader
