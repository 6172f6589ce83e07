// How far apart two distributions are: the table of measures, and the measuring.
//
// Two sides of a feature are first brought side by side: value by value where statistics list all
// values, else bucket by bucket, both histograms spread over their common edges.  Each measure is a
// function of these shares.  docs/validation.md has the formulas with an example each.  Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/data/feature_facts.h"

namespace pipelined {

/// One value or interval with its share of each side.
struct PairedShare {
  std::string value;         ///< of values; empty for intervals
  double low = 0, high = 0;  ///< of numbers; low == high for a single one
  double before = 0, now = 0;
};

/// Two sides of a feature, aligned.
struct Pairing {
  std::vector<PairedShare> shares;  ///< numbers in their order
  std::vector<PairedShare> steps;   ///< of numbers with many values: cut at their quantiles too
  double rows_before = 0, rows_now = 0;
  bool values = false;       ///< value by value, with exact counts
  bool numbers = false;      ///< `low` and `high` mean something; dates and times count here
  bool approximate = false;  ///< only frequent values were known on a side
  /// What shares up to a value are taken from.
  const std::vector<PairedShare>& ordered() const { return steps.empty() ? shares : steps; }
  double deviation = 0;      ///< standard deviation before; 0 if it is not known
  double rank_error = 0;     ///< by how much a difference of shares up to a value may be off
};

/// Brings two sides together; a sentence why not when they cannot be compared at all.
Result<Pairing> pair_sides(const FeatureFacts& before, const FeatureFacts& now);

/// One measure: its name and what it needs.
struct Measure {
  const char* name;
  bool needs_values;    ///< not for numbers with many values
  bool needs_numbers;   ///< not for words
  bool fires_below;     ///< a p-value: small is suspicious
  bool by_rank;         ///< a difference of shares up to a value, which may be off by `rank_error`
  double (*compute)(const Pairing&);
};

/// All measures, in the order of the documentation.
const std::vector<Measure>& measures();

/// The names of all measures.
std::vector<std::string> measure_names();

/// The measure of that name; null if there is none.
const Measure* measure_named(const std::string& name);

/// What is used for a feature when nobody names a measure: l_infinity for values, jensen_shannon
/// for numbers with many values, dates and times.
const char* usual_measure(const Pairing& pairing);

/// One measured distance between two sides of a feature.
struct Distance {
  std::string measure;
  double value = 0;
  std::string largest;  ///< the value that differs most; empty for numbers, dates and times
  double share_before = 0, share_now = 0;  ///< of that value
  bool approximate = false;
  std::optional<double> error;  ///< of `ks`: by how much it may be off; nothing if it is exact
  double p = 1;  ///< how likely so large a difference is without a change
};

/// Why the measure cannot be taken of this pairing; empty if it can.
std::string obstacle(const Measure& measure, const Pairing& pairing);

/// Takes the measure; REQUIRES: obstacle() is empty.
Distance measure_distance(const Measure& measure, const Pairing& pairing);

/// All measures that make sense for the feature; a sentence why the sides cannot be compared.
Result<std::vector<Distance>> distances(const FeatureFacts& before, const FeatureFacts& now);

}  // namespace pipelined
