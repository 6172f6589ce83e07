#include "dag/graph.h"

#include <algorithm>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/graph/topological_sort.hpp>
#include <deque>
#include <unordered_map>

namespace pipelined {
namespace {

using Node = std::uint32_t;
using Adjacency =
    boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property,
                                       boost::no_property, std::uint32_t, std::uint32_t>;

Adjacency adjacency(std::size_t count, const std::vector<Edge>& edges, bool backwards) {
  std::vector<std::pair<Node, Node>> pairs;
  pairs.reserve(edges.size());
  for (const Edge& edge : edges) {
    if (backwards) {
      pairs.emplace_back(edge.child, edge.parent);
    } else {
      pairs.emplace_back(edge.parent, edge.child);
    }
  }
  // Sorted, so that walks do not depend on the order in which edges were found.
  std::sort(pairs.begin(), pairs.end());
  return Adjacency(boost::edges_are_sorted, pairs.begin(), pairs.end(),
                   static_cast<std::uint32_t>(count));
}

// A shortest way from `start` back to itself among nodes of its component; empty if there is none.
std::vector<Node> cycle_through(const Adjacency& graph, Node start,
                                const std::vector<std::uint32_t>& component) {
  std::unordered_map<Node, Node> came_from;  // small knots must not cost the whole graph
  std::deque<Node> queue{start};
  while (!queue.empty()) {
    const Node node = queue.front();
    queue.pop_front();
    for (auto [edge, end] = boost::out_edges(node, graph); edge != end; ++edge) {
      const Node next = boost::target(*edge, graph);
      if (next == start) {
        std::vector<Node> cycle;
        for (Node back = node; back != start; back = came_from[back]) cycle.push_back(back);
        cycle.push_back(start);
        std::reverse(cycle.begin(), cycle.end());
        return cycle;
      }
      if (component[next] != component[start]) continue;
      if (came_from.emplace(next, node).second) queue.push_back(next);
    }
  }
  return {};
}

std::vector<std::vector<Node>> cycles_of(const Adjacency& graph, std::size_t at_most) {
  const std::size_t count = boost::num_vertices(graph);
  std::vector<std::uint32_t> component(count);
  const auto index = boost::get(boost::vertex_index, graph);
  const std::size_t components = boost::strong_components(
      graph, boost::make_iterator_property_map(component.begin(), index));
  std::vector<std::uint32_t> size(components);
  for (const std::uint32_t c : component) ++size[c];
  std::vector<bool> done(components);
  std::vector<std::vector<Node>> cycles;
  for (Node node = 0; node < count && cycles.size() < at_most; ++node) {
    const std::uint32_t c = component[node];
    if (done[c] || (size[c] == 1 && !boost::edge(node, node, graph).second)) continue;
    done[c] = true;
    cycles.push_back(cycle_through(graph, node, component));
  }
  return cycles;
}

}  // namespace

NodeOrder topological_order(std::size_t count, const std::vector<Edge>& edges) {
  NodeOrder result;
  // The library walks in depth and lists a node when all that it points at is listed.  On edges from
  // child to parent that lists parents first, and begins at the lowest numbers.
  const Adjacency graph = adjacency(count, edges, true);
  result.order.reserve(count);
  try {
    boost::topological_sort(graph, std::back_inserter(result.order),
                            boost::vertex_index_map(boost::get(boost::vertex_index, graph)));
  } catch (const boost::not_a_dag&) {
    result.order.clear();
    result.cycle = cycles_of(adjacency(count, edges, false), 1).front();
  }
  return result;
}

std::vector<std::vector<Node>> find_cycles(std::size_t count, const std::vector<Edge>& edges) {
  return cycles_of(adjacency(count, edges, false), count);
}

std::vector<bool> reachable(std::size_t count, const std::vector<Edge>& edges,
                            const std::vector<Node>& from, bool backwards) {
  const Adjacency graph = adjacency(count, edges, backwards);
  std::vector<bool> reached(count);
  std::vector<Node> stack;
  const auto visit = [&](Node node) {
    if (reached[node]) return;
    reached[node] = true;
    stack.push_back(node);
  };
  for (const Node node : from) visit(node);
  while (!stack.empty()) {
    const Node node = stack.back();
    stack.pop_back();
    for (auto [edge, end] = boost::out_edges(node, graph); edge != end; ++edge) {
      visit(boost::target(*edge, graph));
    }
  }
  return reached;
}

std::vector<std::int64_t> depth_to_end(const std::vector<Node>& order,
                                       const std::vector<Edge>& edges) {
  const Adjacency graph = adjacency(order.size(), edges, false);
  std::vector<std::int64_t> depth(order.size());
  for (auto node = order.rbegin(); node != order.rend(); ++node) {
    for (auto [edge, end] = boost::out_edges(*node, graph); edge != end; ++edge) {
      depth[*node] = std::max(depth[*node], depth[boost::target(*edge, graph)] + 1);
    }
  }
  return depth;
}

}  // namespace pipelined
