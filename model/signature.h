// What goes into a model and what comes out of it, by name and type.
//
// The signature is the part of a model that a caller must know: the features in the order in which
// the trees number them, the categories of each text feature, the label and how scores are to be
// read.  It is written by training and read by evaluation and by a server; it knows nothing of
// Arrow, Parquet, trees or files.  Plain values: copy and share them between threads as you like.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pipelined::model {

/// The type of a feature or label as a person sees it in a table.
enum class FeatureType {
  boolean,  ///< false is 0, true is 1
  integer,  ///< scored as a 32-bit float: exact up to 16,777,216
  real,     ///< scored as a 32-bit float
  text,     ///< a category: one of a list that training saw
};

/// "bool", "int", "float" or "string": the words of schemas and statistics.
const char* name_of(FeatureType type);
/// The type of that name; nothing if there is none.
std::optional<FeatureType> feature_type(std::string_view name);

/// One input of the model.
struct Feature {
  std::string name;
  FeatureType type = FeatureType::real;
  std::vector<std::string> categories;  ///< of text: sorted by bytes; the position is the code

  bool operator==(const Feature&) const = default;
};

/// How the sum of the leaves or of the weighted features becomes a score.
enum class Objective {
  binary_logistic,  ///< one score: the probability that the label is true
  multi_softprob,   ///< a score a class: probabilities that sum to one
  squared_error,    ///< one score: the expected value of the label
  poisson,          ///< one score: the expected count, the exponential of the sum
};

/// "binary:logistic", "multi:softprob", "reg:squarederror" or "count:poisson": XGBoost's words.
const char* name_of(Objective objective);
/// The objective of that name; nothing if there is none.
std::optional<Objective> objective_of(std::string_view name);

/// What the model predicts.
struct Label {
  std::string name;
  FeatureType type = FeatureType::boolean;
  std::vector<std::string> classes;  ///< of multi_softprob: the words of classes 0, 1, …

  bool operator==(const Label&) const = default;
};

/// Inputs, label and meaning of the scores.
struct Signature {
  std::vector<Feature> features;
  Label label;
  Objective objective = Objective::binary_logistic;

  /// How many scores a row gets: the number of classes, or one.
  std::size_t score_count() const {
    return objective == Objective::multi_softprob ? label.classes.size() : 1;
  }
  bool operator==(const Signature&) const = default;
};

}  // namespace pipelined::model
