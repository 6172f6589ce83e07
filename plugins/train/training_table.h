// Examples in the form that training wants: one matrix of numbers, labels, and a signature.
//
// The table is read once, batch by batch; texts get provisional codes in order of appearance, which
// are replaced by their place in the sorted dictionary at the end, so that the order of rows and
// files does not decide a code.  Rows without a label are left out and counted.  It knows nothing
// of XGBoost.  A plain value; belongs to one thread while it is read.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/encoding.h"
#include "model/signature.h"
#include "model/transform.h"
#include "plugins/common/examples.h"
#include "plugins/common/seen_domains.h"
#include "plugins/train/settings.h"

namespace pipelined::train {

/// Rows that can be learned from.
struct TrainingTable {
  std::vector<float> matrix;  ///< row after row, a number a feature; not-a-number: missing
  std::vector<float> labels;  ///< a number a row: 0 or 1, the class, or the value
  std::int64_t rows_without_label = 0;
  std::int64_t rows_of_unknown_class = 0;  ///< validation only: left out too

  std::size_t row_count() const { return labels.size(); }
};

/// Training rows and the signature that they define.
struct Learned {
  model::Signature signature;
  std::shared_ptr<const model::Transform> transform;  ///< null: the features are columns
  std::vector<model::InputDomain> domains;            ///< of the columns that callers give
  TrainingTable table;
};

/// Reads everything that `reader` has, through the transform if there is one.  Errors name the
/// column: a label that is missing or of a type that the objective cannot learn, a feature of a type
/// that cannot be used, an infinite number.
Result<Learned> read_training(ExamplesReader reader, const Settings& settings,
                              std::shared_ptr<const model::Transform> transform,
                              const sdk::Context& context);

/// Takes the rows of a batch, and may take them out of the table: the next batch comes behind what is
/// left there.
using RowSink = std::function<Result<void>(TrainingTable& table)>;

/// What each provisional code became.
struct CodeRanks {
  std::vector<std::vector<float>> features;  ///< empty for numbers
  std::vector<float> classes;                ///< empty where no classes are learned

  /// The final code of a feature's or the label's number.
  static float of(const std::vector<float>& ranks, float code);
};

/// The same for rows that need not fit into memory: `sink` gets them batch by batch with provisional
/// codes, and `ranks` says in the end what these became.
Result<Learned> stream_training(ExamplesReader reader, const Settings& settings,
                                std::shared_ptr<const model::Transform> transform,
                                const sdk::Context& context, const RowSink& sink,
                                CodeRanks& ranks);

/// The columns that callers give to a model of this signature.
std::vector<model::ColumnInput> inputs_of(const model::Signature& signature,
                                          const model::Transform* transform);

/// Reads rows for a signature that stands already: words and classes that it does not have are
/// missing and left out.  `seen`, if any, sees the rows too.
Result<TrainingTable> read_coded(ExamplesReader reader, const model::Signature& signature,
                                 const model::Transform* transform, const sdk::Context& context,
                                 SeenDomains* seen = nullptr);
/// The same batch by batch.
Result<TrainingTable> stream_coded(ExamplesReader reader, const model::Signature& signature,
                                   const model::Transform* transform, const sdk::Context& context,
                                   const RowSink& sink, SeenDomains* seen = nullptr);

}  // namespace pipelined::train
