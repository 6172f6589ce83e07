// A model that can score: what evaluation uses now and a model server later.
//
// `Model::load` reads a model/1 artifact (model.json beside the trees or weights, and the transform
// if the model carries one) once; after that a model is immutable and any number of threads may
// score with it at once, without locks and without a virtual call.  A row is the first interface;
// columns are scored in blocks of rows with the same result, for trees and weights to the last bit.
// It knows nothing of Arrow, of artifacts' digests or of ports.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"
#include "model/domain.h"
#include "model/encoding.h"
#include "model/forest.h"
#include "model/linear.h"
#include "model/onnx.h"
#include "model/signature.h"
#include "model/transform.h"

namespace pipelined::model {

/// The text of model.json: kind, signature, label, objective and `training_json`, an object that
/// says how the model came about and that scoring does not look at.  Sorted keys, one newline at the
/// end; equal models have equal text.
Result<std::string> model_json(const Signature& signature, const std::string& trees_file,
                               const std::string& training_json);

/// What model.json says about inputs, label, trees or weights.
struct ModelFile {
  Signature signature;      ///< with a transform, its features are what the transform gives
  std::string trees_file;   ///< a name in the same folder; empty: the model has no trees
  std::string linear_file;  ///< the same of weights
  bool transform = false;   ///< whether transform.json is there
  std::vector<ColumnInput> inputs = {};  ///< with a transform: the columns that a caller gives
  std::vector<InputDomain> domains = {};  ///< one an input, by its name; empty: nothing is known
  std::string onnx_file = {};            ///< a name in the same folder of an ONNX model
};

/// The text of model.json for any kind of model.
Result<std::string> model_json(const ModelFile& file, const std::string& training_json);

/// Reads the text of model.json; an error says which entry is missing or wrong.
Result<ModelFile> parse_model_json(std::string_view text);

/// Signature, dictionaries and trees or weights, and the transform before them.
class Model {
 public:
  /// Reads the folder of a model/1 artifact.
  static Result<Model> load(const std::filesystem::path& folder);
  /// Puts the parts together; refuses trees that were not made for this signature.
  static Result<Model> make(Signature signature, Forest forest);

  /// The same for weights; both are behind `transform` if there is one, whose outputs must be the
  /// features of the signature.
  static Result<Model> make(Signature signature, Linear linear,
                            std::shared_ptr<const Transform> transform);
  static Result<Model> make(Signature signature, Forest forest,
                            std::shared_ptr<const Transform> transform);

  static Result<Model> make(Signature signature, Onnx onnx,
                            std::shared_ptr<const Transform> transform);

  const Signature& signature() const { return encoder_.signature(); }
  const Encoder& encoder() const { return encoder_; }
  /// Whether it is made of trees, or of weights; else it is an ONNX model.
  bool has_trees() const { return forest_.has_value(); }
  bool is_linear() const { return linear_.has_value(); }
  /// REQUIRES: has_trees().
  const Forest& forest() const { return *forest_; }
  /// REQUIRES: is_linear().
  const Linear& linear() const { return *linear_; }
  /// What makes the signature's features from columns; null: the features are columns.
  const Transform* transform() const { return transform_.get(); }
  /// The columns that a caller gives, in the order of `score_cells`.
  const std::vector<ColumnInput>& inputs() const { return inputs_; }
  /// What training saw of each of them, in the same order.
  const std::vector<InputDomain>& domains() const { return domains_; }
  /// Whether there are values that it refuses.
  bool has_closed() const;
  /// Takes the domains over.  Errors (corrupt): one of no input, or of the same twice.
  Result<void> set_domains(std::vector<InputDomain> domains);

  /// Scores one row as a caller has it.  Errors name the column: a cell of another kind, or outside
  /// of a closed domain.
  /// REQUIRES: cells.size() == inputs().size(), scores.size() == signature().score_count().
  Result<void> score_cells(std::span<const Cell> cells, std::span<float> scores) const;
  /// The row that `score_row` takes, of the row that a caller has.
  Result<void> encode_cells(std::span<const Cell> cells, std::span<float> row) const;

  /// Where every sum of leaves begins.
  float base_margin() const { return base_margin_; }

  /// Scores one row: `row` as the encoder fills it, `scores` one number, or one a class.
  /// REQUIRES: row.size() == features, scores.size() == signature().score_count().
  void score_row(std::span<const float> row, std::span<float> scores) const;

  /// Scores whole columns: `columns` holds an encoded column a feature, all of one length; `scores`
  /// gets score_count() numbers a row, row after row.
  /// REQUIRES: columns.size() == features, scores.size() == length * score_count().
  void score_columns(std::span<const std::span<const float>> columns,
                     std::span<float> scores) const;

 private:
  explicit Model(Signature signature) : encoder_(std::move(signature)) {}

  Result<void> take(std::shared_ptr<const Transform> transform);
  void finish(std::span<float> scores) const;

  Encoder encoder_;
  std::optional<Forest> forest_;
  std::optional<Linear> linear_;
  std::optional<Onnx> onnx_;
  std::shared_ptr<const Transform> transform_;
  std::vector<ColumnInput> inputs_;
  std::vector<InputDomain> domains_;
  float base_margin_ = 0;  // where every sum of leaves begins
};

}  // namespace pipelined::model
