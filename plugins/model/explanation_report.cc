// What a model's scores hang on, as blocks of a page.
#include <algorithm>

#include "plugins/common/line_chart.h"
#include "plugins/model/report_parts.h"

namespace pipelined::evaluation {
namespace {

using nlohmann::json;

constexpr std::size_t features_shown = 30;
constexpr std::size_t pairs_shown = 15;

std::string text_of(const json& value) {
  if (value.is_null()) return "missing";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  return readable(value.get<double>());
}

std::string span_of(const json& interval) {
  if (!interval.is_array()) return "";
  return readable(interval[0].get<double>()) + " to " + readable(interval[1].get<double>());
}

void add_importance(const json& explanation, HtmlReport& report) {
  const bool shuffled = explanation.at("metric") != "";
  ReportCard card;
  card.title = "Importance";
  card.kind = "mean absolute Shapley value on " + explanation.at("rows").dump() + " of " +
              explanation.at("rows_seen").dump() + " rows";
  card.headers = {"feature", "Shapley", "interval"};
  if (shuffled) {
    const std::string metric = explanation.at("metric").get<std::string>();
    card.headers.insert(card.headers.end(), {"lost " + metric + " when shuffled", "interval"});
  }
  std::vector<ChartInterval> intervals;
  for (const json& one : explanation.at("importance")) {
    if (intervals.size() == features_shown) break;
    const double value = one.at("shap").get<double>();
    const json& interval = one.at("shap_interval");
    std::vector<ReportCell> row{{one.at("feature").get<std::string>(), Tone::neutral, false},
                                {readable(value), Tone::neutral, true},
                                {span_of(interval), Tone::neutral, true}};
    if (shuffled) {
      const json& lost = one.at("permutation");
      row.push_back({lost.is_null() ? "" : readable(lost.get<double>()), Tone::neutral, true});
      row.push_back({span_of(one.at("permutation_interval")), Tone::neutral, true});
    }
    card.figures.push_back(std::move(row));
    intervals.push_back({one.at("feature").get<std::string>(), value,
                         interval.is_array() ? interval[0].get<double>() : value,
                         interval.is_array() ? interval[1].get<double>() : value});
  }
  report.heading("What the scores hang on");
  report.table(card.headers, card.figures);
  card.headers = {"two together", "moved by both only"};
  card.figures.clear();
  for (const json& one : explanation.at("interactions")) {
    if (card.figures.size() == pairs_shown) break;
    card.figures.push_back({{one.at("features")[0].get<std::string>() + " and " +
                                 one.at("features")[1].get<std::string>(), Tone::neutral, false},
                            {readable(one.at("strength").get<double>()), Tone::neutral, true}});
  }
  if (card.figures.empty()) card.headers.clear();
  card.drawing = svg_of("Importance of each feature", intervals, 0);
  report.card(card);
}

// Numbers become lines with the single rows behind them, everything else bars.
void add_dependence(const json& one, HtmlReport& report) {
  ReportCard card;
  card.title = one.at("feature").get<std::string>();
  card.kind = one.at("type").get<std::string>();
  const json& points = one.at("points");
  const bool numbers = card.kind == "int" || card.kind == "float";
  card.headers = {"value", "mean score"};
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (numbers && !points[i].at("value").is_null() && points.size() > 12 && i % 2 == 1) continue;
    card.figures.push_back({{text_of(points[i].at("value")), Tone::neutral, numbers},
                            {readable(points[i].at("scores")[0].get<double>()), Tone::neutral,
                             true}});
  }
  LineChart chart{"The mean score by " + card.title, card.title, "score", 0, 0, 0, 0, {}};
  ChartLine mean;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double score = points[i].at("scores")[0].get<double>();
    const json& value = points[i].at("value");
    if (!numbers) {
      card.bars.push_back({text_of(value), 0, score});
    } else if (!value.is_null()) {
      mean.points.emplace_back(value.get<double>(), score);
      places.push_back(i);
    }
  }
  if (numbers && !mean.points.empty()) {
    chart.y_low = chart.y_high = mean.points.front().second;
    for (const json& line : one.at("lines")) {
      ChartLine single{{}, false, false};
      for (std::size_t i = 0; i < places.size(); ++i) {
        const double score = line[places[i]].get<double>();
        single.points.emplace_back(mean.points[i].first, score);
        chart.y_low = std::min(chart.y_low, score);
        chart.y_high = std::max(chart.y_high, score);
      }
      chart.lines.push_back(std::move(single));
    }
    for (const auto& [x, y] : mean.points) {
      chart.y_low = std::min(chart.y_low, y);
      chart.y_high = std::max(chart.y_high, y);
    }
    chart.x_low = mean.points.front().first;
    chart.x_high = mean.points.back().first;
    chart.lines.push_back(std::move(mean));
    card.drawing = svg_of(chart);
  }
  report.card(card);
}

}  // namespace

void add_explanation(const json& explanation, HtmlReport& report) {
  add_importance(explanation, report);
  report.heading("Dependence");
  report.paragraph("The mean score if one feature had the same value in every row; thin lines are "
                   "single rows" + std::string(explanation.at("classes").empty()
                       ? "."
                       : ". Scores are those of class " +
                             explanation.at("classes")[0].get<std::string>() + "."));
  for (const json& one : explanation.at("dependence")) add_dependence(one, report);
}

}  // namespace pipelined::evaluation
