// Directed graphs of numbered nodes: orders, cycles, reachability.
//
// The only door to the graph library, which stays inside graph.cc.  Nodes are the numbers
// 0 … count-1; what they stand for is the caller's business.  Pure functions, any thread, linear in
// nodes and edges, no recursion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pipelined {

/// From a parent to a child: the parent comes first.
struct Edge {
  std::uint32_t parent = 0, child = 0;
  bool operator==(const Edge&) const = default;
};

/// Parents before children, or one cycle that makes this impossible.
struct NodeOrder {
  std::vector<std::uint32_t> order;  ///< every node once; empty when there is a cycle
  std::vector<std::uint32_t> cycle;  ///< a shortest one through its lowest node: each the parent of
                                     ///< the next, the last of the first; empty: there is none
};

/// An order in which nodes keep to their numbers as far as edges let them; the same for the same
/// arguments.  REQUIRES: edges name nodes below `count`.  An edge twice is harmless.
NodeOrder topological_order(std::size_t count, const std::vector<Edge>& edges);

/// One cycle of every knot of nodes that reach one another, lowest node first; empty when the graph
/// has none.
std::vector<std::vector<std::uint32_t>> find_cycles(std::size_t count,
                                                    const std::vector<Edge>& edges);

/// Which nodes can be reached from `from` along edges (`backwards`: against them); those included.
std::vector<bool> reachable(std::size_t count, const std::vector<Edge>& edges,
                            const std::vector<std::uint32_t>& from, bool backwards = false);

/// Nodes on the longest path from each node down to a leaf, itself not counted.  REQUIRES: `order`
/// is a topological order of the same graph.
std::vector<std::int64_t> depth_to_end(const std::vector<std::uint32_t>& order,
                                       const std::vector<Edge>& edges);

}  // namespace pipelined
