// Lines over two axes as SVG, for reports.
//
// Draws what it is given: it knows nothing of metrics.  Colours come from the report's style.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pipelined {

/// One line; `strong` ones stand out, others are the background.
struct ChartLine {
  std::vector<std::pair<double, double>> points;
  bool strong = true;
  bool dots = false;  ///< marks each point
  bool joined = true; ///< a line through the points
};

/// What is drawn; both axes go from `low` to `high`.
struct LineChart {
  std::string title;  ///< for those who cannot see it
  std::string x_name, y_name;
  double x_low = 0, x_high = 1, y_low = 0, y_high = 1;
  std::vector<ChartLine> lines;  ///< the last stands in front
  bool x_log = false;            ///< equal factors of x are equally far; 0 < x_low
  std::vector<std::string> x_labels = {};  ///< what x = 0, 1, … are called; empty: by number
};

/// The picture.
std::string svg_of(const LineChart& chart);

/// One interval: a place, and from where to where.
struct ChartInterval {
  std::string name;
  double value = 0, low = 0, high = 0;
};

/// Intervals one below the other on one axis, with a line at `mark`.
std::string svg_of(const std::string& title, const std::vector<ChartInterval>& intervals,
                   double mark);

}  // namespace pipelined
