// Versions of models by rule: what changed between two of them, and which number that asks for.
//
// A version is MAJOR.MINOR.PATCH.  `judge_version` compares what is known of the newest registered
// version with what is known of the one to come and says how great the change is for those who use
// the model, with a sentence.  Pure: it knows nothing of ledgers, files, runs or people.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dag/result.h"
#include "dag/value.h"

namespace pipelined {

/// The operator that registers models: its steps may ask for it without saying so, and a person
/// reviews them unless the step says otherwise.
inline constexpr std::string_view register_model_operator = "model.register";
/// The request with which it asks.
inline constexpr std::string_view register_model_request = "register_model";

/// The number of a registered model.
struct ModelVersion {
  std::int64_t major = 0, minor = 0, patch = 0;
  auto operator<=>(const ModelVersion&) const = default;
  /// "1.4.2"
  std::string text() const;
};

/// The reverse of `text`; nothing if it is no such text.
std::optional<ModelVersion> parse_model_version(std::string_view text);

/// One thing that a caller sends or gets.
struct ModelColumn {
  std::string name;
  std::string type;                  ///< bool int float string probability value …
  bool optional = false;             ///< inputs: may be left out
  std::vector<std::int64_t> shape;   ///< empty: a single value; -1: any length
  std::vector<std::string> values;   ///< those that it may take, sorted; empty: not listed
  bool closed = false;               ///< inputs: other values are refused, not scored as unseen
  std::optional<std::pair<double, double>> range = {};  ///< of numbers: least and greatest seen
  bool operator==(const ModelColumn&) const = default;
};

/// What decides the number of a version, and nothing else.
struct ModelFacts {
  using Texts = std::map<std::string, std::string, std::less<>>;

  std::vector<ModelColumn> inputs, outputs;
  std::string architecture;          ///< "trees binary:logistic"
  Texts hyperparameters;             ///< "max_depth" → "6"
  Texts recipe;                      ///< "train params.max_depth" → "6": the steps behind it
  Texts defaults;                    ///< of parameters of those steps, given or not
  std::vector<std::string> data;     ///< digests of what it learned from, in order
  std::string seed;
  Texts code;                        ///< "train library xgboost" → "1.7.4"
  bool operator==(const ModelFacts&) const = default;
};

/// The facts as a table, for a record.
Value to_value(const ModelFacts& facts);
/// The facts in such a table; entries that are missing or of another kind stay empty.  Errors
/// (invalid): a column without name or type, or two columns of one name.
Result<ModelFacts> model_facts_from(const Value& value);

/// The recipes of two versions with the values that held: where only one names a parameter, the other
/// has its default.  One that none names has the same value in both, or appears in both.
std::pair<ModelFacts::Texts, ModelFacts::Texts> effective_recipes(const ModelFacts& before,
                                                                  const ModelFacts& after);

/// How great a change is.
enum class VersionChange { patch, minor, major };
/// "patch", "minor" or "major".
const char* name_of(VersionChange change);

/// One difference that a rule knows.
struct VersionDifference {
  VersionChange change = VersionChange::patch;
  std::string rule;                  ///< the stable word of docs/registry.md: "input_added"
  std::string sentence;              ///< "input humid (float) is new and must be sent"
  bool operator==(const VersionDifference&) const = default;
};

/// What the rules say: the greatest change, all differences with the greatest first, one sentence.
struct VersionRuling {
  VersionChange change = VersionChange::patch;
  std::vector<VersionDifference> differences;
  std::string sentence;              ///< "major against 1.2.0: input humid (float) is new …"
};

/// Compares two versions.  `before` is the version that is compared with, for the sentence.
VersionRuling judge_version(const ModelVersion& newest, const ModelFacts& before,
                            const ModelFacts& after);

/// The number after `newest` for a change.
ModelVersion next_version(const ModelVersion& newest, VersionChange change);

/// Whether this is a name for models, aliases and tags: 1 to 64 of a–z, 0–9, `_`, `-` and `.`,
/// beginning with a letter, so that it is never mistaken for a version.
bool is_model_word(std::string_view text);

}  // namespace pipelined
