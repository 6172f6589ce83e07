// How good a model is, as blocks of a page.
#include <algorithm>
#include <map>

#include "plugins/common/line_chart.h"
#include "plugins/model/report_parts.h"

namespace pipelined::evaluation {
namespace {

using nlohmann::json;

constexpr std::size_t slices_shown = 200;
constexpr std::size_t intervals_shown = 40;
constexpr std::size_t classes_shown = 30;

ReportCell word(std::string text, Tone tone = Tone::neutral) { return {std::move(text), tone, false}; }
ReportCell figure(std::string text) { return {std::move(text), Tone::neutral, true}; }

std::string number(const json& value) {
  return value.is_number() ? readable(value.get<double>()) : "not defined";
}

std::string span_of(const json& interval) {
  if (!interval.is_array()) return "";
  return readable(interval[0].get<double>()) + " to " + readable(interval[1].get<double>());
}

class Page {
 public:
  Page(const json& evaluation, HtmlReport& report) : evaluation_(evaluation), report_(report) {
    for (const json& metric : evaluation.at("metrics")) {
      if (!metric.contains("threshold")) continue;
      threshold_ = metric["threshold"];
      break;
    }
    for (const json& metric : evaluation.at("metrics")) {
      if (metric.contains("threshold") && metric["threshold"] != threshold_) continue;
      by_slice_[metric.at("slice")][metric.at("name")] = &metric;
      if (metric.at("slice") == "") headline_.push_back(&metric);
      has_baseline_ = has_baseline_ || metric.contains("baseline");
    }
  }

  void add() {
    add_verdict();
    add_metrics();
    add_reasons();
    add_curves();
    add_counts();
    add_confusion();
    add_slices();
    add_fairness();
  }

 private:
  void add_verdict() {
    const json& blessing = evaluation_.at("blessing");
    const bool blessed = blessing.at("blessed").get<bool>();
    const bool asked = blessing.at("required").get<int>() > 0;
    report_.verdict(blessed ? Tone::good : asked ? Tone::bad : Tone::neutral,
                    blessed ? "blessed" : "not blessed",
                    blessing.at("sentence").get<std::string>());
    const auto left_out = [&](const char* key, const char* what) {
      const auto count = evaluation_.at(key).get<std::int64_t>();
      if (count > 0) report_.paragraph(std::to_string(count) + what);
    };
    left_out("rows_without_label", " rows have no label and are left out.");
    left_out("rows_of_unknown_class", " rows are of a class that the model does not know.");
    left_out("rows_without_score", " rows got no number as their score.");
  }

  void add_metrics() {
    report_.heading("Metrics of " + evaluation_.at("rows").dump() + " rows");
    if (!threshold_.is_null()) {
      report_.paragraph("Rows that score at least " + number(threshold_) + " are called positive.");
    }
    std::vector<std::string> headers{"metric", "value"};
    const bool intervals = evaluation_.at("bootstraps").get<int>() > 0;
    if (intervals) headers.push_back("interval");
    if (has_baseline_) headers.insert(headers.end(), {"baseline", "difference"});
    if (has_baseline_ && intervals) headers.push_back("its interval");
    std::vector<std::vector<ReportCell>> rows;
    for (const json* metric : headline_) {
      std::vector<ReportCell> row{word(metric->at("name")), figure(number(metric->at("value")))};
      if (intervals) row.push_back(figure(span_of(metric->at("interval"))));
      if (has_baseline_) {
        row.push_back(figure(metric->contains("baseline") ? number((*metric)["baseline"]) : ""));
        const bool known = metric->contains("difference");
        row.push_back(figure(known ? number((*metric)["difference"]) : ""));
        if (intervals) row.push_back(figure(known ? span_of((*metric)["difference_interval"]) : ""));
      }
      rows.push_back(std::move(row));
    }
    report_.table(headers, rows);
  }

  void add_reasons() {
    const json& reasons = evaluation_.at("blessing").at("reasons");
    if (reasons.empty()) return;
    report_.heading("What was required");
    std::vector<std::vector<ReportCell>> rows;
    // Failures first.
    for (const bool passed : {false, true}) {
      for (const json& reason : reasons) {
        if (reason.at("passed") != passed || rows.size() == slices_shown) continue;
        rows.push_back({word(passed ? "holds" : "fails", passed ? Tone::good : Tone::bad),
                        word(reason.at("sentence"))});
      }
    }
    report_.table({"", "requirement"}, rows);
  }

  const json* curve(const std::string& name, bool baseline) const {
    for (const json& one : evaluation_.at("curves")) {
      const bool wanted = one.at("model") == (baseline ? "baseline" : "model");
      if (wanted && one.at("name") == name && one.at("slice") == "") return &one;
    }
    return nullptr;
  }

  static ChartLine line_of(const json& curve, bool strong, bool dots) {
    ChartLine line{{}, strong, dots};
    for (const json& point : curve.at("points")) {
      line.points.emplace_back(point.at("x").get<double>(), point.at("y").get<double>());
    }
    return line;
  }

