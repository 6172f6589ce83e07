// The page of a search.
#include <algorithm>
#include <cmath>

#include "plugins/common/html_report.h"
#include "plugins/common/line_chart.h"
#include "plugins/tune/tuning.h"

namespace pipelined::tune {
namespace {

using nlohmann::json;

constexpr std::size_t trials_shown = 200, choices_shown = 12;

ReportCell word(std::string text, Tone tone = Tone::neutral) { return {std::move(text), tone, false}; }
ReportCell figure(std::string text) { return {std::move(text), Tone::neutral, true}; }

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string text_of_values(const json& values) {
  std::string text;
  for (const auto& [name, value] : values.items()) {
    text += (text.empty() ? "" : ", ") + name + " = " + text_of(value);
  }
  return text;
}

class Page {
 public:
  Page(const Tuning& tuning, HtmlReport& report)
      : tuning_(tuning), report_(report), ranking_(tuning.ranking()) {
    for (const Tried& tried : tuning.trials) {
      if (!tried.trial.metric) continue;
      low_ = std::min(low_, *tried.trial.metric);
      high_ = std::max(high_, *tried.trial.metric);
    }
    const double edge = high_ > low_ ? (high_ - low_) / 20 : std::max(std::abs(high_), 1.0) / 20;
    low_ -= edge;
    high_ += edge;
  }

  void add() {
    const Tried& best = tuning_.trials[ranking_.front()];
    report_.verdict(tuning_.stopped ? Tone::warning : Tone::good,
                    tuning_.stopped ? "stopped by time" : "chosen",
                    "Trial " + std::to_string(ranking_.front() + 1) + " with " + metric_name() +
                        " = " + readable(*best.trial.metric) + ": " +
                        text_of_values(tuning_.chosen_values(ranking_.front())) +
                        ". The search ended because " + tuning_.sentence() + ".");
    add_progress();
    add_parameters();
    add_ranks();
  }

 private:
  std::string metric_name() const {
    const Search& search = tuning_.search;
    return search.metric + (search.slice.empty() ? "" : " of " + search.slice);
  }

  LineChart chart(const std::string& title, const std::string& x_name) const {
    LineChart chart;
    chart.title = title;
    chart.x_name = x_name;
    chart.y_name = tuning_.search.metric;
    chart.y_low = low_;
    chart.y_high = high_;
    return chart;
  }

  // Each trial, and the best until then; on rungs the best of the highest until then.
  void add_progress() {
    LineChart lines = chart(metric_name() + " of each trial, and the best so far", "trial");
    ChartLine each{{}, false, true, false}, best;
    const Trial* leader = nullptr;
    for (std::size_t i = 0; i < tuning_.trials.size(); ++i) {
      const Trial& trial = tuning_.trials[i].trial;
      const auto place = static_cast<double>(i + 1);
      if (trial.metric) each.points.emplace_back(place, *trial.metric);
      if (trial.metric && (leader == nullptr || leads(trial, *leader))) {
        if (leader != nullptr) best.points.emplace_back(place, *leader->metric);
        leader = &trial;
      }
      if (leader != nullptr) best.points.emplace_back(place, *leader->metric);
    }
    lines.x_low = 1;
    lines.x_high = std::max(2.0, static_cast<double>(tuning_.trials.size()));
    lines.lines = {std::move(each), std::move(best)};
    ReportCard card;
    card.title = "From trial to trial";
    card.kind = tuning_.search.goal == Goal::maximise ? "more is better" : "less is better";
    card.remark = "dots: each trial; line: the best so far" +
                  std::string(tuning_.search.resource ? " on the highest rung so far" : "");
    card.drawing = svg_of(lines);
    report_.heading("How the search went");
    report_.card(card);
  }

  bool leads(const Trial& trial, const Trial& leader) const {
    if (trial.rung != leader.rung) return trial.rung > leader.rung;
    return better(tuning_.search.goal, *trial.metric, *leader.metric);
  }

