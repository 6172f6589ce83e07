// The parts of judging, each over the same input and into the same judgement.
//
// For judgement.cc and the sources of these parts only.  Pure functions; one thread.
#pragma once

#include "plugins/data/judgement.h"

namespace pipelined {

/// Takes what was found, with the severity that applies to it.
class FindingBook {
 public:
  explicit FindingBook(const JudgementInput& input) : input_(input) {}

  /// The severity of an anomaly of a feature ("": of the table); `own`: what a rule says itself.
  Severity severity_of(const std::string& anomaly, const std::string& feature,
                       std::optional<Severity> own = std::nullopt) const;

  /// Records a check; its severity is looked up, and it is off if that is off.
  void add(Check check, std::optional<Severity> own = std::nullopt);

  /// Records something that is wrong and has no figure.
  void say(const std::string& anomaly, const std::string& feature, std::string sentence);

  Judgement judgement;

 private:
  const JudgementInput& input_;
};

/// Columns, presence, types, limits, rows, rules and own checks.
void judge_schema(const JudgementInput& input, FindingBook& book);

/// Distances from one side.
void judge_side(const JudgementInput& input, const Side& side, FindingBook& book);

/// Rows, means and missing shares beside those of the spans before.
void judge_trends(const JudgementInput& input, FindingBook& book);

}  // namespace pipelined
