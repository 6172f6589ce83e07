#include "plugins/data/judgement.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "plugins/common/html_report.h"

namespace pipelined {
namespace {

constexpr std::size_t examples_max = 20;
constexpr std::size_t sentences_max = 3;

std::string three_digits(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

class Judge {
 public:
  Judge(const TableFacts& now, const TableSchema& schema, const ScannedValues& scanned,
        const JudgementOptions& options)
      : now_(now), schema_(schema), scanned_(scanned), options_(options),
        label_(options.label.empty() ? now.label : options.label) {}

  void check_schema() {
    if (now_.rows == 0) report("no_rows", "", "the table has no rows");
    for (const auto& [name, expected] : schema_) {
      const FeatureFacts* facts = now_.find(name);
      if (!facts) {
        if (expected.presence != 0.0) {
          report("missing_column", name, name + ": the schema has this column, the data has not");
        }
        continue;
      }
      check_feature(*facts, expected);
    }
    for (const FeatureFacts& facts : now_.features) {
      if (schema_.contains(facts.name)) continue;
      report("new_column", facts.name, facts.name + ": the data has this column, the schema has not");
    }
  }

  void compare(const TableFacts& before, const std::string& side) {
    for (const FeatureFacts& facts : now_.features) {
      const FeatureFacts* other = before.find(facts.name);
      const auto thresholds = thresholds_of(facts.name, facts, other);
      std::set<std::string> measured;
      if (other) {
        for (const Distance& distance : distances(*other, facts)) {
          measured.insert(distance.measure);
          add_comparison(facts, *other, side, distance, thresholds);
        }
      }
      for (const auto& [measure, threshold] : thresholds) {
        if (!measured.contains(measure)) not_comparable(facts, other, side, measure);
      }
    }
    for (const auto& [feature, thresholds] : options_.drift) {
      if (!now_.find(feature)) {
        report("not_comparable", feature, feature + ": a threshold stands for it, but the data has "
                                                    "no such column");
      }
    }
  }

  Judgement take() { return std::move(judgement_); }

 private:
  Severity severity_of(const std::string& anomaly) const {
    const auto stated = options_.severity.find(anomaly);
    return stated == options_.severity.end() ? anomaly_names().at(anomaly) : stated->second;
  }

  void report(const std::string& anomaly, const std::string& feature, std::string sentence) {
    const Severity severity = severity_of(anomaly);
    if (severity == Severity::off) return;
    judgement_.anomalies.push_back({anomaly, feature, severity, std::move(sentence)});
  }

  void check_feature(const FeatureFacts& facts, const FeatureSchema& expected) {
    const std::string& name = facts.name;
    if (expected.type && facts.count > 0) {
      const std::string type = name_of(*expected.type);
      if (facts.type != type && !(type == "float" && facts.type == "int")) {
        report("type_mismatch", name, name + " is " + facts.type + ", the schema says " + type);
      }
    }
    if (expected.presence && facts.rows() > 0) {
      const double share = static_cast<double>(facts.count) / static_cast<double>(facts.rows());
      if (share < *expected.presence) {
        report("low_presence", name, name + " has a value in " + percent(share) + " of the rows (" +
                                         std::to_string(facts.missing) + " missing), " +
                                         percent(*expected.presence) + " are expected");
      }
    }
    check_limits(facts, expected);
    if (expected.domain) check_domain(facts, *expected.domain);
  }

  void check_limits(const FeatureFacts& facts, const FeatureSchema& expected) {
    if (expected.min && facts.min && *facts.min < *expected.min) {
      report("below_min", facts.name, facts.name + " goes down to " + readable(*facts.min) +
                                          ", at least " + readable(*expected.min) +
                                          " is expected");
    }
    if (expected.max && facts.max && *facts.max > *expected.max) {
      report("above_max", facts.name, facts.name + " goes up to " + readable(*facts.max) +
                                          ", at most " + readable(*expected.max) + " is expected");
    }
    if ((expected.min || expected.max) && facts.infinite > 0) {
      report("infinite_value", facts.name, facts.name + " is infinite in " +
                                               std::to_string(facts.infinite) + " rows");
    }
  }

  void check_domain(const FeatureFacts& facts, const std::vector<std::string>& domain) {
    std::vector<OffendingValue> found;
    std::int64_t rows = 0;
    const auto scanned = scanned_.find(facts.name);
    for (const auto& [value, count] : scanned == scanned_.end() ? facts.values : scanned->second) {
      if (std::find(domain.begin(), domain.end(), value) != domain.end() || count == 0) continue;
      found.push_back({facts.name, value, count});
      rows += count;
    }
    if (found.empty()) return;
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.count > b.count; });
    std::string list;
    for (std::size_t i = 0; i < found.size() && i < 5; ++i) {
      list += (i > 0 ? ", '" : "'") + found[i].value + "'";
    }
    if (found.size() > 5) list += ", …";
    report("unexpected_value", facts.name,
           facts.name + " has " + std::to_string(found.size()) +
               (found.size() == 1 ? " value" : " values") + " outside its domain (" + list +
               ") in " + percent(static_cast<double>(rows) / static_cast<double>(facts.count)) +
               " of the rows");
    if (severity_of("unexpected_value") == Severity::off) return;
    found.resize(std::min(found.size(), examples_max));
    judgement_.examples.insert(judgement_.examples.end(), found.begin(), found.end());
  }