  void add_curve(const std::string& name, const std::string& title, const std::string& x_name,
                 const std::string& y_name, std::vector<const char*> metrics) {
    const json* own = curve(name, false);
    if (!own || own->at("points").empty()) return;
    ReportCard card;
    card.title = title;
    LineChart chart{title, x_name, y_name, 0, 1, 0, 1, {}};
    if (const json* other = curve(name, true)) {
      chart.lines.push_back(line_of(*other, false, false));
      card.kind = "grey: the baseline";
    }
    const bool dots = name == "calibration";
    if (dots) fit_axes(*own, chart);
    if (dots) chart.lines.push_back({{{chart.x_low, chart.x_low}, {chart.x_high, chart.x_high}}, false, false});
    if (dots) card.kind = "grey: what scores promise";
    chart.lines.push_back(line_of(*own, true, dots));
    card.drawing = svg_of(chart);
    for (const char* metric : metrics) {
      const auto found = by_slice_[""].find(metric);
      if (found == by_slice_[""].end()) continue;
      card.figures.push_back({word(metric), figure(number(found->second->at("value")))});
    }
    if (!card.figures.empty()) card.headers = {"metric", "value"};
    report_.card(card);
  }

  // Values have no fixed range.
  void fit_axes(const json& curve, LineChart& chart) const {
    if (evaluation_.at("objective") == "binary:logistic") return;
    chart.x_low = chart.y_low = chart.x_high = chart.y_high = curve.at("points")[0].at("x");
    for (const json& point : curve.at("points")) {
      const double x = point.at("x").get<double>(), y = point.at("y").get<double>();
      chart.x_low = std::min({chart.x_low, x, y});
      chart.x_high = std::max({chart.x_high, x, y});
    }
    chart.y_low = chart.x_low;
    chart.y_high = chart.x_high;
  }

  void add_curves() {
    report_.heading("Curves");
    add_curve("roc", "ROC", "false positive rate", "recall", {"auc", "fpr", "recall"});
    add_curve("pr", "Precision and recall", "recall", "precision",
              {"pr_auc", "precision", "recall", "f1"});
    add_curve("calibration", "Calibration", "mean score", "mean label",
              {"calibration", "calibration_error", "score_mean", "label_mean"});
    for (const json& one : evaluation_.at("curves")) {
      const std::string name = one.at("name");
      if (name.starts_with("roc.") && one.at("slice") == "") {
        add_curve(name, "ROC of " + name.substr(4), "false positive rate", "recall",
                  {("auc" + name.substr(3)).c_str()});
      }
    }
    add_scores();
  }

  void add_scores() {
    const json* yes = curve("scores.true", false);
    const json* no = curve("scores.false", false);
    if (!yes || !no) return;
    double positives = 0, negatives = 0;
    for (const json& point : yes->at("points")) positives += point.at("y").get<double>();
    for (const json& point : no->at("points")) negatives += point.at("y").get<double>();
    std::vector<ReportBar> bars;
    for (std::size_t i = 0; i < yes->at("points").size(); ++i) {
      const json& point = yes->at("points")[i];
      bars.push_back({"from " + readable(point.at("x").get<double>()),
                      negatives > 0 ? no->at("points")[i].at("y").get<double>() / negatives : 0,
                      positives > 0 ? point.at("y").get<double>() / positives : 0});
    }
    report_.bars("How scores are spread", "label false", "label true", bars);
  }

  void add_counts() {
    std::vector<std::vector<ReportCell>> rows;
    for (const json& one : evaluation_.at("counts")) {
      if (one.at("slice") != "") continue;
      rows.push_back({figure(number(one.at("threshold"))), figure(one.at("true_positives").dump()),
                      figure(one.at("false_positives").dump()),
                      figure(one.at("true_negatives").dump()),
                      figure(one.at("false_negatives").dump())});
    }
    if (rows.empty()) return;
    report_.heading("Right and wrong at thresholds");
    report_.table({"threshold", "true positives", "false positives", "true negatives",
                   "false negatives"}, rows);
  }

  void add_confusion() {
    if (!evaluation_.contains("confusion")) return;
    const json& confusion = evaluation_["confusion"];
    const json& classes = confusion.at("classes");
    report_.heading("Which class was taken for which");
    if (classes.size() > classes_shown) {
      return report_.paragraph("There are " + std::to_string(classes.size()) +
                               " classes; evaluation.json has the table.");
    }
    std::vector<std::string> headers{"true class"};
    for (const json& name : classes) headers.push_back(name);
    std::vector<std::vector<ReportCell>> rows;
    for (std::size_t truth = 0; truth < classes.size(); ++truth) {
      std::vector<ReportCell> row{word(classes[truth])};
      for (std::size_t guess = 0; guess < classes.size(); ++guess) {
        const json& count = confusion.at("rows")[truth][guess];
        const Tone tone = truth == guess ? Tone::good : count == 0 ? Tone::neutral : Tone::warning;
        row.push_back({count.dump(), tone, true});
      }
      rows.push_back(std::move(row));
    }
    report_.table(headers, rows);
  }

