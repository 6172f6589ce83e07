#include "operators/param_lookup.h"

namespace pipelined {

// The depth of a value is bounded by its readers (64), so recursion is safe here.
const Value* find_param(const Value& root, std::string_view name) {
  if (name.empty()) return &root;
  const ValueTable* table = root.as_table();
  if (!table) return nullptr;
  for (std::size_t size = name.size(); size != std::string_view::npos && size > 0;
       size = name.rfind('.', size - 1)) {
    const auto found = table->find(name.substr(0, size));
    if (found == table->end()) continue;
    if (size == name.size()) return &found->second;
    if (size + 1 == name.size()) continue;
    if (const Value* value = find_param(found->second, name.substr(size + 1))) return value;
  }
  return nullptr;
}

}  // namespace pipelined
