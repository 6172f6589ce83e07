// One row as a person writes it: JSON by the names of a model's inputs.
//
// Reads values strictly by the type of each input, or, of what stands on a command line, as the text
// that it is.  Owns the texts that its cells point at.  Knows no files and no operator.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dag/result.h"
#include "model/encoding.h"
#include "model/feature_spec.h"

namespace pipelined::evaluation {

/// A cell that owns its text.
using OwnedCell = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

/// The cell that points at it.
model::Cell view_of(const OwnedCell& cell);
/// What owns the text that the cell points at.
OwnedCell owned(const model::Cell& cell);
/// The cell as JSON: null, true, 7, 0.5, "AA"; dates and times as ISO texts, numbers that JSON does
/// not have as "NaN", "Infinity" and "-Infinity".
std::string json_of_cell(const OwnedCell& cell, model::ColumnKind kind);

/// The values of a row, one an input.
class GivenRow {
 public:
  /// Of a JSON object.  Entries that are no input are not looked at.  Errors name the input: one that
  /// is absent and not optional, a value of another type, a list where a single value belongs.
  static Result<GivenRow> read(std::string_view json, std::span<const model::ColumnInput> inputs);
  /// Of cells from elsewhere.  REQUIRES: one an input.
  static GivenRow of(std::span<const model::Cell> cells);

  /// Puts JSON in the place of one value; a text is read as the type of the input, an empty one takes
  /// the value away.  Errors: no such input, or no value of its type.
  Result<void> set(const std::string& name, std::string_view json,
                   std::span<const model::ColumnInput> inputs);
  /// Every entry of a JSON object.
  Result<void> set_all(std::string_view json, std::span<const model::ColumnInput> inputs);
  void set(std::size_t input, OwnedCell cell) { cells_[input] = std::move(cell); }

  const std::vector<OwnedCell>& values() const { return cells_; }
  /// Valid until the next change.
  std::vector<model::Cell> cells() const;

 private:
  std::vector<OwnedCell> cells_;
};

}  // namespace pipelined::evaluation
