// XGBoost's C interface behind two owners.
//
// The only header through which training reaches XGBoost: a `Matrix` of rows and labels and a
// `Booster` that grows trees from it.  Every call that the library refuses becomes an error with the
// library's own words.  It knows nothing of columns, operators or files.  Not for several threads at
// once; the library itself uses as many as it is told to.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dag/result.h"
#include "model/signature.h"

namespace pipelined::train {

/// "1.7.4": the library that is loaded.
const char* xgboost_version();

/// Rows and labels inside the library.
class Matrix {
 public:
  /// Copies `values` (row after row, not-a-number: missing) and `labels` (one a row); text features
  /// are marked as categories.  The caller may free both afterwards.
  static Result<Matrix> make(std::span<const float> values, std::span<const float> labels,
                             const std::vector<model::Feature>& features, std::int64_t threads);

  Matrix(Matrix&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Matrix& operator=(Matrix&&) = delete;
  ~Matrix();

  /// How much each row counts; one positive number a row.
  Result<void> set_weights(std::span<const float> weights);

 private:
  friend class Booster;
  explicit Matrix(void* handle) : handle_(handle) {}
  Result<void> describe(const std::vector<model::Feature>& features);
  Result<void> set_floats(const char* field, std::span<const float> values);

  void* handle_;
};

/// A matrix whose loss is measured after each round, and what to call it.
struct Watched {
  std::string name;
  const Matrix* matrix = nullptr;
};

/// A growing sum of trees.
class Booster {
 public:
  /// `parameters` in XGBoost's words.  The matrices must outlive the booster.
  static Result<Booster> make(const std::vector<Watched>& watched,
                              const std::vector<std::pair<std::string, std::string>>& parameters,
                              std::int64_t threads);

  Booster(Booster&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), parameters_(std::move(other.parameters_)) {}
  Booster& operator=(Booster&&) = delete;
  ~Booster();

  /// Takes over the trees that `trees_ubj` gave.  REQUIRES: before any round.
  Result<void> load(const std::string& trees);
  /// Only the trees of the first rounds, as `trees_ubj` gives them.
  Result<std::string> trees_of_rounds(std::int64_t rounds) const;
  /// Grows the trees of one round.
  Result<void> grow(std::int64_t round, const Matrix& training);
  /// The loss on each watched matrix after a round, in their order.
  Result<std::vector<double>> losses(std::int64_t round, const std::vector<Watched>& watched);
  /// The trees as universal binary JSON: equal trees have equal bytes.
  Result<std::string> trees_ubj() const;

 private:
  explicit Booster(void* handle) : handle_(handle) {}
  Result<void> set_parameters();

  void* handle_;
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace pipelined::train
