// What differs between two versions of models: metrics, importance, signature, recipe, data.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include "cli/commands/models.h"
#include "dag/model_version.h"

namespace pipelined::cli {
namespace {

using Names = std::map<std::string, std::string>;

std::string worded(const Value& value) {
  return value.as_text() != nullptr ? *value.as_text() : canonical(value);
}

const Value* entry(const ValueTable& table, const char* name) {
  const auto found = table.find(name);
  return found == table.end() ? nullptr : &found->second;
}

Names table_in(const ValueTable& facts, const char* name) {
  Names names;
  const Value* value = entry(facts, name);
  const ValueTable* table = value == nullptr ? nullptr : value->as_table();
  if (table == nullptr) return names;
  for (const auto& [key, item] : *table) names[key] = worded(item);
  return names;
}

std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

Names columns_of(const std::vector<ModelColumn>& columns, const std::string& side) {
  Names names;
  for (const ModelColumn& column : columns) {
    std::string text = column.type + (column.optional ? ", may be left out" : "");
    for (const std::int64_t length : column.shape) text += " × " + std::to_string(length);
    if (!column.values.empty()) text += ", " + std::to_string(column.values.size()) + " values";
    if (column.range) {
      text += ", " + short_number(column.range->first) + " to " + short_number(column.range->second);
    }
    if (column.closed) text += ", no others";
    names[side + " " + column.name] = text;
  }
  return names;
}

Names signature_of(const ValueTable& facts) {
  const auto read = model_facts_from(Value(facts));
  if (!read) return {};
  Names names = columns_of(read->inputs, "input");
  names.merge(columns_of(read->outputs, "output"));
  return names;
}

Names metrics_in(const ValueTable& facts) {
  Names names;
  const Value* value = entry(facts, "metrics");
  const ValueList* list = value == nullptr ? nullptr : value->as_list();
  if (list == nullptr) return names;
  for (const Value& item : *list) {
    const ValueTable* one = item.as_table();
    if (one == nullptr || entry(*one, "name") == nullptr || entry(*one, "value") == nullptr) continue;
    const Value* slice = entry(*one, "slice");
    names[worded(*entry(*one, "name")) + (slice == nullptr ? "" : " " + worded(*slice))] =
        worded(*entry(*one, "value"));
  }
  return names;
}

// A list as a set: each item stands for itself.
Names items_in(const ValueTable& facts, const char* name) {
  Names names;
  const Value* value = entry(facts, name);
  const ValueList* list = value == nullptr ? nullptr : value->as_list();
  if (list == nullptr) return names;
  for (const Value& item : *list) names[worded(item)] = "there";
  return names;
}

Names word_in(const ValueTable& facts, const char* name) {
  const Value* value = entry(facts, name);
  return value == nullptr ? Names{} : Names{{name, worded(*value)}};
}

void compare(std::vector<ModelDifference>& out, const std::string& topic, const Names& before,
             const Names& after) {
  std::set<std::string> names;
  for (const auto& [name, value] : before) names.insert(name);
  for (const auto& [name, value] : after) names.insert(name);
  for (const std::string& name : names) {
    const auto old = before.find(name), now = after.find(name);
    const std::string was = old == before.end() ? "" : old->second;
    const std::string is = now == after.end() ? "" : now->second;
    if (was != is) out.push_back({topic, name, was, is});
  }
}

void compare_recipes(std::vector<ModelDifference>& out, const ValueTable& before,
                     const ValueTable& after) {
  const auto old = model_facts_from(Value(before)), now = model_facts_from(Value(after));
  if (!old || !now) return;
  const auto [was, is] = effective_recipes(*old, *now);
  compare(out, "recipe", Names(was.begin(), was.end()), Names(is.begin(), is.end()));
}

}  // namespace

std::vector<ModelDifference> compare_versions(const protocol::ModelVersionInfo& before,
                                              const protocol::ModelVersionInfo& after) {
  const ValueTable &a = before.facts, &b = after.facts;
  std::vector<ModelDifference> out;
  compare(out, "metric", metrics_in(a), metrics_in(b));
  compare(out, "importance", table_in(a, "importance"), table_in(b, "importance"));
  compare(out, "signature", signature_of(a), signature_of(b));
  compare(out, "architecture", word_in(a, "architecture"), word_in(b, "architecture"));
  compare(out, "hyperparameter", table_in(a, "hyperparameters"), table_in(b, "hyperparameters"));
  compare_recipes(out, a, b);
  compare(out, "release", items_in(a, "release"), items_in(b, "release"));
  compare(out, "data", items_in(a, "data"), items_in(b, "data"));
  compare(out, "seed", word_in(a, "seed"), word_in(b, "seed"));
  compare(out, "code", table_in(a, "code"), table_in(b, "code"));
  return out;
}

int run_model_diff(Session& session) {
  const std::string model = session.arguments.text("NAME");
  const auto before = fetch_version(session, model, session.arguments.text("A"));
  if (!before) return session.fail(before.error());
  const auto after = fetch_version(session, model, session.arguments.text("B"));
  if (!after) return session.fail(after.error());
  const auto differences = compare_versions(*before, *after);
  protocol::ModelDiff reply{model, before->version, after->version, {}};
  for (const ModelDifference& one : differences) {
    reply.lines.push_back({one.topic, "", "", one.name, one.before, one.after});
  }
  session.replace_reply(reply);
  return session.show([&] {
    Table table = session.table({{"WHAT"}, {"NAME"}, {before->version}, {after->version}});
    for (const ModelDifference& one : differences) {
      const bool number = one.topic == "metric" || one.topic == "importance";
      const auto shown = [&](const std::string& text) {
        if (text.empty()) return std::string("-");
        return number ? short_number(std::strtod(text.c_str(), nullptr)) : text;
      };
      table.add({one.topic, one.name, shown(one.before), shown(one.after)});
    }
    session.print(table);
    if (differences.empty()) session.say("the two versions do not differ");
  });
}

}  // namespace pipelined::cli
