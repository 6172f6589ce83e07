#include "plugins/model/evaluation.h"

#include <algorithm>
#include <cmath>

#include "plugins/model/curves.h"
#include "plugins/model/fairness.h"

namespace pipelined::evaluation {
namespace {

using model::Objective;

std::optional<double> defined(double number) {
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

// Everything that one evaluation needs, part by part.
class Evaluator {
 public:
  Evaluator(const ScoredRows& rows, const model::Signature& signature,
            const EvaluateSettings& settings, const Baseline& baseline)
      : rows_(rows), signature_(signature), settings_(settings), baseline_(baseline) {}

  Result<Evaluation> run(const std::function<bool()>& stop_asked) {
    TRY_VOID(find_slices());
    const auto measure =
        make_measure(signature_, rows_.scores, rows_.labels, slices_, settings_.measure);
    std::vector<const Measure*> measures{measure.get()};
    std::unique_ptr<Measure> other;
    if (!rows_.baseline_scores.empty()) {
      other = make_measure(signature_, rows_.baseline_scores, rows_.labels, slices_,
                           settings_.measure);
      measures.push_back(other.get());
    }
    auto numbers = resampled(measures, rows_.row_count(), settings_.resampling, stop_asked);
    if (!numbers) return Error{ErrorCode::cancelled, "stopped while resampling"};
    keys_ = measure->keys();
    for (std::size_t slice = 0; slice < slices_.size(); ++slice) {
      for (std::size_t key = 0; key < keys_.size(); ++key) add(*numbers, slice, key);
    }
    TRY_VOID(add_fairness(numbers->front()));
    add_counts();
    add_curves(rows_, signature_, slices_, evaluation_);
    const bool binary = signature_.objective == Objective::binary_logistic;
    evaluation_.blessing =
        judged(settings_.require, evaluation_.metrics, baseline_,
               binary ? std::optional(settings_.measure.thresholds.front()) : std::nullopt);
    if (rows_.rows_without_score > 0) refuse_for_scores();
    return std::move(evaluation_);
  }

 private:
  const SliceColumn* column(const std::string& name) const {
    const auto found = std::find_if(rows_.slices.begin(), rows_.slices.end(),
                                    [&](const SliceColumn& one) { return one.name == name; });
    CHECK(found != rows_.slices.end());
    return &*found;
  }

  // All rows of the first data set; with several, each as a slice; then every slice of each.
  Result<void> find_slices() {
    const bool several = rows_.dataset.values.size() > 1;
    if (several) {
      TRY(sets, slices_of({&rows_.dataset}));
      const std::string first = "dataset=" + rows_.dataset.values.front();
      if (sets.front().name != first) sets.insert(sets.begin(), Slice{first, {}});
      for (Slice& set : sets) keep(std::move(set), true);
    } else {
      Slice all;
      all.rows.resize(rows_.row_count());
      for (std::size_t row = 0; row < all.rows.size(); ++row) {
        all.rows[row] = static_cast<std::uint32_t>(row);
      }
      keep(std::move(all), true);
    }
    std::vector<std::vector<std::string>> wanted = settings_.slices;
    for (const auto& [name, predicate] : settings_.where) wanted.push_back({name});
    for (const auto& names : wanted) {
      std::vector<const SliceColumn*> columns;
      if (several) columns.push_back(&rows_.dataset);
      for (const std::string& name : names) columns.push_back(column(name));
      TRY(found, slices_of(columns));
      for (Slice& slice : found) keep(std::move(slice), false);
      if (names.size() == 1 && settings_.where.contains(names.front())) note_empty(names.front());
    }
    return {};
  }

  // The slices of the first data set have no data set in their name.
  void keep(Slice slice, bool whole) {
    if (rows_.dataset.values.size() > 1) {
      const std::string first = "dataset=" + rows_.dataset.values.front();
      if (slice.name == first) slice.name.clear();
      if (slice.name.starts_with(first + ", ")) slice.name.erase(0, first.size() + 2);
    }
    const auto count = static_cast<std::int64_t>(slice.rows.size());
    const bool measured = whole || count >= settings_.slice_rows_min;
    evaluation_.slices.push_back({slice.name, count, measured});
    if (measured) slices_.push_back(std::move(slice));
  }

  // A predicate that no row fulfils is a slice without rows, not one that was forgotten.
  void note_empty(const std::string& name) {
    const std::string slice = name + "=true";
    const auto found = std::find_if(evaluation_.slices.begin(), evaluation_.slices.end(),
                                    [&](const SliceFacts& one) { return one.name == slice; });
    if (found == evaluation_.slices.end()) evaluation_.slices.push_back({slice, 0, false});
  }

  void add(const std::vector<Numbers>& numbers, std::size_t slice, std::size_t key) {
    Metric metric;
    metric.name = keys_[key].name;
    metric.slice = slices_[slice].name;
    metric.threshold = keys_[key].threshold;
    const Numbers& own = numbers.front();
    const std::size_t at = slice * own.width + key;
    const double confidence = settings_.resampling.confidence;
    metric.value = defined(own.points[at]);
    if (metric.value) metric.interval = interval_of(column_of(own, at), confidence);
    if (numbers.size() > 1) {
      metric.baseline = defined(numbers[1].points[at]);
      if (metric.value && metric.baseline) {
        metric.difference = *metric.value - *metric.baseline;
        std::vector<double> pairs = column_of(own, at);
        for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] -= numbers[1].resamples[i][at];
        metric.difference_interval = interval_of(std::move(pairs), confidence);
      }
    }
    evaluation_.metrics.push_back(std::move(metric));
  }

  static std::vector<double> column_of(const Numbers& numbers, std::size_t at) {
    std::vector<double> column;
    for (const auto& table : numbers.resamples) column.push_back(table[at]);
    return column;
  }

  Result<void> add_fairness(const Numbers& numbers) {
    for (const std::string& name : settings_.fairness) {
      std::vector<Group> groups;
      for (const std::string& value : column(name)->values) {
        const std::string slice = name + "=" + value;
        for (std::size_t i = 0; i < slices_.size(); ++i) {
          if (slices_[i].name == slice) groups.push_back({slice, i});
        }
      }
      FairnessGroups facts{name, "", {}, ""};
      const auto chosen = settings_.reference.find(name);
      auto reference = std::max_element(groups.begin(), groups.end(),
                                        [&](const Group& left, const Group& right) {
                                          return size(left) < size(right);
                                        });
      if (chosen != settings_.reference.end()) {
        reference = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
          return group.slice == name + "=" + chosen->second;
        });
        if (reference == groups.end()) {
          return Error{ErrorCode::invalid, "parameter \"reference." + name + "\": the group \"" +
                                               chosen->second + "\" does not occur in these rows, "
                                               "or has too few"};
        }
      }
      if (groups.size() < 2) {
        facts.sentence = "fewer than two groups have enough rows; there is nothing to compare";
      } else {
        const Group base = *reference;
        groups.erase(reference);
        compare_groups(groups, base, keys_, numbers, settings_.resampling.confidence,
                       evaluation_.metrics);
        facts.reference = base.slice;
        for (const Group& group : groups) facts.groups.push_back(group.slice);
      }
      evaluation_.fairness.push_back(std::move(facts));
    }
    return {};
  }

