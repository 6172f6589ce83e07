// Golden rows: a few rows with the scores that a model gave them when it was registered.
//
// Whoever has the model later scores them again and compares, bit for bit: another build, another
// machine or a damaged file would show.  Rows come from examples, chosen by a hash of their place, or
// are made from what the signature says of the inputs.  Written as golden/1, one JSON file; scores are
// those of the rows as they are read back from it.  Knows no ports.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"
#include "plugins/common/examples.h"
#include "plugins/model/given_row.h"

namespace pipelined::evaluation {

struct GoldenRow {
  GivenRow row;
  std::vector<float> scores;
};

struct Golden {
  std::string source;               ///< "examples", "signature" where rows were made, "none"
  std::vector<GoldenRow> rows;
};

/// How many rows are kept.
inline constexpr std::size_t golden_rows_max = 48;

/// Rows of examples, fewer where they have no more.  Errors as of scoring; no rows; stopped.
Result<Golden> golden_of_examples(const model::Model& model, ExamplesReader& reader,
                                  std::uint64_t seed, const std::function<bool()>& stop_asked);
/// Rows made from the value domains, some values missing.
Result<Golden> golden_of_signature(const model::Model& model, std::uint64_t seed);

/// The text of golden.json, and back, for a model with these inputs.  Errors name row and input.
std::string golden_json(const Golden& golden, std::span<const model::ColumnInput> inputs);
Result<Golden> parse_golden(std::string_view text, std::span<const model::ColumnInput> inputs);

/// A row whose scores are others now.
struct Deviation {
  std::size_t row = 0;              ///< from 1
  std::vector<float> expected, got;
  std::string refused;              ///< why it was not scored at all; empty: it was
};

struct Verification {
  std::size_t rows = 0;
  double tolerance = 0;
  double greatest = 0;              ///< of the differences
  std::vector<Deviation> deviations;
  /// "48 golden rows score as they did, bit for bit", or what differs.
  std::string sentence() const;
};

/// Scores the rows again.  Differences up to `tolerance` count as equal; 0: every bit counts.
Verification verify(const model::Model& model, const Golden& golden, double tolerance);

/// The text of verification.json.
std::string verification_json(const Verification& verification);

}  // namespace pipelined::evaluation