  void add_parameters() {
    report_.heading("What each parameter did");
    report_.paragraph("A dot is a trial. The parameters were changed together, so a slope is a hint "
                      "and no proof. The chosen trial stands out.");
    for (const Parameter& parameter : tuning_.search.space.parameters) add_parameter(parameter);
  }

  void add_parameter(const Parameter& parameter) {
    LineChart dots = chart(metric_name() + " by " + parameter.name, parameter.name);
    const bool choice = parameter.kind == Kind::choice;
    dots.x_low = choice ? -0.5 : parameter.low;
    dots.x_high = choice ? static_cast<double>(parameter.choices.size()) - 0.5 : parameter.high;
    dots.x_log = parameter.log;
    if (choice && parameter.choices.size() <= choices_shown) {
      for (const json& value : parameter.choices) dots.x_labels.push_back(text_of(value));
    }
    ChartLine all{{}, false, true, false}, chosen{{}, true, true, false};
    for (std::size_t i = 0; i < tuning_.trials.size(); ++i) {
      const Trial& trial = tuning_.trials[i].trial;
      const auto value = trial.point.find(parameter.name);
      if (!trial.metric || value == trial.point.end()) continue;
      const double x = choice ? parameter.on_axis(*value) : value->get<double>();
      (i == ranking_.front() ? chosen : all).points.emplace_back(x, *trial.metric);
    }
    ReportCard card;
    card.title = parameter.name;
    card.kind = choice ? "one of " + std::to_string(parameter.choices.size())
                       : (parameter.kind == Kind::integer ? "whole numbers" : "numbers") +
                             std::string(parameter.log ? ", by factors" : "");
    if (!parameter.when.empty()) {
      card.remark = "active in " + std::to_string(all.points.size() + chosen.points.size()) + " of " +
                    std::to_string(tuning_.trials.size()) + " trials";
    }
    const bool empty = all.points.empty() && chosen.points.empty();
    dots.lines = {std::move(all), std::move(chosen)};
    if (!empty) card.drawing = svg_of(dots);
    report_.card(card);
  }

  void add_ranks() {
    report_.heading("All trials, the best first");
    std::vector<std::string> headers{"rank", "trial", metric_name()};
    if (tuning_.search.resource) headers.push_back(tuning_.search.resource->name);
    for (const Parameter& parameter : tuning_.search.space.parameters) headers.push_back(parameter.name);
    std::vector<std::vector<ReportCell>> rows;
    for (std::size_t i = 0; i < std::min(trials_shown, ranking_.size()); ++i) {
      const Tried& tried = tuning_.trials[ranking_[i]];
      std::vector<ReportCell> row{figure(std::to_string(i + 1)), figure(std::to_string(ranking_[i] + 1))};
      if (tried.trial.metric) row.push_back(figure(readable(*tried.trial.metric)));
      else row.push_back(word(tried.done ? "no such metric" : "failed", Tone::bad));
      const json values = tuning_.chosen_values(ranking_[i]);
      if (tuning_.search.resource) row.push_back(figure(text_of(values[tuning_.search.resource->name])));
      for (const Parameter& parameter : tuning_.search.space.parameters) {
        const auto value = values.find(parameter.name);
        const bool number = value != values.end() && value->is_number();
        row.push_back({value == values.end() ? "–" : text_of(*value), Tone::neutral, number});
      }
      rows.push_back(std::move(row));
    }
    report_.table(headers, rows);
    if (ranking_.size() <= trials_shown) return;
    report_.paragraph(std::to_string(ranking_.size() - trials_shown) + " more in tuning.json.");
  }

  const Tuning& tuning_;
  HtmlReport& report_;
  std::vector<std::size_t> ranking_;
  double low_ = HUGE_VAL, high_ = -HUGE_VAL;
};

}  // namespace

std::string tuning_page(const Tuning& tuning, const std::string& title) {
  const Search& search = tuning.search;
  HtmlReport report(title, std::to_string(tuning.trials.size()) + " trials, strategy " +
                               name_of(search.strategy) + ", " + name_of(search.goal) + " " +
                               search.metric);
  Page(tuning, report).add();
  return report.text();
}

}  // namespace pipelined::tune
