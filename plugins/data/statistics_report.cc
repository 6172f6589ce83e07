#include "plugins/data/statistics_report.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "plugins/common/html_report.h"
#include "plugins/common/svg_chart.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;

constexpr std::size_t drawn_bytes = 600'000;   ///< features are drawn while the page is smaller
constexpr std::size_t listed_bytes = 250'000;  ///< and listed while it is smaller
constexpr std::size_t bars_max = 8;
constexpr std::size_t name_characters = 80;
constexpr double worth_marking = 0.1;
constexpr double slice_score_min = 0.01;  ///< below, a slice is like all rows
constexpr int slice_features_max = 3;

/// A side's features as JSON, by name; null: there is no such side.
using FeatureTable = std::map<std::string, Json>;

FeatureTable features_of(const ReportSide* side) {
  FeatureTable table;
  if (!side) return table;
  const Json root = Json::parse(side->json);
  for (const Json& feature : root.at("features")) table[feature.at("name").get<std::string>()] = feature;
  return table;
}

std::string cut(const std::string& text) {
  std::size_t at = 0, characters = 0;
  while (at < text.size() && characters < name_characters) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
    ++characters;
  }
  return at < text.size() ? text.substr(0, at) + "…" : text;
}

std::string shown(const Json& value) {
  if (value.is_string()) return cut(value.get<std::string>());
  if (value.is_number_integer()) return std::to_string(value.get<std::int64_t>());
  if (value.is_number()) return readable(value.get<double>());
  return "–";
}

std::string at(const Json& feature, const char* key) {
  return feature.contains(key) ? shown(feature[key]) : "–";
}

/// "1234 (5.6 %)" of what is counted in rows.
std::string counted(const Json& feature, const char* key, const char* of) {
  if (!feature.contains(key)) return "–";
  const double part = feature[key].get<double>();
  const double count = feature["count"].get<double>();
  const double whole = std::string_view(of) == "rows" ? count + feature["missing"].get<double>() : count;
  if (part == 0) return "0";
  return shown(feature[key]) + (whole > 0 ? " (" + percent(part / whole) + ")" : "");
}

/// The rows of a feature's figures: name and how to write it.
std::vector<std::pair<std::string, std::string>> figures_of(const Json& feature) {
  if (feature.is_null()) return {};
  std::vector<std::pair<std::string, std::string>> figures{
      {"values", at(feature, "count")}, {"missing", counted(feature, "missing", "rows")}};
  if (feature.contains("unique")) {
    figures.emplace_back("distinct", (feature.contains("unique_error") ? "about " : "") +
                                         at(feature, "unique"));
  }
  const auto add = [&](const char* name, const char* key) {
    if (feature.contains(key)) figures.emplace_back(name, at(feature, key));
  };
  const auto add_count = [&](const char* name, const char* key) {
    if (feature.contains(key)) figures.emplace_back(name, counted(feature, key, "values"));
  };
  add_count("zeros", "zeros");
  for (const auto& [name, key] : {std::pair("not a number", "nan"), {"infinite", "infinite"},
                                  {"empty", "empty"}, {"broken UTF-8", "invalid_utf8"}}) {
    if (feature.contains(key) && feature[key] != 0) add_count(name, key);
  }
  add_count("true", "true");
  for (const auto& [name, key] : {std::pair("mean", "mean"), {"std dev", "std_dev"}, {"least", "min"},
                                  {"median", "median"}, {"greatest", "max"},
                                  {"mean length", "length_mean"}, {"longest", "length_max"}}) {
    add(name, key);
  }
  return figures;
}

