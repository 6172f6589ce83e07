// Examples as the rows that linear training passes over.
//
// Applies the transform, codes the labels and leaves out rows without one.  Knows nothing of losses.
#pragma once

#include <arrow/type_fwd.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/signature.h"
#include "model/domain.h"
#include "model/transform.h"
#include "operators/sdk.h"
#include "plugins/common/examples.h"
#include "plugins/train/row_store.h"

namespace pipelined::train {

/// The columns that a training may look at, where no transform is given.
struct ColumnChoice {
  std::string label;
  std::vector<std::string> features, exclude;

  bool chosen() const { return !features.empty() || !exclude.empty(); }
};

/// The declaration that a linear model gets when none is given: numbers imputed by their mean and
/// scaled, texts as the 1,000 most frequent columns, dates and times in parts.
Result<std::vector<model::FeatureSpec>> usual_features(const arrow::Schema& schema,
                                                       const ColumnChoice& choice);

/// Rows in a file and what was counted meanwhile.
struct LinearRows {
  RowStore store;
  std::int64_t rows_without_label = 0;
  std::int64_t rows_of_unknown_class = 0;
  std::map<float, std::int64_t> classes;  ///< rows of each label, where classes are learned
  std::vector<model::InputDomain> domains = {};  ///< of the columns, where the model learns
  /// Of each feature: the mean square of its numbers that are not 0; 1 of one that has none.
  std::vector<double> squares = {};
};

/// Reads all rows.  `label` has its classes (validation), or gets them (training: `learn`).  Errors
/// name the feature that has no number in some row, and the label that the objective cannot learn.
Result<LinearRows> read_linear_rows(ExamplesReader& reader, const model::Transform& transform,
                                    model::Label& label, model::Objective objective, bool learn,
                                    const std::filesystem::path& file,
                                    const sdk::Context& context);

}  // namespace pipelined::train
