// Parameters of a step, of which a search may have chosen some.
//
// A training with an artifact tuning/1 at input "tuning" takes the values of its chosen trial in
// place of its own.  Without the parameter "tuned" every value is taken under its own name; with it
// only those that it names: { max_depth = "depth" } takes what the search calls `depth`.  Knows no
// parameter's meaning.  One thread.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>

#include "operators/sdk.h"

namespace pipelined {

class ChosenParams {
 public:
  /// Reads what was chosen; errors: no tuning/1, or a value that none of `tunable` takes.
  static Result<ChosenParams> read(const sdk::Context& context,
                                   std::initializer_list<std::string> tunable);

  /// As those of the context; a chosen value of another kind throws ParameterError.
  std::string text(const std::string& name, const std::string& fallback) const;
  std::int64_t integer(const std::string& name, std::int64_t fallback) const;
  double number(const std::string& name, double fallback) const;

 private:
  explicit ChosenParams(const sdk::Context& context) : context_(&context) {}

  const sdk::Context* context_;
  nlohmann::json chosen_ = nlohmann::json::object();  ///< own name to value
};

}  // namespace pipelined
