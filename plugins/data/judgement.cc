#include "plugins/data/judgement.h"

#include <algorithm>

#include "plugins/data/judge_parts.h"

namespace pipelined {
namespace {

constexpr std::size_t sentences_max = 3;

std::string sentences_of(const Judgement& judgement, Severity severity) {
  std::vector<std::string> found;
  for (const Check& anomaly : judgement.anomalies) {
    if (anomaly.severity != severity) continue;
    const bool label = anomaly.sentence.starts_with("label ");
    found.insert(label ? found.begin() : found.end(), anomaly.sentence);
  }
  std::string text;
  for (std::size_t i = 0; i < found.size() && i < sentences_max; ++i) {
    text += (i > 0 ? "; " : "") + found[i];
  }
  if (found.size() > sentences_max) {
    text += "; and " + std::to_string(found.size() - sentences_max) + " more";
  }
  return text;
}

}  // namespace

Severity FindingBook::severity_of(const std::string& anomaly, const std::string& feature,
                                  std::optional<Severity> own) const {
  const auto stated = input_.options.severity.find(anomaly);
  if (stated != input_.options.severity.end() && stated->second == Severity::off) {
    return Severity::off;
  }
  if (own) return *own;
  const auto expected = input_.schema.features.find(feature);
  if (expected != input_.schema.features.end() && expected->second.severity) {
    return *expected->second.severity;
  }
  if (stated != input_.options.severity.end()) return stated->second;
  const AnomalyKind* kind = anomaly_kind(anomaly);
  CHECK(kind != nullptr);
  return kind->severity;
}

void FindingBook::add(Check check, std::optional<Severity> own) {
  check.severity = severity_of(check.name, check.feature, own);
  check.fired = check.fired && check.severity != Severity::off;
  if (check.fired) judgement.anomalies.push_back(check);
  judgement.checks.push_back(std::move(check));
}

void FindingBook::say(const std::string& anomaly, const std::string& feature,
                      std::string sentence) {
  Check check;
  check.name = anomaly;
  check.feature = feature;
  check.fired = true;
  check.sentence = std::move(sentence);
  add(std::move(check));
}

bool Judgement::halts() const {
  return std::any_of(anomalies.begin(), anomalies.end(),
                     [](const Check& anomaly) { return anomaly.severity == Severity::error; });
}

const char* Judgement::verdict() const {
  return halts() ? "halt" : anomalies.empty() ? "pass" : "warn";
}

std::string Judgement::verdict_sentence() const { return sentences_of(*this, Severity::error); }
std::string Judgement::warning_sentence() const { return sentences_of(*this, Severity::warning); }

std::string label_of(const JudgementInput& input) {
  return input.options.label.empty() ? input.now.label : input.options.label;
}

Judgement judge(const JudgementInput& input) {
  FindingBook book(input);
  judge_schema(input, book);
  for (const Side& side : input.sides) judge_side(input, side, book);
  judge_trends(input, book);
  return std::move(book.judgement);
}

}  // namespace pipelined