std::vector<std::vector<ReportCell>> figure_rows(const Json* before, const Json* now, bool two) {
  const auto left = figures_of(before ? *before : Json()), right = figures_of(now ? *now : Json());
  std::vector<std::string> names;
  std::map<std::string, std::string> a(left.begin(), left.end()), b(right.begin(), right.end());
  for (const auto* side : {&right, &left}) {
    for (const auto& [name, value] : *side) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  const auto cell = [](const std::map<std::string, std::string>& side, const std::string& name) {
    const auto found = side.find(name);
    return ReportCell{found == side.end() ? "–" : found->second, Tone::neutral, true};
  };
  std::vector<std::vector<ReportCell>> rows;
  for (const std::string& name : names) {
    std::vector<ReportCell> row{{name}};
    if (two) row.push_back(cell(a, name));
    row.push_back(cell(b, name));
    rows.push_back(std::move(row));
  }
  return rows;
}

ChartSide chart_side(const Json* feature, const char* style) {
  ChartSide side{style, {}, {}};
  if (!feature || !feature->contains("histogram")) return side;
  for (const Json& bucket : (*feature)["histogram"]) {
    side.buckets.push_back({bucket["low"].get<double>(), bucket["high"].get<double>(),
                            bucket["count"].get<double>()});
  }
  if (!feature->contains("quantiles")) return side;
  for (const Json& quantile : (*feature)["quantiles"]) {
    if (quantile["value"].is_number()) side.quantiles.push_back(quantile["value"].get<double>());
  }
  return side;
}

/// Shares of the most frequent values, or of the buckets of times.
std::map<std::string, double> shares_of(const Json* feature) {
  std::map<std::string, double> shares;
  if (!feature) return shares;
  const double count = (*feature)["count"].get<double>();
  if (count == 0) return shares;
  if (feature->contains("true")) {
    shares["true"] = (*feature)["true"].get<double>() / count;
    shares["false"] = (*feature)["false"].get<double>() / count;
  }
  if (feature->contains("value_counts")) {
    for (const Json& pair : (*feature)["value_counts"]) {
      shares[shown(pair[0])] += pair[1].get<double>() / count;
    }
  } else if (feature->contains("top_values")) {
    for (const Json& entry : (*feature)["top_values"]) {
      shares[shown(entry["value"])] += entry["count"].get<double>() / count;
    }
  }
  if (feature->contains("time_histogram")) {
    for (const Json& bucket : (*feature)["time_histogram"]) {
      shares["from " + shown(bucket["low"])] += bucket["count"].get<double>() / count;
    }
  }
  return shares;
}

void add_bars(ReportCard& card, const Json* before, const Json* now) {
  const auto a = shares_of(before), b = shares_of(now);
  const bool times = (now ? now : before)->contains("time_histogram");
  std::set<std::string> names;
  for (const auto* side : {&a, &b}) {
    for (const auto& [name, share] : *side) names.insert(name);
  }
  const auto share = [](const std::map<std::string, double>& side, const std::string& name) {
    const auto found = side.find(name);
    return found == side.end() ? 0.0 : found->second;
  };
  for (const std::string& name : names) card.bars.push_back({name, share(a, name), share(b, name)});
  card.bars_title = times ? "when" : "most frequent values";
  if (times && !card.two_sides) return;  // in the order of time
  std::stable_sort(card.bars.begin(), card.bars.end(), [](const ReportBar& x, const ReportBar& y) {
    return std::max(x.before, x.now) > std::max(y.before, y.now);
  });
  if (card.bars.size() > bars_max) {
    card.bars_title += ", " + std::to_string(bars_max) + " of " +
                       (now && now->contains("unique_error") ? "many" : std::to_string(card.bars.size()));
    card.bars.resize(bars_max);
  }
}

class Page {
 public:
  Page(const ReportSide* before, const ReportSide& now, const std::vector<ReportProblem>& problems)
      : before_(before), now_(now), problems_(problems), report_(title(), subtitle()),
        features_before_(features_of(before)), features_now_(features_of(&now)) {
    if (before) {
      differences_ = differences(before->facts, now.facts);
    } else {
      for (const FeatureFacts& feature : now.facts.features) {
        differences_.push_back({feature.name, nullptr, &feature, {}, 0, {}, {}});
      }
    }
    // What is wrong stands first, errors before warnings.
    std::stable_sort(differences_.begin(), differences_.end(), [&](const auto& a, const auto& b) {
      return tone_of(problems_of(a.feature)) > tone_of(problems_of(b.feature));
    });
  }

  std::string text() {
    add_verdict();
    if (before_) report_.key(before_->name, now_.name);
    add_overview();
    add_slices();
    report_.heading("Features");
    std::size_t drawn = 0;
    for (const FeatureDifference& difference : differences_) {
      if (report_.size() > drawn_bytes) break;
      add_feature(difference);
      ++drawn;
    }
    if (drawn < differences_.size()) {
      report_.paragraph("The other " + std::to_string(differences_.size() - drawn) +
                        " features are not drawn, to keep this page small; statistics.json has them.");
    }
    return report_.text();
  }

 private:
  std::string title() const {
    return before_ ? cut(before_->name) + " beside " + cut(now_.name) : "Statistics of " + cut(now_.name);
  }
  std::string subtitle() const {
    const std::string rows = std::to_string(now_.facts.rows) + " rows, " +
                             std::to_string(now_.facts.features.size()) + " features";
    if (!before_) return rows;
    return std::to_string(before_->facts.rows) + " rows before, " + rows + " now";
  }
  std::vector<ReportProblem> problems_of(const std::string& feature) const {
    std::vector<ReportProblem> found;
    for (const ReportProblem& problem : problems_) {
      if (problem.feature == feature) found.push_back(problem);
    }
    return found;
  }
  static Tone tone_of(const std::vector<ReportProblem>& problems) {
    Tone tone = problems.empty() ? Tone::neutral : Tone::warning;
    for (const ReportProblem& problem : problems) {
      if (problem.severity == "error") tone = Tone::bad;
    }
    return tone;
  }

  void add_verdict() {
    if (!problems_.empty()) {
      report_.verdict(tone_of(problems_), std::to_string(problems_.size()) +
                      (problems_.size() == 1 ? " problem" : " problems"), problems_.front().sentence);
    } else if (before_ && !differences_.empty()) {
      const ComparisonVerdict verdict = verdict_of(differences_);
      report_.verdict(Tone::neutral, verdict.title, cut(verdict.sentence));
    }
  }

  void add_overview() {
    report_.heading("Overview");
    std::vector<std::vector<ReportCell>> rows;
    std::size_t bytes = 0;
    for (const FeatureDifference& difference : differences_) {
      const FeatureFacts& facts = difference.now ? *difference.now : *difference.before;
      const double all = static_cast<double>(std::max<std::int64_t>(1, facts.rows()));
      std::vector<ReportCell> row{
          {cut(difference.feature), tone_of(problems_of(difference.feature))},
          {facts.type},
          {percent(static_cast<double>(facts.missing) / all), Tone::neutral, true},
          {std::to_string(facts.unique), Tone::neutral, true}};
      if (before_) {
        const Tone tone = difference.score >= worth_marking ? Tone::warning : Tone::neutral;
        row.push_back({difference.distance_text(), tone, true});
        row.push_back({cut(difference.remark())});
      } else {
        row.push_back({facts.mean ? readable(*facts.mean) : "–", Tone::neutral, true});
      }
      for (const ReportCell& cell : row) bytes += cell.text.size() + 40;
      rows.push_back(std::move(row));
      if (bytes > listed_bytes) break;
    }
    std::vector<std::string> headers{"feature", "type", "missing", "distinct"};
    if (before_) {
      headers.insert(headers.end(), {"distance", "what differs"});
    } else {
      headers.push_back("mean");
    }
    report_.table(headers, rows);
    if (rows.size() < differences_.size()) {
      report_.paragraph("The first " + std::to_string(rows.size()) + " of " +
                        std::to_string(differences_.size()) + " features.");
    }
  }

  /// Texts that tell rows apart differ in any part of them, which says nothing.
  static bool names_rows(const FeatureFacts& facts) {
    return facts.type == "string" && (!facts.complete || 2 * facts.unique > facts.count);
  }

  /// "late 0.2153, fare 0.0410": where rows of a slice are least like all rows, but for what makes the slice.
  std::string stands_out(const SliceFacts& slice) const {
    std::string text;
    int named = 0;
    for (const FeatureDifference& difference : differences(now_.facts, slice.table)) {
      if (slice.cuts(difference.feature) || difference.score < slice_score_min) continue;
      if (difference.before && names_rows(*difference.before)) continue;
      text += (text.empty() ? "" : ", ") + cut(difference.feature) + " " + difference.distance_text();
      if (++named == slice_features_max) break;
    }
    return text.empty() ? "–" : text;
  }

  void add_slices() {
    if (now_.slices.empty()) return;
    report_.heading("Slices");
    std::vector<std::vector<ReportCell>> rows;
    for (const SliceFacts& slice : now_.slices) {
      const double all = static_cast<double>(std::max<std::int64_t>(1, now_.facts.rows));
      rows.push_back({{cut(slice.name)}, {std::to_string(slice.table.rows), Tone::neutral, true},
                      {percent(static_cast<double>(slice.table.rows) / all), Tone::neutral, true},
                      {stands_out(slice)}});
    }
    report_.table({"slice", "rows", "share", "least like all rows in (distance)"}, rows);
  }

  static const Json* find(const FeatureTable& table, const std::string& name) {
    const auto found = table.find(name);
    return found == table.end() ? nullptr : &found->second;
  }

  void add_feature(const FeatureDifference& difference) {
    const Json* before = find(features_before_, difference.feature);
    const Json* now = find(features_now_, difference.feature);
    ReportCard card;
    card.title = cut(difference.feature);
    card.kind = (difference.now ? difference.now : difference.before)->type;
    if (difference.feature == now_.facts.label) card.kind += ", label";
    card.two_sides = before_ != nullptr;
    const auto problems = problems_of(difference.feature);
    card.tone = tone_of(problems);
    for (const ReportProblem& problem : problems) card.problems.push_back(problem.sentence);
    if (card.two_sides) {
      if (card.tone == Tone::neutral && difference.score >= worth_marking) card.tone = Tone::warning;
      const std::string remark = cut(difference.remark());
      if (difference.not_compared.empty()) card.remark = "distance " + difference.distance_text();
      if (!remark.empty()) card.remark += (card.remark.empty() ? "" : ", ") + remark;
      card.headers = {"", "before", "now"};
    } else {
      card.headers = {"", ""};
    }
    card.figures = figure_rows(before, now, card.two_sides);
    std::vector<ChartSide> sides;
    if (card.two_sides) sides.push_back(chart_side(before, "before"));
    sides.push_back(chart_side(now, "now"));
    card.drawing = svg_histogram(sides, "histogram of " + difference.feature);
    if (card.drawing.empty()) add_bars(card, before, now);
    report_.card(card);
  }

  const ReportSide* before_;
  const ReportSide& now_;
  const std::vector<ReportProblem>& problems_;
  HtmlReport report_;
  FeatureTable features_before_, features_now_;
  std::vector<FeatureDifference> differences_;
};

}  // namespace

std::string statistics_report(const ReportSide* before, const ReportSide& now,
                              const std::vector<ReportProblem>& problems) {
  return Page(before, now, problems).text();
}

}  // namespace pipelined
