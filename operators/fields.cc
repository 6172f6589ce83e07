#include "operators/fields.h"

namespace pipelined {
namespace {
const ValueTable empty_table;
const ValueList empty_list;
}  // namespace

void Fields::refuse(const std::string& name, const std::string& why) {
  if (!error_) {
    error_ = Error{ErrorCode::invalid, "cannot read " + what_ + ": \"" + name + "\" " + why};
  }
}

const Value* Fields::find(const char* name, bool required) {
  const auto found = table_.find(name);
  if (found != table_.end() && !found->second.is_null()) return &found->second;
  if (required) refuse(name, "is missing");
  return nullptr;
}

template <class T>
const T* Fields::get(const char* name, bool required, const char* kind) {
  const Value* value = find(name, required);
  if (!value) return nullptr;
  const T* data = std::get_if<T>(&value->data);
  if (!data) refuse(name, std::string("is not a ") + kind + " but a " + kind_name(*value));
  return data;
}

std::string Fields::text(const char* name, bool required) {
  const auto* data = get<std::string>(name, required, "string");
  return data ? *data : std::string();
}

std::int64_t Fields::integer(const char* name, bool required) {
  const auto* data = get<std::int64_t>(name, required, "int");
  return data ? *data : 0;
}

double Fields::number(const char* name, bool required) {
  const Value* value = find(name, required);
  if (!value) return 0;
  if (const std::int64_t* whole = value->as_int()) return static_cast<double>(*whole);
  const auto* data = get<double>(name, required, "float");
  return data ? *data : 0;
}

bool Fields::flag(const char* name, bool required) {
  const auto* data = get<bool>(name, required, "bool");
  return data && *data;
}

const ValueTable& Fields::table(const char* name, bool required) {
  const auto* data = get<ValueTable>(name, required, "table");
  return data ? *data : empty_table;
}

const ValueList& Fields::list(const char* name, bool required) {
  const auto* data = get<ValueList>(name, required, "list");
  return data ? *data : empty_list;
}

}  // namespace pipelined
