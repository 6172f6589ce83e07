// The language of `when`: comparisons of names with numbers and strings, and, or, not.
//
//   evaluate.auc >= 0.7 and not (validate.verdict == 'halt')
//
// A name is STEP.METRIC, or STEP.METRIC[SLICE]; what it stands for is asked of the caller.  Knows
// nothing of runs or metrics.  A parsed condition is immutable; any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "dag/result.h"

namespace pipelined {

/// What a name stands for; monostate: there is no such thing.
using ConditionValue = std::variant<std::monostate, double, std::string>;

/// A name of a condition in its parts.
struct ConditionName {
  std::string step, name, slice;
  bool operator==(const ConditionName&) const = default;
  /// "evaluate.auc" or "evaluate.auc[carrier=UA]".
  std::string text() const { return step + '.' + name + (slice.empty() ? "" : '[' + slice + ']'); }
};

using ConditionLookup = std::function<ConditionValue(const ConditionName&)>;

/// What came of it, with the values that decided.
struct ConditionOutcome {
  bool holds = false;
  std::string values;  ///< "evaluate.auc = 0.68"
};

class Condition {
 public:
  /// The error's message begins with "at character N: ".
  static Result<Condition> parse(std::string_view text);

  /// Every name in it, once, in order.
  const std::vector<ConditionName>& names() const { return names_; }

  /// Every name must stand for something and be compared with its like; else an error says which.
  Result<ConditionOutcome> evaluate(const ConditionLookup& lookup) const;

  struct Node;

 private:
  std::shared_ptr<const Node> root_;
  std::vector<ConditionName> names_;
};

}  // namespace pipelined
