#include "plugins/train/learning_curve.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugins/common/html_report.h"
#include "plugins/train/example_ports.h"

namespace pipelined::train {
namespace {

std::string json_of(const LearningCurve& curve) {
  nlohmann::json document{{"loss", curve.loss}, {"curves", nlohmann::json::array()}};
  for (const Curve& one : curve.curves) {
    document["curves"].push_back({{"name", one.name}, {"losses", one.losses}});
  }
  return document.dump() + "\n";
}

// About this many rounds are shown; the JSON has all of them.
constexpr std::size_t shown_max = 25;

std::string html_of(const LearningCurve& curve, const std::string& title) {
  const std::size_t rounds = curve.curves.empty() ? 0 : curve.curves.front().losses.size();
  HtmlReport report(title, std::to_string(rounds) + " rounds");
  std::vector<std::string> headers{"round"};
  for (const Curve& one : curve.curves) headers.push_back(one.name + " " + curve.loss);
  std::vector<std::vector<ReportCell>> rows;
  const std::size_t step = std::max<std::size_t>(1, rounds / shown_max);
  for (std::size_t round = 0; round < rounds; ++round) {
    if ((round + 1) % step != 0 && round != 0 && round + 1 != rounds) continue;
    std::vector<ReportCell> row{{std::to_string(round + 1), Tone::neutral, true}};
    for (const Curve& one : curve.curves) {
      row.push_back({readable(one.losses[round]), Tone::neutral, true});
    }
    rows.push_back(std::move(row));
  }
  report.heading("How the loss fell");
  report.paragraph("Less is better. A loss on validation rows that rises again while the one on "
                   "training rows falls says that fewer rounds would have been enough.");
  report.table(headers, rows);
  return report.text();
}

}  // namespace

std::int64_t LearningCurve::best_round() const {
  const std::vector<double>& losses = curves.back().losses;
  return std::min_element(losses.begin(), losses.end()) - losses.begin() + 1;
}

bool LearningCurve::is_enough(std::int64_t patience) const {
  const auto rounds = static_cast<std::int64_t>(curves.back().losses.size());
  return patience > 0 && rounds > 0 && rounds - best_round() >= patience;
}

const char* loss_of(model::Objective objective) {
  switch (objective) {
    case model::Objective::binary_logistic: return "logloss";
    case model::Objective::multi_softprob: return "mlogloss";
    case model::Objective::squared_error: return "rmse";
    case model::Objective::poisson: return "poisson-nloglik";
  }
  return "";
}

Result<void> write_learning_curve(const LearningCurve& curve, const std::string& title,
                                  const std::filesystem::path& folder) {
  TRY_VOID(write_file(folder / "learning_curve.json", json_of(curve)));
  return write_file(folder / "report.html", html_of(curve, title));
}

}  // namespace pipelined::train
