#include "plugins/common/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "plugins/common/html_report.h"

namespace pipelined {
namespace {

constexpr double width = 340, height = 120, tick_rows = 9, label_room = 16;
/// A single value is drawn this wide; nothing is drawn thinner.
constexpr double thinnest = 3;

std::string attribute(const char* name, double value) {
  char text[48];
  std::snprintf(text, sizeof text, " %s=\"%.1f\"", name, value);
  return text;
}

struct Scale {
  double low = INFINITY, high = -INFINITY, densest = 0;
  double x(double value) const { return high > low ? width * ((value - low) / (high - low)) : width / 2; }
};

/// A bucket's place on the axis and its share per pixel.
struct Placed {
  double left = 0, right = 0, density = 0;
};

double total_of(const ChartSide& side) {
  double total = 0;
  for (const ChartBucket& bucket : side.buckets) total += bucket.count;
  return total;
}

std::vector<Placed> place(const ChartSide& side, const Scale& scale) {
  std::vector<Placed> placed;
  const double total = total_of(side);
  for (const ChartBucket& bucket : side.buckets) {
    double left = scale.x(bucket.low), right = scale.x(bucket.high);
    if (right - left < thinnest) {
      const double middle = std::clamp((left + right) / 2, thinnest / 2, width - thinnest / 2);
      left = middle - thinnest / 2;
      right = middle + thinnest / 2;
    }
    placed.push_back({left, right, total > 0 ? bucket.count / total / (right - left) : 0});
  }
  return placed;
}

Scale scale_of(const std::vector<ChartSide>& sides) {
  Scale scale;
  for (const ChartSide& side : sides) {
    for (const ChartBucket& bucket : side.buckets) {
      scale.low = std::min(scale.low, bucket.low);
      scale.high = std::max(scale.high, bucket.high);
    }
  }
  for (const ChartSide& side : sides) {
    for (const Placed& bar : place(side, scale)) scale.densest = std::max(scale.densest, bar.density);
  }
  return scale;
}

std::string bars_of(const ChartSide& side, const Scale& scale) {
  std::string svg;
  for (const Placed& bar : place(side, scale)) {
    if (bar.density <= 0) continue;
    // What is there is seen, however little it is.
    const double tall = std::max(1.0, height * bar.density / scale.densest);
    svg += "<rect class=\"" + side.style + "\"" + attribute("x", bar.left) +
           attribute("y", height - tall) + attribute("width", bar.right - bar.left) +
           attribute("height", tall) + "/>";
  }
  return svg;
}

std::string ticks_of(const ChartSide& side, const Scale& scale, double top) {
  std::string svg;
  for (const double value : side.quantiles) {
    const double x = std::clamp(scale.x(value), 1.0, width - 1);
    svg += "<path class=\"tick " + side.style + "\" d=\"M";
    char text[64];
    std::snprintf(text, sizeof text, "%.1f %.1fv%.1f\"/>", x, top, tick_rows - 2);
    svg += text;
  }
  return svg;
}

}  // namespace

std::string svg_histogram(const std::vector<ChartSide>& sides, const std::string& label) {
  const Scale scale = scale_of(sides);
  if (!(scale.densest > 0)) return {};
  std::string body;
  double below = height + 3;
  for (const ChartSide& side : sides) body += bars_of(side, scale);
  body += "<path class=\"axis\" d=\"M0 120.5H340\"/>";
  for (const ChartSide& side : sides) {
    if (side.quantiles.empty()) continue;
    body += ticks_of(side, scale, below);
    below += tick_rows;
  }
  const double base = below + label_room - 4;
  body += "<text" + attribute("x", 0) + attribute("y", base) + ">" + readable(scale.low) + "</text>";
  if (scale.high > scale.low) {
    body += "<text class=\"end\"" + attribute("x", width) + attribute("y", base) + ">" +
            readable(scale.high) + "</text>";
  }
  char box[64];
  std::snprintf(box, sizeof box, "0 0 %.0f %.0f", width, below + label_room);
  return std::string("<svg role=\"img\" viewBox=\"") + box + "\"><title>" + html_escaped(label) +
         "</title>" + body + "</svg>";
}

}  // namespace pipelined
