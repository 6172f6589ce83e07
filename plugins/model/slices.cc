#include "plugins/model/slices.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace pipelined::evaluation {
namespace {

// Places that cut the sorted numbers into parts of about equal size; fewer where values repeat.
std::vector<double> equal_parts(const std::vector<double>& numbers, std::size_t parts) {
  std::vector<double> sorted;
  for (const double number : numbers) {
    if (!std::isnan(number)) sorted.push_back(number);
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> edges;
  for (std::size_t part = 1; part < parts && !sorted.empty(); ++part) {
    const double edge = sorted[part * sorted.size() / parts];
    if (edge > sorted.front() && (edges.empty() || edge > edges.back())) edges.push_back(edge);
  }
  return edges;
}

std::string name_of_bucket(const std::vector<double>& edges, std::size_t bucket) {
  const std::string low = bucket > 0 ? shortest(edges[bucket - 1]) : "";
  return low + ".." + (bucket < edges.size() ? shortest(edges[bucket]) : "");
}

}  // namespace

SliceColumn cut(std::string name, const std::vector<double>& numbers, const Buckets& buckets) {
  std::vector<double> edges = buckets.edges;
  if (buckets.parts > 0) edges = equal_parts(numbers, buckets.parts);
  SliceColumn column;
  column.name = std::move(name);
  for (std::size_t bucket = 0; bucket <= edges.size(); ++bucket) {
    column.values.push_back(name_of_bucket(edges, bucket));
  }
  column.values.push_back(SliceColumn::missing);
  for (const double number : numbers) {
    const auto bucket = std::isnan(number)
                            ? edges.size() + 1
                            : static_cast<std::size_t>(
                                  std::upper_bound(edges.begin(), edges.end(), number) -
                                  edges.begin());
    column.of_row.push_back(static_cast<std::uint32_t>(bucket));
  }
  return column;
}

void sort_values(SliceColumn& column) {
  std::vector<std::uint32_t> order(column.values.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&](std::uint32_t left, std::uint32_t right) {
    return column.values[left] < column.values[right];
  });
  std::vector<std::uint32_t> place(order.size());
  std::vector<std::string> sorted;
  for (const std::uint32_t at : order) {
    place[at] = static_cast<std::uint32_t>(sorted.size());
    sorted.push_back(std::move(column.values[at]));
  }
  column.values = std::move(sorted);
  for (std::uint32_t& code : column.of_row) code = place[code];
}

Result<std::vector<Slice>> slices_of(const std::vector<const SliceColumn*>& columns) {
  std::map<std::vector<std::uint32_t>, std::vector<std::uint32_t>> found;
  std::vector<std::uint32_t> codes(columns.size());
  for (std::size_t row = 0; row < columns.front()->of_row.size(); ++row) {
    for (std::size_t i = 0; i < columns.size(); ++i) codes[i] = columns[i]->of_row[row];
    found[codes].push_back(static_cast<std::uint32_t>(row));
    if (found.size() <= slices_max) continue;
    std::string names;
    for (const SliceColumn* column : columns) names += (names.empty() ? "" : " and ") + column->name;
    return Error{ErrorCode::invalid,
                 "column \"" + names + "\" has more than " + std::to_string(slices_max) +
                     " values: too many for slices; cut numbers with the parameter \"buckets\""};
  }
  std::vector<Slice> slices;
  for (auto& [key, rows] : found) {
    std::string name;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      name += (i > 0 ? ", " : "") + columns[i]->name + "=" + columns[i]->values[key[i]];
    }
    slices.push_back({std::move(name), std::move(rows)});
  }
  return slices;
}

}  // namespace pipelined::evaluation
