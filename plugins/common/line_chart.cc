#include "plugins/common/line_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "plugins/common/html_report.h"

namespace pipelined {
namespace {

constexpr double left = 58, right = 336, top = 8, bottom = 208;

std::string pixels(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// Short enough to stand beside an axis.
std::string tick(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value >= 1000 || value <= -1000 ? "%.0f" : "%.3g", value);
  return text;
}

std::string label(double x, double y, const std::string& text, const char* anchor) {
  return "<text x=\"" + pixels(x) + "\" y=\"" + pixels(y) + "\" text-anchor=\"" + anchor + "\">" +
         html_escaped(text) + "</text>";
}

// At most so many letters; whole ones.
std::string cut(const std::string& text, std::size_t letters) {
  std::size_t end = 0, count = 0;
  while (end < text.size() && count <= letters) {
    count += (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80 ? 0 : 1;
    if (count <= letters) ++end;
  }
  return end < text.size() ? text.substr(0, end) + "…" : text;
}

std::string straight(double x1, double y1, double x2, double y2, const char* kind) {
  return "<line class=\"" + std::string(kind) + "\" x1=\"" + pixels(x1) + "\" y1=\"" + pixels(y1) +
         "\" x2=\"" + pixels(x2) + "\" y2=\"" + pixels(y2) + "\"/>";
}

std::string opened(const std::string& title, double width, double height) {
  return "<svg role=\"img\" viewBox=\"0 0 " + pixels(width) + " " + pixels(height) + "\"><title>" +
         html_escaped(title) + "</title>";
}

// A place between `low` and `high` as a share; the middle if there is nothing between.
double share(double value, double low, double high) {
  return high > low ? std::clamp((value - low) / (high - low), 0.0, 1.0) : 0.5;
}

}  // namespace

std::string svg_of(const LineChart& chart) {
  const bool log = chart.x_log;
  const auto x_of = [&](double x) {
    return left + (right - left) * (log ? share(std::log(x), std::log(chart.x_low), std::log(chart.x_high))
                                        : share(x, chart.x_low, chart.x_high));
  };
  const auto y_of = [&](double y) {
    return bottom - (bottom - top) * share(y, chart.y_low, chart.y_high);
  };
  std::string svg = opened(chart.title, 360, 250);
  for (int i = 0; i <= 4; ++i) {
    const double x = log ? chart.x_low * std::pow(chart.x_high / chart.x_low, i / 4.0)
                         : chart.x_low + (chart.x_high - chart.x_low) * i / 4;
    const double y = chart.y_low + (chart.y_high - chart.y_low) * i / 4;
    svg += straight(left, y_of(y), right, y_of(y), "axis");
    svg += label(left - 6, y_of(y) + 4, tick(y), "end");
    if (chart.x_labels.empty()) svg += label(x_of(x), bottom + 20, tick(x), "middle");
  }
  for (std::size_t i = 0; i < chart.x_labels.size(); ++i) {
    const std::string name = cut(chart.x_labels[i], 40 / chart.x_labels.size());
    svg += label(x_of(static_cast<double>(i)), bottom + 20, name, "middle");
  }
  const bool many = chart.lines.size() > 3;
  for (const ChartLine& line : chart.lines) {
    std::string points, dots;
    const char* kind = line.strong ? "now" : "before";
    const char* thin = many && !line.strong ? " style=\"stroke-width:.6\"" : "";
    for (const auto& [x, y] : line.points) {
      points += pixels(x_of(x)) + "," + pixels(y_of(y)) + " ";
      if (!line.dots) continue;
      dots += "<circle class=\"" + std::string(kind) + "\" cx=\"" + pixels(x_of(x)) + "\" cy=\"" +
              pixels(y_of(y)) + "\" r=\"2.6\"/>";
    }
    if (line.joined) {
      svg += "<polyline class=\"tick " + std::string(kind) + "\"" + thin + " points=\"" + points + "\"/>";
    }
    svg += dots;
  }
  svg += label((left + right) / 2, bottom + 35, chart.x_name, "middle");
  svg += "<text transform=\"translate(10 " + pixels((top + bottom) / 2) +
         ") rotate(-90)\" text-anchor=\"middle\">" + html_escaped(chart.y_name) + "</text>";
  return svg + "</svg>";
}

std::string svg_of(const std::string& title, const std::vector<ChartInterval>& intervals,
                   double mark) {
  double low = mark, high = mark;
  for (const ChartInterval& one : intervals) {
    low = std::min({low, one.low, one.value});
    high = std::max({high, one.high, one.value});
  }
  const double begin = 216, end_x = 432, height = 16.0 * static_cast<double>(intervals.size()) + 28;
  const auto x_of = [&](double x) { return begin + (end_x - begin) * share(x, low, high); };
  std::string svg = opened(title, 440, height);
  svg += straight(x_of(mark), 2, x_of(mark), height - 22, "tick before");
  double y = 12;
  for (const ChartInterval& one : intervals) {
    svg += label(begin - 8, y + 4, cut(one.name, 34), "end");
    svg += straight(x_of(one.low), y, x_of(one.high), y, "tick now");
    svg += "<circle class=\"now\" cx=\"" + pixels(x_of(one.value)) + "\" cy=\"" + pixels(y) +
           "\" r=\"3\"><title>" + html_escaped(one.name + ": " + readable(one.value)) +
           "</title></circle>";
    y += 16;
  }
  svg += label(begin, height - 6, readable(low), "start") + label(end_x, height - 6, readable(high), "end");
  return svg + "</svg>";
}

}  // namespace pipelined
