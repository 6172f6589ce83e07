#include "plugins/train/learning_curve.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "plugins/common/html_report.h"

namespace pipelined::train {
namespace {

Result<void> write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  if (stream.flush()) return {};
  return Error{ErrorCode::io, "cannot write " + path.filename().string()};
}

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

Result<void> write_learning_curve(const LearningCurve& curve, const std::string& title,
                                  const std::filesystem::path& folder) {
  TRY_VOID(write_file(folder / "learning_curve.json", json_of(curve)));
  return write_file(folder / "report.html", html_of(curve, title));
}

}  // namespace pipelined::train
