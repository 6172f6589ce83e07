// What is asked of a transform, feature by feature: the declaration, checked.
//
// Read from the JSON of the parameter `features`, which people write as TOML.  It knows which method
// takes which options and nothing of data.  A plain value; equal declarations have equal text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"
#include "model/text_tokens.h"

namespace pipelined::model {

/// The type of a column that a transform reads.
enum class ColumnKind { boolean, integer, real, text, date, time };

/// "bool", "int", "float", "string", "date" or "time".
const char* name_of(ColumnKind kind);
/// The kind of that name; nothing if there is none.
std::optional<ColumnKind> column_kind(std::string_view name);

/// A column that a transform reads.
struct ColumnInput {
  std::string name;
  ColumnKind kind = ColumnKind::real;
  bool optional = false;  ///< of a model: a table may lack it, and all its values are missing then

  bool operator==(const ColumnInput&) const = default;
};

/// How a feature is made.
enum class Method {
  number,       ///< clipped, logged, imputed, scaled
  buckets,      ///< the number of the interval that holds the value
  one_hot,      ///< a column a category
  multi_hot,    ///< the same where a value holds several
  ordinal,      ///< the position in an order
  hashed,       ///< a bucket by hash
  vocabulary,   ///< the rank among the most frequent
  label,        ///< the class of what is to be learned; never an input of a model
  date_parts,   ///< year, month, … and places on a circle
  characters,   ///< a fixed number of indices of characters
  tokens,       ///< a fixed number of indices of words
  counts,       ///< how often each word or n-gram occurs
  tfidf,        ///< the same, weighted
  vectors,      ///< the mean of the words' vectors
  text_counts,  ///< how many characters, words, …
};

/// "number", "one_hot" and so on.
const char* name_of(Method method);

enum class Impute { none, mean, median, most_frequent, constant };
enum class Scale { none, z_score, min_max, robust };

/// One entry of the declaration; of the options only those of the method count.
struct FeatureSpec {
  std::string name;
  Method method = Method::number;
  std::vector<std::string> from;  ///< columns; several: their cross

  std::optional<double> clip_min, clip_max;
  bool log = false;
  Impute impute = Impute::none;
  double fill = 0;
  bool indicator = false;
  Scale scale = Scale::none;

  std::int64_t buckets = 10;
  std::vector<double> boundaries;

  std::int64_t top_k = 0;          ///< 0: all
  std::int64_t min_frequency = 1;  ///< rows that have it
  std::int64_t oov_buckets = 0;
  bool other = false;              ///< a column for what is in no other
  bool missing = false;            ///< a column (or bucket) for no value
  std::vector<std::string> categories;
  std::string delimiter;           ///< of multi_hot; empty: the text is a JSON list

  std::vector<std::string> parts;
  bool cycle = false;

  TextRules rules;
  std::int64_t length = 0;
  std::int64_t least_characters = 1;
  std::int64_t ngram_low = 1, ngram_high = 1;
  bool binary = false, sublinear = false;
  bool spread = false;             ///< of an index: a column each instead of one number

  bool operator==(const FeatureSpec&) const = default;

  /// Whether the analysis has to count words (categories, tokens, characters).
  bool counts_words() const;
  /// Whether the analysis has to count numbers.
  bool counts_numbers() const;
  /// Whether sums, minimum and maximum are needed.
  bool measures() const { return method == Method::number || method == Method::buckets; }
  /// Whether each value is a text to be cut.
  bool is_text() const { return method >= Method::characters; }
};

/// Reads `{"name": {"method": "…", …}, …}`; features are in the order of their names.  Errors name
/// the feature and the option.
Result<std::vector<FeatureSpec>> parse_features(std::string_view json);

/// The same as JSON; `parse_features` gives it back.
std::string features_json(const std::vector<FeatureSpec>& features);

}  // namespace pipelined::model
