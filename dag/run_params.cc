#include "dag/run_params.h"

#include <algorithm>

#include "dag/nearest_name.h"

namespace pipelined {
namespace {

double number_in(const Value& value) {
  if (const std::int64_t* whole = value.as_int()) return static_cast<double>(*whole);
  const double* real = value.as_double();
  return real != nullptr ? *real : 0;
}

bool is_number(const Value& value) {
  return value.as_int() != nullptr || value.as_double() != nullptr;
}

Result<void> obey(const std::string& name, const ParamRule& rule, const Value& value) {
  const auto bad = [&](const std::string& allowed) {
    return Error{ErrorCode::invalid,
                 "parameter " + name + " must be " + allowed + ", not " + canonical(value)};
  };
  if (!rule.choices.empty()) {
    const auto same = [&](const Value& choice) {
      return choice == value || (is_number(choice) && is_number(value) &&
                                 number_in(choice) == number_in(value));
    };
    if (std::none_of(rule.choices.begin(), rule.choices.end(), same)) {
      std::string list;
      for (const Value& choice : rule.choices) list += (list.empty() ? "" : ", ") + canonical(choice);
      return bad("one of " + list);
    }
  }
  if (rule.least && !(number_in(value) >= *rule.least)) {
    return bad("at least " + canonical(Value(*rule.least)));
  }
  if (rule.most && !(number_in(value) <= *rule.most)) {
    return bad("at most " + canonical(Value(*rule.most)));
  }
  return {};
}

}  // namespace

Result<ValueTable> run_params(const PipelineSpec& spec, const ValueTable& given) {
  ValueTable values;
  for (const auto& [name, value] : given) {
    const auto declared = spec.params.find(name);
    if (declared == spec.params.end()) {
      std::vector<std::string> known;
      for (const auto& [one, ignored] : spec.params) known.push_back(one);
      return Error{ErrorCode::invalid, "pipeline " + spec.name + " has no parameter " + name +
                                           did_you_mean(name, known)};
    }
    const bool numbers = is_number(declared->second) && is_number(value);
    if (!numbers && std::string_view(kind_name(declared->second)) != kind_name(value)) {
      return Error{ErrorCode::invalid, "parameter " + name + " is a " +
                                           kind_name(declared->second) + ", not " +
                                           canonical(value)};
    }
    if (declared->second.as_int() != nullptr && value.as_double() != nullptr) {
      return Error{ErrorCode::invalid,
                   "parameter " + name + " is an int, not " + canonical(value)};
    }
    const auto rule = spec.param_rules.find(name);
    if (rule != spec.param_rules.end()) TRY_VOID(obey(name, rule->second, value));
    const bool widened = declared->second.as_double() != nullptr && value.as_int() != nullptr;
    values[name] = widened ? Value(number_in(value)) : value;
  }
  return values;
}

}  // namespace pipelined
