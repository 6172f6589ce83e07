// statistics/1 as tables for people.
//
// Reads the JSON that `data.statistics` writes and passes over what it does not know, so that
// statistics of newer versions are shown too.  Knows no files.  Pure.
#pragma once

#include <string>

#include "cli/table.h"
#include "dag/result.h"
#include "dag/value.h"

namespace pipelined::cli {

/// The features of statistics, one a line.  REQUIRES: what `read_statistics` gave.
Table statistics_table(const Value& statistics, bool wide);

/// The features by slice, each after that of all rows; empty: there are no slices.
Table slices_table(const Value& statistics, bool wide);

/// The features of a comparison.json, what differs most first.
Table comparison_table(const Value& comparison, bool wide);

/// The text of a statistics.json, looked at far enough to be shown.
Result<Value> read_statistics(const std::string& text);

/// A number in at most six digits: "1234567", "0.0123", "1.5e+12"; a text as it is; nothing as "-".
std::string short_value(const Value& value);

/// "4.1 %" of a share; "-" of nothing.
std::string percent(double part, double whole);

}  // namespace pipelined::cli
