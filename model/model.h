// A model that can score: what evaluation uses now and a model server later.
//
// `Model::load` reads a model/1 artifact (model.json beside the file with the trees) once; after that
// a model is immutable and any number of threads may score with it at once, without locks and
// without a virtual call.  A row is the first interface; columns are scored in blocks of rows with
// the same result to the last bit.  It knows nothing of Arrow, of artifacts' digests or of ports.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"
#include "model/encoding.h"
#include "model/forest.h"
#include "model/signature.h"

namespace pipelined::model {

/// The text of model.json: kind, signature, label, objective and `training_json`, an object that
/// says how the model came about and that scoring does not look at.  Sorted keys, one newline at the
/// end; equal models have equal text.
Result<std::string> model_json(const Signature& signature, const std::string& trees_file,
                               const std::string& training_json);

/// What model.json says about inputs, label and trees.
struct ModelFile {
  Signature signature;
  std::string trees_file;  ///< a name in the same folder
};

/// Reads the text of model.json; an error says which entry is missing or wrong.
Result<ModelFile> parse_model_json(std::string_view text);

/// Signature, dictionaries and trees.
class Model {
 public:
  /// Reads the folder of a model/1 artifact.
  static Result<Model> load(const std::filesystem::path& folder);
  /// Puts the parts together; refuses trees that were not made for this signature.
  static Result<Model> make(Signature signature, Forest forest);

  const Signature& signature() const { return encoder_.signature(); }
  const Encoder& encoder() const { return encoder_; }
  const Forest& forest() const { return forest_; }

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
  Model(Encoder encoder, Forest forest, float base_margin)
      : encoder_(std::move(encoder)), forest_(std::move(forest)), base_margin_(base_margin) {}

  void finish(std::span<float> scores) const;

  Encoder encoder_;
  Forest forest_;
  float base_margin_;  // where every sum of leaves begins
};

}  // namespace pipelined::model
