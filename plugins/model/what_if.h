// What a model says of one row, why, and what would have to be different for it to decide otherwise.
//
// Scores a row before and after some of its values were set, says how much each feature contributed,
// and searches, input by input, for the nearest value that flips the decision while all others stay.
// Where the trees read the column itself that search is exact: between two of their thresholds no
// score changes.  Else values over the range that training saw are tried, and the border is then
// bisected.  Knows nothing of files, ports or JSON.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "plugins/model/given_row.h"

namespace pipelined::evaluation {

/// How much each of the model's features moved the margin of one score.
struct Contributions {
  double base = 0;             ///< where the sum begins
  std::vector<double> values;  ///< one a feature of the signature
};

/// One of the two rows.
struct Scored {
  std::vector<float> scores;
  std::optional<std::string> decision;  ///< "true", a class, "at least 20"; nothing: none is asked for
  Contributions contributions;
};

/// A value that flips the decision by itself.
struct Move {
  std::size_t input = 0;
  OwnedCell to;
  std::vector<float> scores;
  std::string decision;
  bool exact = true;           ///< no nearer value flips it; else: none that was tried
  bool outside = false;        ///< of what training saw
  std::size_t others = 0;      ///< of texts and flags: how many more values flip it
};

/// Why an input has no move.
struct Unmoved {
  std::size_t input = 0;
  std::string why;             ///< "no value flips it", or why none was searched
};

struct WhatIf {
  std::size_t score = 0;       ///< whose margin the contributions explain
  std::string method;          ///< of the contributions: tree_shap, weights; "": see `no_contributions`
  std::string no_contributions;  ///< why there are none
  Scored before, after;
  std::vector<Move> moves;     ///< of the row after, in the order of the inputs
  std::vector<Unmoved> unmoved;
};

struct WhatIfSettings {
  std::optional<double> threshold;  ///< nothing: 0.5 of probabilities, and none of values
  std::size_t points = 512;         ///< values over a range that are tried
};

/// Errors name the input: a value that the model refuses.
Result<WhatIf> what_if(const model::Model& model, const GivenRow& before, const GivenRow& after,
                       const WhatIfSettings& settings);

/// What the model decides by these scores; nothing if it gives values and there is no threshold.
std::optional<std::string> decision_of(const model::Signature& signature,
                                       std::span<const float> scores,
                                       std::optional<double> threshold);

}  // namespace pipelined::evaluation
