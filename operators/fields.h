// Reads the fields of a table and remembers the first that is missing or of another kind.
//
// For the readers of frames and descriptors: ask for every field, then look once at `error()`.
// Knows no meaning of any field.  One thread; the table must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "dag/result.h"
#include "dag/value.h"

namespace pipelined {

class Fields {
 public:
  /// `what` names the table in errors: "run", "operator data.validate".
  Fields(const ValueTable& table, std::string what) : table_(table), what_(std::move(what)) {}

  // Each returns an empty value when the field is absent or null, which is an error if `required`.

  std::string text(const char* name, bool required = false);
  std::int64_t integer(const char* name, bool required = false);
  double number(const char* name, bool required = false);
  bool flag(const char* name, bool required = false);
  const ValueTable& table(const char* name, bool required = false);
  const ValueList& list(const char* name, bool required = false);
  /// The field as it is; nothing when it is absent or null.
  const Value* find(const char* name, bool required = false);

  /// The first thing that was wrong (invalid).
  const std::optional<Error>& error() const { return error_; }
  /// Records that a field is wrong in a way that only the caller can see.
  void refuse(const std::string& name, const std::string& why);

 private:
  template <class T>
  const T* get(const char* name, bool required, const char* kind);

  const ValueTable& table_;
  std::string what_;
  std::optional<Error> error_;
};

}  // namespace pipelined
