#include "plugins/tune/search.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "plugins/tune/rungs.h"

namespace pipelined::tune {
namespace {

using nlohmann::json;

// So often another point is drawn in place of one that was tried before.
constexpr int proposals_max = 20, draws_max = 1000;
constexpr std::size_t grid_max = 100'000;

// Points that were tried or named; a trial that is the same as another says nothing.
class Seen {
 public:
  explicit Seen(const std::vector<Trial>& history) {
    for (const Trial& trial : history) add(trial.point);
  }
  void add(const json& point) { names_.insert(name_of(point)); }
  bool has(const json& point) const { return names_.count(name_of(point)) > 0; }

 private:
  std::set<std::string> names_;
};

// A point drawn evenly that was not tried before.
std::optional<json> draw_new(const Search& search, Draws& draws, Seen& seen) {
  for (int i = 0; i < draws_max; ++i) {
    json point = search.space.draw(draws);
    if (seen.has(point)) continue;
    seen.add(point);
    return point;
  }
  return std::nullopt;
}

Round random_round(const Search& search, const std::vector<Trial>& history, std::size_t most) {
  Round round;
  Seen seen(history);
  while (round.elements.size() < most) {
    Draws draws(search.seed, history.size() + round.elements.size());
    auto point = draw_new(search, draws, seen);
    if (!point) break;
    round.elements.push_back(*std::move(point));
  }
  if (round.elements.empty()) round.end = End::space;
  return round;
}

Round tpe_round(const Search& search, const std::vector<Trial>& history, std::size_t most) {
  Round round;
  Seen seen(history);
  while (round.elements.size() < most) {
    const std::size_t place = history.size() + round.elements.size();
    Draws draws(search.seed, place);
    std::optional<json> point;
    if (place >= search.tpe.startup) {
      const Tpe tpe(search.space, search.goal, search.tpe, history, round.elements);
      for (int i = 0; i < proposals_max && !point; ++i) {
        json proposed = tpe.propose(draws, search.tpe.candidates);
        if (!seen.has(proposed)) point = std::move(proposed);
      }
    }
    if (point) seen.add(*point);
    else point = draw_new(search, draws, seen);
    if (!point) break;
    round.elements.push_back(*std::move(point));
  }
  if (round.elements.empty()) round.end = End::space;
  return round;
}

Result<Round> grid_round(const Search& search, const std::vector<Trial>& history,
                         std::size_t most) {
  TRY(points, search.space.grid(grid_max));
  if (points.size() > search.max) {
    return Error{ErrorCode::invalid, "the grid has " + std::to_string(points.size()) +
                                         " points and generates.max is " + std::to_string(search.max) +
                                         "; raise it, or name fewer values"};
  }
  Round round;
  for (std::size_t i = history.size(); i < points.size() && round.elements.size() < most; ++i) {
    round.elements.push_back(points[i]);
  }
  if (round.elements.empty()) round.end = End::grid;
  return round;
}

// Trials since the best of those that count was first reached; on rungs those of the highest.
bool out_of_patience(const Search& search, const std::vector<Trial>& history) {
  if (search.patience == 0) return false;
  const std::size_t top = search.resource ? search.resource->rungs.size() - 1 : 0;
  std::optional<double> best;
  std::size_t since = 0;
  for (const Trial& trial : history) {
    if (trial.rung != top) continue;
    ++since;
    if (!trial.metric || (best && !better(search.goal, *trial.metric, *best))) continue;
    best = trial.metric;
    since = 0;
  }
  return since >= search.patience;
}

}  // namespace

std::size_t points_of_halving(std::size_t max, std::size_t rungs, std::size_t factor) {
  const auto trials = [&](std::size_t points) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < rungs; ++i, points /= factor) sum += points;
    return sum;
  };
  std::size_t points = max;
  while (points > 0 && trials(points) > max) --points;
  return points;
}

Result<Round> next_round(const Search& search, const std::vector<Trial>& history) {
  if (out_of_patience(search, history)) return Round{{}, End::patience};
  if (search.strategy == Strategy::grid) return grid_round(search, history, search.parallel);
  const bool halving = search.strategy == Strategy::halving;  // its rungs take no more than `max`
  if (!halving && history.size() >= search.max) return Round{{}, End::trials};
  const std::size_t most =
      halving ? search.parallel : std::min(search.parallel, search.max - history.size());
  if (search.strategy == Strategy::random) return random_round(search, history, most);
  if (search.strategy == Strategy::tpe) return tpe_round(search, history, most);
  Seen seen(history);
  const NewPoint new_point = [&](std::size_t place) {
    Draws draws(search.seed, place);
    return draw_new(search, draws, seen);
  };
  if (search.strategy == Strategy::asha) return asha_round(search, history, most, new_point);
  const std::size_t points = points_of_halving(search.max, search.resource->rungs.size(),
                                               search.resource->factor);
  return halving_round(search, history, points, most, new_point);
}

std::vector<std::size_t> ranked(const Search& search, const std::vector<Trial>& history) {
  std::vector<std::size_t> order(history.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
    const Trial &a = history[one], &b = history[other];
    if (a.metric.has_value() != b.metric.has_value()) return a.metric.has_value();
    if (!a.metric) return false;
    if (a.rung != b.rung) return a.rung > b.rung;
    return better(search.goal, *a.metric, *b.metric);
  });
  return order;
}

}  // namespace pipelined::tune
