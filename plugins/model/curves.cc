#include "plugins/model/curves.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace pipelined::evaluation {
namespace {

using model::Objective;

constexpr std::size_t curve_points_max = 400;
constexpr std::size_t bin_count = 10;
constexpr std::size_t score_bins = 20;
// Curves of more classes than a person compares would make the file large.
constexpr std::size_t classes_with_curves = 20;

struct Bin {
  double scores = 0, labels = 0;
  std::int64_t rows = 0, positives = 0;
};

CurvePoint point_of(const Bin& bin) {
  const auto rows = static_cast<double>(bin.rows);
  return {bin.scores / rows, bin.labels / rows, std::nullopt, bin.rows};
}

class CurveMaker {
 public:
  CurveMaker(const ScoredRows& rows, const model::Signature& signature, const Slice& slice,
             std::vector<Curve>& curves)
      : rows_(rows), width_(signature.score_count()), slice_(slice), curves_(curves) {}

  // `at`: which score; a row is positive where `positive` says so.
  template <class Positive>
  void add_ranking(const std::vector<float>& all_scores, std::size_t at, const std::string& suffix,
                   bool baseline, Positive positive) {
    std::vector<float> scores;
    std::vector<std::uint8_t> labels;
    for (const std::uint32_t row : slice_.rows) {
      scores.push_back(all_scores[row * width_ + at]);
      labels.push_back(positive(row) ? 1 : 0);
    }
    const Ranking ranking(scores, labels);
    curves_.push_back({"roc" + suffix, slice_.name, baseline, ranking.roc(curve_points_max)});
    curves_.push_back(
        {"pr" + suffix, slice_.name, baseline, ranking.precision_recall(curve_points_max)});
  }

  // Ten equal parts of the line from 0 to 1.
  void add_calibration() {
    std::array<Bin, bin_count> bins{};
    for (const std::uint32_t row : slice_.rows) {
      const auto score = static_cast<double>(rows_.scores[row]);
      std::size_t at = 0;
      while (at + 1 < bin_count && score >= static_cast<double>(at + 1) / bin_count) ++at;
      add_row(bins[at], row);
    }
    push("calibration", bins);
  }

  // Ten parts with about the same number of rows, in order of score.
  void add_value_calibration() {
    std::vector<std::uint32_t> order = slice_.rows;
    std::sort(order.begin(), order.end(), [&](std::uint32_t left, std::uint32_t right) {
      const float one = rows_.scores[left], other = rows_.scores[right];
      return one != other ? one < other : left < right;
    });
    std::array<Bin, bin_count> bins{};
    for (std::size_t i = 0; i < order.size(); ++i) {
      add_row(bins[i * bin_count / order.size()], order[i]);
    }
    push("calibration", bins);
  }

  // How many rows score in each of twenty equal parts, by label.
  void add_scores() {
    std::array<std::array<std::int64_t, score_bins>, 2> counts{};
    for (const std::uint32_t row : slice_.rows) {
      const double place = static_cast<double>(rows_.scores[row]) * score_bins;
      const auto at = static_cast<std::size_t>(std::clamp(place, 0.0, score_bins - 1.0));
      ++counts[rows_.labels[row] != 0 ? 1 : 0][at];
    }
    for (const std::size_t side : {1U, 0U}) {
      Curve curve{side == 1 ? "scores.true" : "scores.false", slice_.name, false, {}};
      for (std::size_t at = 0; at < score_bins; ++at) {
        const auto rows = static_cast<double>(counts[side][at]);
        curve.points.push_back(
            {static_cast<double>(at) / score_bins, rows, std::nullopt, counts[side][at]});
      }
      curves_.push_back(std::move(curve));
    }
  }

 private:
  void add_row(Bin& bin, std::uint32_t row) const {
    bin.scores += static_cast<double>(rows_.scores[row]);
    bin.labels += rows_.labels[row];
    ++bin.rows;
  }

  void push(const char* name, const std::array<Bin, bin_count>& bins) {
    Curve curve{name, slice_.name, false, {}};
    for (const Bin& bin : bins) {
      if (bin.rows > 0) curve.points.push_back(point_of(bin));
    }
    curves_.push_back(std::move(curve));
  }

  const ScoredRows& rows_;
  std::size_t width_;
  const Slice& slice_;
  std::vector<Curve>& curves_;
};

void add_confusion(const ScoredRows& rows, std::size_t width, const Slice& slice,
                   Evaluation& evaluation) {
  evaluation.confusion.assign(width, std::vector<std::int64_t>(width));
  for (const std::uint32_t row : slice.rows) {
    const auto own = std::span<const float>(rows.scores).subspan(row * width, width);
    const auto guess = static_cast<std::size_t>(std::max_element(own.begin(), own.end()) -
                                                own.begin());
    ++evaluation.confusion[static_cast<std::size_t>(rows.labels[row])][guess];
  }
}

bool is_dataset(const Slice& slice) {
  return slice.name.empty() ||
         (slice.name.starts_with("dataset=") && slice.name.find(", ") == std::string::npos);
}

void add_class_curves(const ScoredRows& rows, const model::Signature& signature,
                      const Slice& slice, Evaluation& evaluation) {
  const std::vector<std::string>& classes = signature.label.classes;
  add_confusion(rows, classes.size(), slice, evaluation);
  CurveMaker maker(rows, signature, slice, evaluation.curves);
  for (std::size_t at = 0; at < std::min(classes.size(), classes_with_curves); ++at) {
    maker.add_ranking(rows.scores, at, "." + classes[at], false, [&](std::uint32_t row) {
      return static_cast<std::size_t>(rows.labels[row]) == at;
    });
  }
}

}  // namespace

void add_curves(const ScoredRows& rows, const model::Signature& signature,
                const std::vector<Slice>& slices, Evaluation& evaluation) {
  for (const Slice& slice : slices) {
    if (!is_dataset(slice)) continue;
    CurveMaker maker(rows, signature, slice, evaluation.curves);
    const auto positive = [&](std::uint32_t row) { return rows.labels[row] != 0; };
    switch (signature.objective) {
      case Objective::binary_logistic:
        maker.add_ranking(rows.scores, 0, "", false, positive);
        if (!rows.baseline_scores.empty()) {
          maker.add_ranking(rows.baseline_scores, 0, "", true, positive);
        }
        maker.add_calibration();
        maker.add_scores();
        break;
      case Objective::multi_softprob:
        if (slice.name.empty()) add_class_curves(rows, signature, slice, evaluation);
        break;
      case Objective::squared_error:
      case Objective::poisson: maker.add_value_calibration(); break;
    }
  }
}

}  // namespace pipelined::evaluation
