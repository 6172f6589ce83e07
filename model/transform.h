// A transform that was fitted: from the cells of a row to the numbers that a model takes.
//
// The one piece of code that training, evaluation and serving apply, so that they cannot differ.
// Numbers come out sparse: what is not listed is 0, not-a-number is a missing value.  It knows no
// Arrow, no operator and no model.  Immutable once made; any number of threads may apply it at once.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"
#include "model/encoding.h"
#include "model/feature_spec.h"
#include "model/word_vectors.h"

namespace pipelined::model {

/// A number of a row and its place.
struct Entry {
  std::uint32_t index = 0;
  double value = 0;

  bool operator==(const Entry&) const = default;
};

/// A number that comes out.
struct Output {
  std::string name;
  bool whole = false;  ///< only whole numbers (an index, a count, 0 or 1)

  bool operator==(const Output&) const = default;
};

/// What the data said about one feature.
struct Fitted {
  double center = 0, scale = 1;     ///< number: (value - center) / scale
  double fill = missing_value;      ///< number: what stands for a missing value, before scaling
  std::vector<double> boundaries;   ///< buckets: a value belongs right of those that it reaches
  std::vector<std::string> words;   ///< in the order of their columns or indices
  std::vector<double> weights;      ///< tfidf: a factor a word
  std::int64_t rows = 0, missing = 0;  ///< seen, and without a value

  static constexpr double missing_value = std::numeric_limits<double>::quiet_NaN();
};

/// Declaration, inputs and what was learned.
class Transform {
 public:
  /// `columns`: those that some feature reads.  `fitted`: one a feature.  Refuses declarations that
  /// give two outputs one name.
  static Result<Transform> make(std::vector<ColumnInput> columns, std::vector<FeatureSpec> features,
                                std::vector<Fitted> fitted,
                                std::shared_ptr<const WordVectors> vectors);
  /// Reads the folder of a transform/1, or of a model/1 that carries one.
  static Result<Transform> load(const std::filesystem::path& folder);
  /// Writes transform.json and, if there are any, vectors.txt.
  Result<void> save(const std::filesystem::path& folder) const;
  /// The text of transform.json; equal transforms have equal text.
  std::string json_text() const;

  /// The columns that `apply_row` reads, in its order.
  const std::vector<ColumnInput>& inputs() const { return inputs_; }
  /// The columns that only labels read.
  const std::vector<ColumnInput>& label_inputs() const { return label_inputs_; }
  /// What comes out, labels apart.
  const std::vector<Output>& outputs() const { return outputs_; }
  const std::vector<FeatureSpec>& features() const { return features_; }
  const std::vector<Fitted>& fitted() const { return fitted_; }
  const std::shared_ptr<const WordVectors>& vectors() const { return vectors_; }

  /// Replaces `row` by the numbers of a row, by rising index.  A cell of a kind that its column
  /// cannot have is an error that names the column.  REQUIRES: a cell an input.
  Result<void> apply_row(std::span<const Cell> cells, std::vector<Entry>& row) const;

  /// The class of each label feature, or not-a-number for null and words that training never saw.
  /// REQUIRES: a cell a label input.
  Result<void> label_row(std::span<const Cell> cells, std::vector<double>& classes) const;
  /// The names of the label features.
  std::vector<std::string> labels() const;

 private:
  friend class FeatureApplier;
  struct Place {
    std::vector<std::size_t> cells;  // positions among the inputs
    std::vector<ColumnInput> columns;
    std::uint32_t first = 0;         // output
    WordIndex index;
  };

  Transform() = default;
  void add_outputs(std::size_t feature);

  std::vector<ColumnInput> inputs_, label_inputs_;
  std::vector<FeatureSpec> features_;
  std::vector<Fitted> fitted_;
  std::vector<Place> places_;
  std::vector<Output> outputs_;
  std::shared_ptr<const WordVectors> vectors_;
};

}  // namespace pipelined::model
