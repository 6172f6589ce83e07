// The parameters that a search may choose, and from what.
//
// Read from the table `space` of a step: numbers from a range, whole numbers from a range, one of
// several choices; each may hang on what another parameter has been given.  A point is a JSON object
// with a value for each parameter that is active in it.  Knows nothing of metrics and of how points
// are found.  Plain values.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "dag/result.h"
#include "plugins/tune/draws.h"

namespace pipelined::tune {

/// What kind of value a parameter has.
enum class Kind { real, integer, choice };

/// Holds where parameter `parameter` of the space has been given one of `choices` (indices).
struct Condition {
  std::size_t parameter = 0;
  std::vector<std::size_t> choices;
};

/// One parameter.
struct Parameter {
  std::string name;
  Kind kind = Kind::real;
  double low = 0, high = 0;             ///< of a range, both included
  bool log = false;                     ///< equal factors count alike, not equal distances
  std::int64_t points = 0;              ///< of a grid; 0: not said
  std::vector<nlohmann::json> choices;  ///< strings, numbers or flags, all of one kind
  std::vector<Condition> when;          ///< active where all hold

  /// Where the parameter's axis begins and ends, and a value on it: logarithms where `log`.  A whole
  /// number k stands for everything from k - 1/2 to k + 1/2, a choice is its index.
  double axis_low() const;
  double axis_high() const;
  double on_axis(const nlohmann::json& value) const;
  /// The value at a place of the axis: rounded to six digits or to a whole number, within the range.
  nlohmann::json at(double place) const;
};

/// All parameters; one comes after those that it hangs on.
struct Space {
  std::vector<Parameter> parameters;

  /// Reads the table `space` of the step's parameters; an error names the entry.
  static Result<Space> read(const nlohmann::json& table);
  /// Whether the parameter has a value in a point that has those before it.
  bool is_active(const Parameter& parameter, const nlohmann::json& point) const;
  /// The values of the active parameters among those of an element, in the space's own form.
  nlohmann::json point_of(const nlohmann::json& values) const;
  /// A point drawn evenly from everything.
  nlohmann::json draw(Draws& draws) const;
  /// All points of the grid, the last parameter changing fastest; an error where a range does not
  /// say its `points`, or where there are more than `most`.
  Result<std::vector<nlohmann::json>> grid(std::size_t most) const;
};

/// Values of a grid for one parameter.
std::vector<nlohmann::json> grid_values(const Parameter& parameter);

}  // namespace pipelined::tune