  std::map<std::string, double> thresholds_of(const std::string& name, const FeatureFacts& facts,
                                              const FeatureFacts* other) const {
    const auto stated = options_.drift.find(name);
    if (stated != options_.drift.end()) return stated->second;
    if (name != label_) return {};
    const bool values = facts.complete && (!other || other->complete);
    return {{values || !facts.is_number() ? "l_infinity" : "jensen_shannon", label_threshold}};
  }

  void add_comparison(const FeatureFacts& facts, const FeatureFacts& before,
                      const std::string& side, const Distance& distance,
                      const std::map<std::string, double>& thresholds) {
    Comparison comparison{facts.name, side, distance, std::nullopt, false, Severity::off,
                          before.mean, facts.mean, ""};
    if (const auto stands = thresholds.find(distance.measure); stands != thresholds.end()) {
      comparison.threshold = stands->second;
      comparison.severity = severity_of("drift");
      comparison.fired = comparison.severity != Severity::off && distance.value > stands->second;
    }
    comparison.sentence = sentence_of(comparison, facts.name == label_);
    if (comparison.fired) report("drift", facts.name, comparison.sentence);
    judgement_.comparisons.push_back(std::move(comparison));
  }

  static std::string sentence_of(const Comparison& comparison, bool label) {
    const Distance& distance = comparison.distance;
    std::string text = label ? "label " + comparison.feature : comparison.feature;
    if (!distance.largest.empty()) {
      const bool truth = distance.largest == "true";
      text += " moved from " + percent(distance.share_before) + " to " +
              percent(distance.share_now) + " " + (truth ? "true" : "'" + distance.largest + "'");
    } else if (comparison.mean_before && comparison.mean_now) {
      text += " moved from a mean of " + readable(*comparison.mean_before) + " to " +
              readable(*comparison.mean_now);
    }
    text += " (" + distance.measure + " " + three_digits(distance.value);
    if (comparison.threshold) {
      text += distance.value > *comparison.threshold ? " > " : " <= ";
      text += readable(*comparison.threshold);
    }
    text += comparison.side == "previous" ? ")" : ", against the baseline)";
    return text;
  }

  void not_comparable(const FeatureFacts& facts, const FeatureFacts* other, const std::string& side,
                      const std::string& measure) {
    std::string why = "the " + side + " statistics have no such column";
    if (other && (other->count == 0 || facts.count == 0)) why = "one side has no values";
    else if (other && other->type != facts.type) why = "it was " + other->type + " and is " + facts.type;
    else if (other) why = "it is a " + facts.type + " with many values; jensen_shannon can";
    report("not_comparable", facts.name,
           facts.name + ": " + measure + " cannot be measured: " + why);
  }

  const TableFacts& now_;
  const TableSchema& schema_;
  const ScannedValues& scanned_;
  const JudgementOptions& options_;
  std::string label_;
  Judgement judgement_;
};

}  // namespace

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::off: return "off";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "error";
}

const std::map<std::string, Severity>& anomaly_names() {
  static const std::map<std::string, Severity> names{
      {"above_max", Severity::error},       {"below_min", Severity::error},
      {"drift", Severity::error},           {"infinite_value", Severity::error},
      {"low_presence", Severity::error},    {"missing_column", Severity::error},
      {"new_column", Severity::warning},    {"no_rows", Severity::error},
      {"not_comparable", Severity::error},  {"type_mismatch", Severity::error},
      {"unexpected_value", Severity::error}};
  return names;
}

bool Judgement::halts() const {
  return std::any_of(anomalies.begin(), anomalies.end(),
                     [](const Anomaly& anomaly) { return anomaly.severity == Severity::error; });
}

std::string Judgement::verdict_sentence() const {
  std::vector<std::string> errors;
  for (const Anomaly& anomaly : anomalies) {
    if (anomaly.severity != Severity::error) continue;
    const bool label = anomaly.name == "drift" && anomaly.sentence.starts_with("label ");
    errors.insert(label ? errors.begin() : errors.end(), anomaly.sentence);
  }
  std::string text;
  for (std::size_t i = 0; i < errors.size() && i < sentences_max; ++i) {
    text += (i > 0 ? "; " : "") + errors[i];
  }
  if (errors.size() > sentences_max) {
    text += "; and " + std::to_string(errors.size() - sentences_max) + " more";
  }
  return text;
}

std::vector<std::string> features_to_scan(const TableSchema& schema, const TableFacts& facts) {
  std::vector<std::string> names;
  for (const auto& [name, expected] : schema) {
    const FeatureFacts* feature = facts.find(name);
    if (expected.domain && feature && !feature->complete && feature->count > 0) {
      names.push_back(name);
    }
  }
  return names;
}

Judgement judge(const TableFacts& now, const TableSchema& schema, const TableFacts* previous,
                const TableFacts* baseline, const ScannedValues& scanned,
                const JudgementOptions& options) {
  Judge judge(now, schema, scanned, options);
  judge.check_schema();
  if (previous) judge.compare(*previous, "previous");
  if (baseline) judge.compare(*baseline, "baseline");
  return judge.take();
}

}  // namespace pipelined
