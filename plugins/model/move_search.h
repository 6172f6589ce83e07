// The nearest value of one input that flips a model's decision on a row.
//
// Part of what_if.h: candidates by the kind of the input, nearest first, each scored by the model.
// Immutable; any number of threads may search at once.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "plugins/model/what_if.h"

namespace pipelined::evaluation {

class MoveSearch {
 public:
  /// `decision`: what the model says of the row as it is.  REQUIRES: all outlive this.
  MoveSearch(const model::Model& model, const GivenRow& row, const WhatIfSettings& settings,
             const std::string& decision)
      : model_(model), row_(row), settings_(settings), decision_(decision) {}

  /// The move, or why there is none.
  std::variant<Move, std::string> of(std::size_t input) const;

 private:
  /// A value that was scored; `flips` is false too where the model refuses it.
  struct Tried {
    bool flips = false;
    std::vector<float> scores;
    std::string decision;
  };

  Tried try_cell(std::size_t input, const OwnedCell& cell) const;
  Move move_to(std::size_t input, OwnedCell cell, Tried tried, bool exact) const;
  std::variant<Move, std::string> among(std::size_t input,
                                        const std::vector<OwnedCell>& values) const;
  std::variant<Move, std::string> along(std::size_t input, const std::vector<double>& places,
                                        bool exact) const;
  OwnedCell bisected(std::size_t input, double from, double to) const;
  std::vector<double> places_of_trees(std::size_t feature) const;
  std::vector<double> places_of_range(std::size_t input, bool& exact) const;
  std::optional<double> place(std::size_t input) const;
  OwnedCell cell_at(std::size_t input, double place) const;

  const model::Model& model_;
  const GivenRow& row_;
  const WhatIfSettings& settings_;
  const std::string& decision_;
};

}  // namespace pipelined::evaluation
