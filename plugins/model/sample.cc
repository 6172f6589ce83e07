#include "plugins/model/sample.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cmath>

#include "plugins/model/resample.h"
#include "plugins/model/scored_rows.h"

namespace pipelined::evaluation {
namespace {

// A row that is in the sample so far.
struct Candidate {
  std::uint64_t hash = 0;
  std::int64_t row = 0;
  double label = 0;
  std::vector<float> features;

  bool operator<(const Candidate& other) const {
    return hash != other.hash ? hash < other.hash : row < other.row;
  }
};

// Keeps the candidates with the smallest hashes.
void cut_to(std::vector<Candidate>& candidates, std::size_t most) {
  if (candidates.size() <= most) return;
  std::nth_element(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(most),
                   candidates.end());
  candidates.resize(most);
}

}  // namespace

std::vector<float> Sample::row(std::size_t at) const {
  std::vector<float> features;
  for (const auto& column : columns) features.push_back(column[at]);
  return features;
}

Result<Sample> read_sample(ExamplesReader& reader, const model::Model& model,
                           std::int64_t rows_max, std::uint64_t seed,
                           const std::function<bool()>& stop_asked) {
  Sample sample;
  BatchScorer scorer(model);
  const LabelReader label_reader(model.signature());
  const std::size_t width = model.signature().features.size();
  sample.has_labels = reader.schema()->GetFieldIndex(model.signature().label.name) >= 0;
  std::vector<Candidate> candidates;
  std::vector<double> labels;
  const auto most = static_cast<std::size_t>(rows_max);
  for (;;) {
    if (stop_asked()) return Error{ErrorCode::cancelled, "stopped while reading"};
    TRY(batch, reader.next());
    if (!batch) break;
    TRY(columns, scorer.encode(*batch));
    labels.assign(static_cast<std::size_t>(batch->num_rows()), std::nan(""));
    if (sample.has_labels) TRY_VOID(label_reader.read(*batch, labels));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const std::int64_t row = sample.rows_seen + static_cast<std::int64_t>(i);
      Candidate next{mixed(mixed(seed) + static_cast<std::uint64_t>(row)), row, labels[i], {}};
      for (std::size_t feature = 0; feature < width; ++feature) {
        next.features.push_back(columns[feature][i]);
      }
      candidates.push_back(std::move(next));
      if (candidates.size() >= 2 * most + 1024) cut_to(candidates, most);
    }
    sample.rows_seen += batch->num_rows();
  }
  cut_to(candidates, most);
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& left, const Candidate& right) { return left.row < right.row; });
  sample.columns.resize(width);
  for (const Candidate& one : candidates) {
    for (std::size_t i = 0; i < width; ++i) sample.columns[i].push_back(one.features[i]);
    sample.labels.push_back(one.label);
    sample.rows.push_back(one.row);
  }
  return sample;
}

}  // namespace pipelined::evaluation
