// The facts of a model as a table and back.
#include <algorithm>

#include "dag/model_version.h"

namespace pipelined {
namespace {

Value table_of(const ModelFacts::Texts& texts) {
  ValueTable table;
  for (const auto& [name, text] : texts) table.emplace(name, text);
  return table;
}

Value list_of(const std::vector<ModelColumn>& columns) {
  ValueList list;
  for (const ModelColumn& column : columns) {
    ValueTable one{{"name", column.name}, {"type", column.type}};
    if (column.optional) one["optional"] = true;
    if (column.closed) one["closed"] = true;
    if (!column.shape.empty()) {
      ValueList shape;
      for (const std::int64_t length : column.shape) shape.push_back(length);
      one["shape"] = std::move(shape);
    }
    if (column.range) one["range"] = ValueList{column.range->first, column.range->second};
    if (!column.values.empty()) {
      ValueList values;
      for (const std::string& value : column.values) values.push_back(value);
      one["values"] = std::move(values);
    }
    list.push_back(std::move(one));
  }
  return list;
}

const Value* entry(const ValueTable& table, std::string_view name) {
  const auto found = table.find(name);
  return found == table.end() ? nullptr : &found->second;
}

std::string text_in(const ValueTable& table, std::string_view name) {
  const Value* value = entry(table, name);
  const std::string* text = value == nullptr ? nullptr : value->as_text();
  return text == nullptr ? "" : *text;
}

bool flag_in(const ValueTable& table, std::string_view name) {
  const Value* value = entry(table, name);
  const bool* flag = value == nullptr ? nullptr : value->as_bool();
  return flag != nullptr && *flag;
}

std::vector<std::string> texts_in(const ValueTable& table, std::string_view name) {
  std::vector<std::string> texts;
  const Value* value = entry(table, name);
  const ValueList* list = value == nullptr ? nullptr : value->as_list();
  if (list == nullptr) return texts;
  for (const Value& item : *list) {
    if (const std::string* text = item.as_text()) texts.push_back(*text);
  }
  return texts;
}

// Whatever stands there as text: numbers and flags as they are written.
ModelFacts::Texts table_in(const ValueTable& table, std::string_view name) {
  ModelFacts::Texts texts;
  const Value* value = entry(table, name);
  const ValueTable* inner = value == nullptr ? nullptr : value->as_table();
  if (inner == nullptr) return texts;
  for (const auto& [key, item] : *inner) {
    texts.emplace(key, item.as_text() != nullptr ? *item.as_text() : canonical(item));
  }
  return texts;
}

std::optional<double> number_in(const Value& value) {
  if (value.as_int() != nullptr) return static_cast<double>(*value.as_int());
  if (value.as_double() != nullptr) return *value.as_double();
  return std::nullopt;
}

std::optional<std::pair<double, double>> range_in(const Value* value) {
  const ValueList* ends = value == nullptr ? nullptr : value->as_list();
  if (ends == nullptr || ends->size() != 2) return std::nullopt;
  const auto least = number_in(ends->at(0)), greatest = number_in(ends->at(1));
  if (!least || !greatest) return std::nullopt;
  return std::pair(*least, *greatest);
}

Result<std::vector<ModelColumn>> columns_in(const ValueTable& table, const char* name) {
  std::vector<ModelColumn> columns;
  const Value* value = entry(table, name);
  const ValueList* list = value == nullptr ? nullptr : value->as_list();
  if (list == nullptr) return columns;
  for (const Value& item : *list) {
    const ValueTable* one = item.as_table();
    ModelColumn column;
    if (one != nullptr) column.name = text_in(*one, "name"), column.type = text_in(*one, "type");
    if (column.name.empty() || column.type.empty()) {
      return Error{ErrorCode::invalid, std::string("one of its ") + name + " has no name or no type"};
    }
    const bool twice = std::any_of(columns.begin(), columns.end(), [&](const ModelColumn& other) {
      return other.name == column.name;
    });
    if (twice) {
      return Error{ErrorCode::invalid, std::string("its ") + name + " hold " + column.name +
                                           " twice"};
    }
    column.optional = flag_in(*one, "optional");
    column.closed = flag_in(*one, "closed");
    column.values = texts_in(*one, "values");
    column.range = range_in(entry(*one, "range"));
    const Value* shape = entry(*one, "shape");
    if (const ValueList* lengths = shape == nullptr ? nullptr : shape->as_list()) {
      for (const Value& length : *lengths) {
        column.shape.push_back(length.as_int() != nullptr ? *length.as_int() : -1);
      }
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace

Value to_value(const ModelFacts& facts) {
  ValueList data;
  for (const std::string& digest : facts.data) data.push_back(digest);
  return ValueTable{{"inputs", list_of(facts.inputs)},
                    {"outputs", list_of(facts.outputs)},
                    {"architecture", facts.architecture},
                    {"hyperparameters", table_of(facts.hyperparameters)},
                    {"recipe", table_of(facts.recipe)},
                    {"defaults", table_of(facts.defaults)},
                    {"data", std::move(data)},
                    {"seed", facts.seed},
                    {"code", table_of(facts.code)}};
}

Result<ModelFacts> model_facts_from(const Value& value) {
  ModelFacts facts;
  const ValueTable* table = value.as_table();
  if (table == nullptr) return facts;
  TRY(inputs, columns_in(*table, "inputs"));
  TRY(outputs, columns_in(*table, "outputs"));
  facts.inputs = std::move(inputs);
  facts.outputs = std::move(outputs);
  facts.architecture = text_in(*table, "architecture");
  facts.hyperparameters = table_in(*table, "hyperparameters");
  facts.recipe = table_in(*table, "recipe");
  facts.defaults = table_in(*table, "defaults");
  facts.data = texts_in(*table, "data");
  facts.seed = text_in(*table, "seed");
  facts.code = table_in(*table, "code");
  return facts;
}

}  // namespace pipelined