  std::size_t size(const Group& group) const { return slices_[group.at].rows.size(); }

  void add_counts() {
    if (signature_.objective != Objective::binary_logistic) return;
    for (const Slice& slice : slices_) {
      for (const double threshold : settings_.measure.thresholds) {
        Counts counts;
        for (const std::uint32_t row : slice.rows) {
          const bool called = static_cast<double>(rows_.scores[row]) >= threshold;
          const bool positive = rows_.labels[row] != 0;
          ++(called ? positive ? counts.true_positives : counts.false_positives
                    : positive ? counts.false_negatives : counts.true_negatives);
        }
        evaluation_.counts.push_back(
            {slice.name, static_cast<std::int64_t>(slice.rows.size()), threshold, counts});
      }
    }
  }

  // Metrics leave these rows out and look better than the model is.
  void refuse_for_scores() {
    Blessing& blessing = evaluation_.blessing;
    const std::string sentence = std::to_string(rows_.rows_without_score) +
                                 " rows got no number as their score";
    blessing.blessed = false;
    blessing.judgements.push_back({false, "", "", sentence});
    blessing.sentence = sentence + "; " + blessing.sentence;
  }

  const ScoredRows& rows_;
  const model::Signature& signature_;
  const EvaluateSettings& settings_;
  const Baseline& baseline_;
  std::vector<Slice> slices_;  // those that are measured
  std::vector<MetricKey> keys_;
  Evaluation evaluation_;
};

}  // namespace

Result<Evaluation> evaluate(const ScoredRows& rows, const model::Signature& signature,
                            const EvaluateSettings& settings, const Baseline& baseline,
                            const std::function<bool()>& stop_asked) {
  return Evaluator(rows, signature, settings, baseline).run(stop_asked);
}

}  // namespace pipelined::evaluation
