#include "plugins/data/validation_outputs.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "plugins/common/html_report.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;

constexpr std::size_t bars_max = 12;
constexpr std::size_t charts_max = 8;

Json side_json(const Comparison& comparison, bool now) {
  const Distance& distance = comparison.distance;
  const auto& mean = now ? comparison.mean_now : comparison.mean_before;
  Json side = Json::object();
  if (!distance.largest.empty()) {
    side[distance.largest] = now ? distance.share_now : distance.share_before;
  } else if (mean) {
    side["mean"] = *mean;
  }
  return side;
}

Json comparison_json(const Comparison& comparison) {
  const Distance& distance = comparison.distance;
  Json json = {{"feature", comparison.feature},
               {"measure", distance.measure},
               {"value", distance.value},
               {"fired", comparison.fired},
               {"sentence", comparison.sentence}};
  json["threshold"] = comparison.threshold ? Json(*comparison.threshold) : Json();
  json["severity"] = comparison.threshold ? Json(name_of(comparison.severity)) : Json();
  json["sides"] = {{comparison.side, side_json(comparison, false)},
                   {"this", side_json(comparison, true)}};
  if (!distance.largest.empty()) json["value_with_largest_difference"] = distance.largest;
  if (distance.approximate) json["approximate"] = true;
  if (distance.error) json["error"] = *distance.error;
  json["p"] = distance.p;
  if (comparison.uncertain) json["uncertain"] = true;
  return json;
}

/// Shares of all values on both sides, the most frequent first.
std::vector<ReportBar> value_bars(const FeatureFacts& before, const FeatureFacts& now) {
  std::set<std::string> values;
  for (const auto& [value, count] : before.values) values.insert(value);
  for (const auto& [value, count] : now.values) values.insert(value);
  const auto share = [](const FeatureFacts& facts, const std::string& value) {
    const auto found = facts.values.find(value);
    const double count = found == facts.values.end() ? 0 : static_cast<double>(found->second);
    return facts.count > 0 ? count / static_cast<double>(facts.count) : 0;
  };
  std::vector<ReportBar> bars;
  for (const std::string& value : values) {
    bars.push_back({value, share(before, value), share(now, value)});
  }
  std::stable_sort(bars.begin(), bars.end(), [](const ReportBar& a, const ReportBar& b) {
    return std::max(a.before, a.now) > std::max(b.before, b.now);
  });
  if (bars.size() > bars_max) bars.resize(bars_max);
  return bars;
}

Json rows_json(const std::vector<ExampleRow>& examples) {
  Json rows = Json::array();
  for (const ExampleRow& example : examples) {
    Json cells = Json::object();
    for (const auto& [name, value] : example.cells) cells[name] = value;
    Json row = {{"values", std::move(cells)}};
    if (example.row > 0) row["row"] = example.row;
    rows.push_back(std::move(row));
  }
  return rows;
}

Json check_json(const Check& check) {
  Json json = {{"anomaly", check.name}, {"feature", check.feature}, {"fired", check.fired},
               {"severity", name_of(check.severity)}};
  if (!check.rule.empty()) json["rule"] = check.rule;
  if (check.measured) json["measured"] = *check.measured;
  if (check.limit) json["limit"] = *check.limit;
  if (!check.fired) return json;
  json["sentence"] = check.sentence;
  if (check.rows > 0) json["rows"] = check.rows;
  if (!check.examples.empty()) json["examples"] = rows_json(check.examples);
  return json;
}

const TableFacts* facts_of(const JudgementInput& input, const std::string& side) {
  for (const Side& one : input.sides) {
    if (one.name == side) return &one.facts;
  }
  return nullptr;
}

/// The side that charts and the remedy compare with.
const Side* first_side(const JudgementInput& input) {
  return input.sides.empty() ? nullptr : &input.sides.front();
}

/// Features worth a chart: those judged first, then those that moved most.
std::vector<std::string> charted(const Judgement& judgement, const std::string& side) {
  std::vector<const Comparison*> sorted;
  for (const Comparison& comparison : judgement.comparisons) {
    if (comparison.side == side && comparison.distance.measure == "jensen_shannon") {
      sorted.push_back(&comparison);
    }
  }
  std::set<std::string> judged;
  for (const Comparison& comparison : judgement.comparisons) {
    if (comparison.threshold) judged.insert(comparison.feature);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Comparison* a, const Comparison* b) {
    const bool a_judged = judged.contains(a->feature), b_judged = judged.contains(b->feature);
    return a_judged != b_judged ? a_judged : a->distance.value > b->distance.value;
  });
  std::vector<std::string> names;
  for (const Comparison* comparison : sorted) {
    if (names.size() < charts_max) names.push_back(comparison->feature);
  }
  return names;
}

