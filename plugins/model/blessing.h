// The blessing of a model: what was required of its metrics, and whether it holds.
//
// A requirement names a metric and slices; it bounds the value, or how much better than the baseline
// it is.  A metric or slice that is not there fails it.  Without a baseline only values are judged,
// and the blessing says so.  Knows nothing of files, ports or how metrics were computed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/model/intervals.h"

namespace pipelined::evaluation {

/// One number of an evaluation.
struct Metric {
  std::string name;                 ///< "auc", "precision", "recall_ratio", …
  std::string slice;                ///< "" for all rows, else "origin=JFK"
  std::optional<double> value;      ///< nothing: not defined for these rows
  std::optional<double> threshold;  ///< of metrics that call rows positive from it on
  std::optional<Interval> interval;
  std::optional<double> baseline;    ///< the value of the baseline on the same rows
  std::optional<double> difference;  ///< value less baseline
  std::optional<Interval> difference_interval;
};

/// What is asked of a metric.
struct Requirement {
  std::string metric;
  std::string slice;                ///< "" all rows; "*" every slice; "origin=*" each of a column
  std::optional<double> threshold;  ///< nothing: the first of the evaluation, if it has one
  std::optional<double> min, max;   ///< bounds of the value, both allowed
  std::optional<double> gain;           ///< at least so much better than the baseline; may be < 0
  std::optional<double> gain_relative;  ///< the same in units of the baseline's value
  std::optional<bool> higher_is_better;  ///< nothing: known from the metric's name
  bool sure = false;  ///< the worse end of the interval must do, not the value

  bool compares() const { return gain.has_value() || gain_relative.has_value(); }
};

/// One comparison of a requirement with a number.
struct Judgement {
  bool passed = false;
  std::string metric, slice;
  std::string sentence;
};

struct Blessing {
  bool blessed = false;
  std::string sentence;  ///< in one line, for people
  std::vector<Judgement> judgements;
};

/// Whether larger values of a metric are better; nothing if neither is (score_mean).
std::optional<bool> higher_is_better(const std::string& metric);

/// What an evaluation's baseline is.
struct Baseline {
  bool given = false;
  std::string unusable;  ///< why the given one cannot be compared; "" if it can
};

/// Judges all requirements; `columns` are the slices' columns, for those that never occurred.
Blessing judged(const std::vector<Requirement>& requirements, const std::vector<Metric>& metrics,
                const Baseline& baseline, std::optional<double> first_threshold);

}  // namespace pipelined::evaluation
