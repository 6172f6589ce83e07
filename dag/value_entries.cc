#include "dag/value_entries.h"

namespace pipelined {

const Value* entry_in(const Value& value, std::string_view name) {
  const ValueTable* table = value.as_table();
  if (table == nullptr) return nullptr;
  const auto found = table->find(name);
  return found == table->end() ? nullptr : &found->second;
}

std::string text_in(const Value& value, std::string_view name) {
  const Value* found = entry_in(value, name);
  const std::string* text = found == nullptr ? nullptr : found->as_text();
  return text == nullptr ? "" : *text;
}

}  // namespace pipelined