/// Rows that show what was found, a line a row.
void add_example_rows(HtmlReport& report, const Judgement& judgement) {
  std::vector<std::vector<ReportCell>> rows;
  for (const Check& anomaly : judgement.anomalies) {
    for (const ExampleRow& example : anomaly.examples) {
      std::string cells;
      for (const auto& [name, value] : example.cells) {
        cells += (cells.empty() ? "" : ", ") + name + " = " + value;
      }
      rows.push_back({{anomaly.rule.empty() ? anomaly.feature : anomaly.rule},
                      {anomaly.name},
                      {example.row > 0 ? std::to_string(example.row) : "–", Tone::neutral, true},
                      {cells}});
    }
  }
  if (rows.empty()) return;
  report.heading("Example rows");
  report.table({"of", "anomaly", "row", "values"}, rows);
}

void add_anomalies(HtmlReport& report, const Judgement& judgement) {
  report.heading("Anomalies");
  if (judgement.anomalies.empty()) return report.paragraph("None.");
  std::vector<std::vector<ReportCell>> rows;
  for (const Check& anomaly : judgement.anomalies) {
    const Tone tone = anomaly.severity == Severity::error ? Tone::bad : Tone::warning;
    rows.push_back({{name_of(anomaly.severity), tone},
                    {anomaly.name},
                    {anomaly.rule.empty() ? anomaly.feature : anomaly.rule},
                    {anomaly.sentence}});
  }
  report.table({"severity", "anomaly", "feature", "what was found"}, rows);
  add_example_rows(report, judgement);
  if (judgement.examples.empty()) return;
  report.heading("Values outside their domain");
  rows.clear();
  for (const OffendingValue& value : judgement.examples) {
    rows.push_back({{value.feature}, {value.value},
                    {std::to_string(value.count), Tone::neutral, true}});
  }
  report.table({"feature", "value", "rows"}, rows);
}

void add_comparisons(HtmlReport& report, const Judgement& judgement) {
  report.heading("Comparisons");
  if (judgement.comparisons.empty() && judgement.uncompared.empty()) {
    return report.paragraph("There are no earlier statistics to compare with.");
  }
  report.paragraph("Every feature is measured; only those with a threshold are judged. All measures "
                   "of all features stand in anomalies.json.");
  std::vector<std::vector<ReportCell>> rows;
  std::vector<const Comparison*> sorted;
  for (const Comparison& comparison : judgement.comparisons) {
    if (comparison.threshold || comparison.usual) sorted.push_back(&comparison);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const Comparison* a, const Comparison* b) {
    return a->threshold.has_value() > b->threshold.has_value();
  });
  for (const Comparison* comparison : sorted) {
    const Tone tone = comparison->fired ? Tone::bad
                      : comparison->uncertain ? Tone::warning
                      : comparison->threshold ? Tone::good : Tone::neutral;
    rows.push_back({{comparison->feature},
                    {comparison->side},
                    {comparison->distance.measure},
                    {readable(comparison->distance.value), tone, true},
                    {comparison->threshold ? readable(*comparison->threshold) : "–", Tone::neutral,
                     true},
                    {comparison->fired ? "fired" : comparison->uncertain ? "uncertain"
                     : comparison->threshold ? "passed" : "measured",
                     tone},
                    {comparison->sentence}});
  }
  for (const Uncompared& one : judgement.uncompared) {
    const ReportCell none{"–", Tone::neutral, true};
    rows.push_back({{one.feature}, {one.side}, {"–"}, none, none, {"not compared"}, {one.why}});
  }
  report.table({"feature", "side", "measure", "value", "threshold", "", "in words"}, rows);
}

/// Every figure beside its limit, those that fired first.
void add_checks(HtmlReport& report, const Judgement& judgement) {
  std::vector<std::vector<ReportCell>> rows;
  for (const bool fired : {true, false}) {
    for (const Check& check : judgement.checks) {
      if (check.fired != fired || !check.measured) continue;
      const Tone tone = !fired ? Tone::good
                        : check.severity == Severity::error ? Tone::bad : Tone::warning;
      rows.push_back({{check.rule.empty() ? check.feature : check.rule},
                      {check.name},
                      {readable(*check.measured), tone, true},
                      {check.limit ? readable(*check.limit) : "–", Tone::neutral, true},
                      {fired ? "fired" : "passed", tone}});
    }
  }
  if (rows.empty()) return;
  report.heading("Checks");
  report.table({"of", "anomaly", "measured", "limit", ""}, rows);
}

void add_features(HtmlReport& report, const TableFacts& now) {
  report.heading("Features");
  std::vector<std::vector<ReportCell>> rows;
  const auto figure = [](const std::optional<double>& value) {
    return ReportCell{value ? readable(*value) : "–", Tone::neutral, true};
  };
  for (const FeatureFacts& facts : now.features) {
    rows.push_back({{facts.name},
                    {facts.type},
                    {std::to_string(facts.count), Tone::neutral, true},
                    {std::to_string(facts.missing), Tone::neutral, true},
                    {std::to_string(facts.unique), Tone::neutral, true},
                    figure(facts.mean),
                    figure(facts.min),
                    figure(facts.max)});
  }
  report.table({"feature", "type", "values", "missing", "distinct", "mean", "min", "max"}, rows);
}

}  // namespace

