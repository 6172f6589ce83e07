// What training saw of each input, and what callers may do with it.
//
// The value domains of a model's signature: the range of numbers, dates and times, the words of
// texts.  They are information, except where the training declared an input `closed`: then other
// values are refused rather than scored as if they were missing.  An `optional` input may be left
// out.  Knows no Arrow and no operator.  Plain values: copy and share them as you like.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "dag/result.h"
#include "model/encoding.h"
#include "model/feature_spec.h"

namespace pipelined::model {

/// The domain of one input.
struct InputDomain {
  std::string name;
  bool optional = false;  ///< callers may leave it out; it is missing then
  bool closed = false;    ///< values outside of the domain are refused
  /// Of numbers the least and the greatest that is finite, of dates days and of times microseconds
  /// since 1970; nothing: none was seen.
  std::optional<std::pair<double, double>> range = {};
  /// Of texts, sorted by bytes; empty: none was seen, or more than `values_max`.
  std::vector<std::string> values = {};

  /// How many words of a text are listed.
  static constexpr std::size_t values_max = 1000;

  bool operator==(const InputDomain&) const = default;
};

/// What is wrong with a value of an input by its domain, whether that is closed or not:
/// "must be one of the 16 words that training saw, not \"ZZ\""; nothing for a missing value, and
/// where the domain does not say.
std::optional<std::string> outside(const InputDomain& domain, ColumnKind kind, const Cell& cell);

/// A number as people write it, of dates and times as ISO texts.
std::string domain_text(ColumnKind kind, double number);

/// An error that names the first closed input whose value lies outside of its domain.
/// REQUIRES: as many of each.
Result<void> admit(std::span<const InputDomain> domains, std::span<const ColumnInput> inputs,
                   std::span<const Cell> cells);

}  // namespace pipelined::model
