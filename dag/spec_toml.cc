#include "dag/spec_toml.h"

#include <limits>

#include "dag/nearest_name.h"
#include "dag/spec_reader.h"
#include "dag/spec_words.h"

namespace pipelined {
namespace spec_reader {

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

// ---- Values of one kind ----------------------------------------------------------------------------

void Reader::unknown_key(const toml::key& key, const std::string& where,
                         const std::vector<std::string>& known) {
  const std::string name(key.str());
  // Beyond those that are told it is only counted: looking for the nearest name takes its time.
  const bool told = problems_.size() < problems_told_max;
  error(position_of(key.source()),
        "unknown key '" + name + "' " + where + (told ? did_you_mean(name, known) : ""));
}

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
      unknown_key(key, where, all);
    }
  }
}

void Reader::step_fields(const toml::table& table, const std::string& where,
                         std::initializer_list<StepField> known) {
  for (auto&& [key, node] : table) {
    const auto field = std::find_if(known.begin(), known.end(), [&key = key](const StepField& f) {
      return key.str() == f.name;
    });
    if (field != known.end()) {
      field->read(node);
    } else {
      std::vector<std::string> all;
      for (const StepField& one : known) all.emplace_back(one.name);
      unknown_key(key, where, all);
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

// ---- The tables of the language --------------------------------------------------------------------

PipelineSpec Reader::read(const toml::table& root) {
  using Node = const toml::node&;
  const std::string where = "at the top of the file";
  fields(root, where,
         {{"name", [&](Node n) { text(n, "'name'", spec_.name); }},
          {"description", [&](Node n) { text(n, "'description'", spec_.description); }},
          {"owner", [&](Node n) { text(n, "'owner'", spec_.owner); }},
          {"params", [&](Node n) { pipeline_params(n); }},
          {"source",
           [&](Node n) {
             in_file_order(n, "'source'", [&](const auto& name, SourcePosition at, Node item) {
               source(name, at, item);
             });
           }},
          {"trigger", [&](Node n) { triggers(n); }},
          {"group",
           [&](Node n) {
             in_file_order(n, "'group'", [&](const auto& name, SourcePosition at, Node item) {
               group(name, at, item);
             });
           }},
          {"step",
           [&](Node n) {
             if (n.is_table()) spec_.steps.reserve(n.as_table()->size());
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

}  // namespace spec_reader

namespace {

/// Tables are merged, everything else is replaced.  Nodes are moved: a copy forgets its place.
void lay_over(toml::table& base, toml::table& over) {
  for (auto&& [key, node] : over) {
    toml::node* below = base.get(key);
    if (below != nullptr && below->is_table() && node.is_table()) {
      lay_over(*below->as_table(), *node.as_table());
    } else {
      node.visit([&base, &key](auto& value) { base.insert_or_assign(key, std::move(value)); });
    }
  }
}

/// Takes the environments out of the file and lays the one that is wanted over the rest.
std::optional<Diagnostic> choose_environment(toml::table& file, std::string_view wanted,
                                             const std::string& file_name) {
  toml::table none;
  toml::node* const node = file.get("environment");
  if (node != nullptr && !node->is_table()) {
    return Diagnostic{file_name, spec_reader::position_of(node->source()),
                      "'environment' must be tables, [environment.NAME]", false};
  }
  toml::table environments = node == nullptr ? std::move(none) : std::move(*node->as_table());
  file.erase("environment");
  if (wanted.empty()) return std::nullopt;
  toml::node* const chosen = environments.get(wanted);
  if (chosen != nullptr && chosen->is_table()) {
    lay_over(file, *chosen->as_table());
    return std::nullopt;
  }
  std::string known;
  for (const auto& [name, table] : environments) {
    known += (known.empty() ? "; it has " : ", ") + std::string(name.str());
  }
  return Diagnostic{file_name, {}, "the file has no [environment." + std::string(wanted) + "]" + known,
                    false};
}

}  // namespace

ParsedPipeline parse_pipeline(std::string_view text, const std::string& file_name,
                              const PipelineLimits& limits, std::string_view environment) {
  ParsedPipeline result;
  if (auto breach = find_breach(text, file_name, limits)) {
    result.problems.push_back(std::move(*breach));
    return result;
  }
  toml::parse_result parsed = toml::parse(text);
  if (parsed.failed()) {
    const toml::parse_error& problem = parsed.error();
    result.problems.push_back({file_name, spec_reader::position_of(problem.source()),
                               std::string(problem.description()), false});
    return result;
  }
  toml::table file = std::move(parsed).table();
  if (auto wrong = choose_environment(file, environment, file_name)) {
    result.problems.push_back(std::move(*wrong));
    return result;
  }
  spec_reader::Reader reader(file_name);
  PipelineSpec spec = reader.read(file);
  result.problems = reader.take_problems();
  sort_by_place(result.problems);
  if (!has_errors(result.problems)) result.spec = std::move(spec);
  return result;
}

}  // namespace pipelined