  // What slices are compared by.
  std::vector<std::string> slice_metrics() const {
    const std::string objective = evaluation_.at("objective");
    if (objective == "binary:logistic") return {"auc", "precision", "recall", "log_loss"};
    if (objective == "multi:softprob") return {"accuracy", "balanced_accuracy", "log_loss"};
    return {"rmse", "mae", "r2", "error_mean"};
  }

  const json* metric(const std::string& slice, const std::string& name) const {
    const auto own = by_slice_.find(slice);
    if (own == by_slice_.end()) return nullptr;
    const auto found = own->second.find(name);
    return found == own->second.end() ? nullptr : found->second;
  }

  void add_slices() {
    const json& slices = evaluation_.at("slices");
    if (slices.size() < 2) return;
    report_.heading("Slices");
    const std::vector<std::string> metrics = slice_metrics();
    std::vector<std::string> headers{"slice", "rows"};
    headers.insert(headers.end(), metrics.begin(), metrics.end());
    headers.push_back("interval of " + metrics.front());
    std::vector<std::vector<ReportCell>> rows;
    std::vector<ChartInterval> intervals;
    for (const json& slice : slices) {
      if (rows.size() == slices_shown) break;
      const std::string name = slice.at("name");
      std::vector<ReportCell> row{word(name.empty() ? "all rows" : name),
                                  figure(slice.at("rows").dump())};
      for (const std::string& which : metrics) {
        const json* one = metric(name, which);
        row.push_back(figure(one ? number(one->at("value")) : "too few rows"));
      }
      const json* first = metric(name, metrics.front());
      const json interval = first ? first->at("interval") : json();
      row.push_back(figure(span_of(interval)));
      rows.push_back(std::move(row));
      if (!interval.is_array() || intervals.size() == intervals_shown) continue;
      intervals.push_back({name.empty() ? "all rows" : name, first->at("value").get<double>(),
                           interval[0].get<double>(), interval[1].get<double>()});
    }
    report_.table(headers, rows);
    if (slices.size() > slices_shown) {
      report_.paragraph(std::to_string(slices.size() - slices_shown) +
                        " more slices are in evaluation.json.");
    }
    if (intervals.size() < 2) return;
    ReportCard card;
    card.title = metrics.front() + " of slices";
    card.kind = "with intervals; the line is all rows";
    card.drawing = svg_of(card.title, intervals, intervals.front().value);
    card.headers = {"clearly unlike all rows", metrics.front()};
    for (const ChartInterval& one : intervals) {
      const double all = intervals.front().value;
      if (one.low <= all && all <= one.high) continue;
      card.figures.push_back({word(one.name), figure(readable(one.value))});
    }
    if (card.figures.empty()) card.headers.clear();
    report_.card(card);
  }

  void add_fairness() {
    if (evaluation_.at("fairness").empty()) return;
    report_.heading("Groups");
    for (const json& one : evaluation_.at("fairness")) {
      const std::string reference = one.at("reference");
      if (one.at("groups").empty()) {
        report_.paragraph(one.at("column").get<std::string>() + ": " +
                          one.at("sentence").get<std::string>() + ".");
        continue;
      }
      report_.paragraph("Beside " + reference + ":");
      std::vector<std::vector<ReportCell>> rows;
      for (const json& group : one.at("groups")) add_group(group, reference, rows);
      report_.table({"group", "metric", "group", "reference", "difference", "interval", "ratio",
                     "interval"}, rows);
    }
  }

  void add_group(const std::string& group, const std::string& reference,
                 std::vector<std::vector<ReportCell>>& rows) const {
    for (const char* name : {"selection_rate", "recall", "fpr", "precision", "accuracy",
                             "label_mean", "mae", "error_mean"}) {
      const json* difference = metric(group, std::string(name) + "_difference");
      const json* ratio = metric(group, std::string(name) + "_ratio");
      const json* own = metric(group, name);
      const json* other = metric(reference, name);
      if (!difference || !ratio || !own || !other) continue;
      rows.push_back({word(group), word(name), figure(number(own->at("value"))),
                      figure(number(other->at("value"))), figure(number(difference->at("value"))),
                      figure(span_of(difference->at("interval"))), figure(number(ratio->at("value"))),
                      figure(span_of(ratio->at("interval")))});
    }
  }

  const json& evaluation_;
  HtmlReport& report_;
  json threshold_;
  bool has_baseline_ = false;
  std::vector<const json*> headline_;
  std::map<std::string, std::map<std::string, const json*>> by_slice_;
};

}  // namespace

void add_evaluation(const json& evaluation, HtmlReport& report) { Page(evaluation, report).add(); }

}  // namespace pipelined::evaluation
