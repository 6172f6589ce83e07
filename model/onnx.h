// A model in the ONNX format, scored by ONNX Runtime.
//
// Takes models with one input of 32-bit floats, rows times features, and an output of 32-bit floats
// with a number, a number a class, or for yes and no two numbers a row.  The library is loaded when the
// first such model is, from the folder `lib` beside the plugins; no other model needs it.  Each call
// runs on its caller's thread.  Immutable once loaded; any number of threads may score at once.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "dag/result.h"

namespace pipelined::model {

/// One more folder in which the library may lie, for programs that load models from elsewhere.  Before the first model.
void look_for_onnx_runtime_in(const std::string& folder);

/// One loaded model.
class Onnx {
 public:
  /// Loads the bytes of a .onnx file and tries them on rows of zeros; an error says which input or
  /// output does not fit so many features and scores.
  static Result<Onnx> parse(std::string_view bytes, std::size_t features, std::size_t scores);

  std::size_t feature_count() const;
  std::size_t score_count() const;
  /// The names of the input and of the output that is read.
  const std::string& input() const;
  const std::string& output() const;

  /// Scores `rows` rows that stand one after the other.  A row that the runtime refuses scores
  /// not-a-number.
  void score(const float* values, std::size_t rows, float* scores) const;

 private:
  struct State;
  explicit Onnx(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace pipelined::model
