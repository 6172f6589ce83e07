#include "dag/graph.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <random>

using namespace pipelined;

namespace {

// Whether `order` has every node once and parents before children.
bool is_order(std::size_t count, const std::vector<Edge>& edges,
              const std::vector<std::uint32_t>& order) {
  std::vector<std::size_t> place(count, count);
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] >= count || place[order[i]] != count) return false;
    place[order[i]] = i;
  }
  if (order.size() != count) return false;
  for (const Edge& edge : edges) {
    if (place[edge.parent] >= place[edge.child]) return false;
  }
  return true;
}

bool is_cycle(const std::vector<Edge>& edges, const std::vector<std::uint32_t>& cycle) {
  if (cycle.empty()) return false;
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    const Edge wanted{cycle[i], cycle[(i + 1) % cycle.size()]};
    if (std::find(edges.begin(), edges.end(), wanted) == edges.end()) return false;
  }
  return true;
}

}  // namespace

//   3 → 0 → 1
//    ↘ 2 ↗
TEST_CASE("graph: parents come first, otherwise numbers rise", "[graph]") {
  const std::vector<Edge> edges = {{3, 0}, {0, 1}, {3, 2}, {2, 1}};
  const NodeOrder order = topological_order(4, edges);
  CHECK(order.order == std::vector<std::uint32_t>{3, 0, 2, 1});
  CHECK(order.cycle.empty());
  CHECK(topological_order(3, {}).order == std::vector<std::uint32_t>{0, 1, 2});
  CHECK(topological_order(0, {}).order.empty());
}

TEST_CASE("graph: a cycle is spelled out from its lowest node", "[graph]") {
  // 0 → 1 → 2 → 3 → 1, and 2 → 1 makes a shorter way round
  const std::vector<Edge> edges = {{0, 1}, {1, 2}, {2, 3}, {3, 1}, {2, 1}};
  const NodeOrder order = topological_order(4, edges);
  CHECK(order.order.empty());
  CHECK(order.cycle == std::vector<std::uint32_t>{1, 2});
  CHECK(topological_order(2, {{1, 1}}).cycle == std::vector<std::uint32_t>{1});
}

TEST_CASE("graph: one cycle of every knot", "[graph]") {
  const std::vector<Edge> edges = {{0, 1}, {1, 0}, {1, 2}, {3, 4}, {4, 5}, {5, 3}, {6, 6}};
  const auto cycles = find_cycles(7, edges);
  REQUIRE(cycles.size() == 3);
  CHECK(cycles[0] == std::vector<std::uint32_t>{0, 1});
  CHECK(cycles[1] == std::vector<std::uint32_t>{3, 4, 5});
  CHECK(cycles[2] == std::vector<std::uint32_t>{6});
  CHECK(find_cycles(3, {{0, 1}, {1, 2}, {0, 1}}).empty());
}

TEST_CASE("graph: random graphs have an order or a cycle, never both", "[graph]") {
  std::mt19937 random(7);
  int with_cycle = 0;
  for (int round = 0; round < 500; ++round) {
    const std::uint32_t count = 1 + static_cast<std::uint32_t>(random() % 20);
    std::vector<Edge> edges(random() % (2 * count));
    for (Edge& edge : edges) {
      edge = {static_cast<std::uint32_t>(random() % count),
              static_cast<std::uint32_t>(random() % count)};
      if (round % 2 == 0 && edge.parent >= edge.child) edge = {0, count - 1};
    }
    if (count == 1 && round % 2 == 0) edges.clear();
    const NodeOrder found = topological_order(count, edges);
    CHECK(find_cycles(count, edges).empty() == found.cycle.empty());
    if (found.cycle.empty()) {
      CHECK(is_order(count, edges, found.order));
    } else {
      ++with_cycle;
      CHECK(is_cycle(edges, found.cycle));
    }
  }
  CHECK(with_cycle > 50);
  CHECK(with_cycle < 260);
}

TEST_CASE("graph: what can be reached, along and against edges", "[graph]") {
  const std::vector<Edge> edges = {{0, 1}, {1, 2}, {3, 2}};
  CHECK(reachable(4, edges, {1}) == std::vector<bool>{false, true, true, false});
  CHECK(reachable(4, edges, {2}, true) == std::vector<bool>{true, true, true, true});
  CHECK(reachable(4, edges, {}) == std::vector<bool>(4));
}

TEST_CASE("graph: the longest way down from each node", "[graph]") {
  const std::vector<Edge> edges = {{0, 1}, {1, 2}, {0, 2}, {3, 2}};
  CHECK(depth_to_end(topological_order(4, edges).order, edges) ==
        std::vector<std::int64_t>{2, 1, 0, 1});
}

TEST_CASE("graph: long chains and wide fans take no recursion and little time", "[graph]") {
  constexpr std::uint32_t count = 100'000;
  std::vector<Edge> edges;
  for (std::uint32_t i = 1; i < count; ++i) edges.push_back({i, i - 1});  // against the numbers
  for (std::uint32_t i = 1; i < count; ++i) edges.push_back({count - 1, i - 1});
  const auto start = std::chrono::steady_clock::now();
  const NodeOrder order = topological_order(count, edges);
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(is_order(count, edges, order.order));
  CHECK(took < std::chrono::seconds(5));  // 0.1 s as released; the machine may be busy
  edges.push_back({0, count - 1});
  CHECK(topological_order(count, edges).cycle.size() >= 2);
}