std::string anomalies_json(const JudgementInput& input, const Judgement& judgement) {
  Json json = {{"verdict", judgement.verdict()},
               {"sides", Json::array()},
               {"comparisons", Json::array()},
               {"not_compared", Json::array()},
               {"checks", Json::array()},
               {"anomalies", Json::array()},
               {"examples", Json::array()}};
  for (const Side& side : input.sides) json["sides"].push_back(side.name);
  for (const Comparison& comparison : judgement.comparisons) {
    json["comparisons"].push_back(comparison_json(comparison));
  }
  for (const Uncompared& one : judgement.uncompared) {
    json["not_compared"].push_back(
        {{"feature", one.feature}, {"side", one.side}, {"why", one.why}});
  }
  for (const Check& check : judgement.checks) json["checks"].push_back(check_json(check));
  for (const Check& anomaly : judgement.anomalies) {
    json["anomalies"].push_back(check_json(anomaly));
  }
  for (const OffendingValue& value : judgement.examples) {
    json["examples"].push_back(
        {{"feature", value.feature}, {"value", value.value}, {"count", value.count}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Remedy find_remedy(const JudgementInput& input, const Judgement& judgement,
                   const std::string& method) {
  const std::string label = label_of(input);
  const TableFacts* previous = facts_of(input, "previous");
  const FeatureFacts* after = input.now.find(label);
  const FeatureFacts* before = previous ? previous->find(label) : nullptr;
  const auto moved = std::find_if(
      judgement.comparisons.begin(), judgement.comparisons.end(), [&](const Comparison& comparison) {
        return comparison.fired && comparison.feature == label && comparison.side == "previous" &&
               !comparison.distance.largest.empty();
      });
  if (method.empty() || method == "none" || moved == judgement.comparisons.end() || !after ||
      !before || !after->complete || !before->complete) {
    return {};
  }
  Remedy remedy{method, {}, {}, moved->sentence};
  double largest = 0;
  std::map<std::string, double> weights;
  for (const auto& [value, count] : after->values) {
    if (count == 0) continue;
    const auto found = before->values.find(value);
    // A class that was not there before has no weight that would bring the old shares back.
    if (found == before->values.end() || found->second == 0) return {};
    const double share = static_cast<double>(found->second) / static_cast<double>(before->count);
    weights[value] = share * static_cast<double>(after->count) / static_cast<double>(count);
    largest = std::max(largest, weights[value]);
  }
  if (method == "weights") remedy.class_weights = weights;
  for (const auto& [value, weight] : weights) {
    if (method == "undersample") remedy.undersample[value] = weight / largest;
  }
  return remedy;
}

bool only_label_moved(const JudgementInput& input, const Judgement& judgement) {
  const std::string label = label_of(input);
  return std::all_of(judgement.anomalies.begin(), judgement.anomalies.end(),
                     [&](const auto& anomaly) {
                       return anomaly.severity != Severity::error ||
                              (anomaly.name == "drift" && anomaly.feature == label);
                     });
}

std::string remedy_json(const JudgementInput& input, const Remedy& remedy) {
  const Json json = {{"label", label_of(input)},
                     {"remedy", remedy.method},
                     {"class_weights", remedy.class_weights},
                     {"undersample", remedy.undersample},
                     {"why", remedy.why}};
  return json.dump() + "\n";
}

std::string validation_report(const JudgementInput& input, const Judgement& judgement) {
  HtmlReport report("Validation", std::to_string(input.now.rows) + " rows, " +
                                      std::to_string(input.now.features.size()) + " features");
  if (judgement.halts()) {
    report.verdict(Tone::bad, "halt", judgement.verdict_sentence());
  } else if (!judgement.anomalies.empty()) {
    report.verdict(Tone::warning, "passed with warnings", judgement.warning_sentence());
  } else {
    report.verdict(Tone::good, "passed", "nothing is out of the ordinary");
  }
  add_anomalies(report, judgement);
  if (const Side* side = first_side(input)) {
    report.heading("What moved");
    for (const std::string& name : charted(judgement, side->name)) {
      const FeatureFacts* before = side->facts.find(name);
      const FeatureFacts* after = input.now.find(name);
      if (!before || !after || !before->complete || !after->complete) continue;
      report.bars(name, side->name, "now", value_bars(*before, *after));
    }
  }
  add_comparisons(report, judgement);
  add_checks(report, judgement);
  add_features(report, input.now);
  return report.text();
}

}  // namespace pipelined
