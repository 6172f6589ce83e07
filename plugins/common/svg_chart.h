// Small drawings for reports: histograms of one or two sides on common axes, as inline SVG.
//
// Colours come from the page's style (classes `before` and `now`), so that they fit light, dark and
// paper.  Knows nothing of what is drawn.  Pure functions.
#pragma once

#include <string>
#include <vector>

namespace pipelined {

/// One bucket; a single value has low == high.
struct ChartBucket {
  double low = 0, high = 0, count = 0;
};

/// One side of a histogram.
struct ChartSide {
  std::string style;                  ///< "before" or "now"
  std::vector<ChartBucket> buckets;
  std::vector<double> quantiles;      ///< drawn as ticks below; may be empty
};

/// The sides over one another: the height of a bucket is the share of its side's rows per width.
/// Empty if no side has a bucket.  `label` says what it is for whoever cannot see it.
std::string svg_histogram(const std::vector<ChartSide>& sides, const std::string& label);

}  // namespace pipelined
