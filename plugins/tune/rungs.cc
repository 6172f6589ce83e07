#include "plugins/tune/rungs.h"

#include <algorithm>
#include <set>

namespace pipelined::tune {
namespace {

using nlohmann::json;

// One rung: which points are on it, and those with a metric, the best first.
struct Rung {
  std::size_t count = 0;
  std::set<std::string> points;
  std::vector<const Trial*> best;
};

std::vector<Rung> rungs_of(const Search& search, const std::vector<Trial>& history) {
  std::vector<Rung> rungs(search.resource->rungs.size());
  for (const Trial& trial : history) {
    Rung& rung = rungs[trial.rung];
    ++rung.count;
    rung.points.insert(name_of(trial.point));
    if (trial.metric) rung.best.push_back(&trial);
  }
  for (Rung& rung : rungs) {
    std::stable_sort(rung.best.begin(), rung.best.end(), [&](const Trial* one, const Trial* other) {
      return better(search.goal, *one->metric, *other->metric);
    });
  }
  return rungs;
}

json on_rung(const Search& search, json point, std::size_t rung) {
  point[search.resource->name] = search.resource->rungs[rung];
  return point;
}

// The first of the best `count` of a rung that is not yet on the next one.
std::optional<json> promoted(const std::vector<Rung>& rungs, std::size_t rung,
                             std::size_t count) {
  for (std::size_t i = 0; i < std::min(count, rungs[rung].best.size()); ++i) {
    json point = rungs[rung].best[i]->point;
    if (rungs[rung + 1].points.count(name_of(point)) == 0) return point;
  }
  return std::nullopt;
}

}  // namespace

Round halving_round(const Search& search, const std::vector<Trial>& history, std::size_t points,
                    std::size_t most, const NewPoint& new_point) {
  std::vector<Rung> rungs = rungs_of(search, history);
  Round round;
  while (round.elements.size() < most && rungs[0].count < points) {
    std::optional<json> point = new_point(rungs[0].count);
    if (!point) break;
    rungs[0].points.insert(name_of(*point));
    ++rungs[0].count;
    round.elements.push_back(on_rung(search, *std::move(point), 0));
  }
  // A rung begins when the one below it is complete.
  std::size_t size = points;
  for (std::size_t k = 1; round.elements.empty() && k < rungs.size(); ++k) {
    size /= search.resource->factor;
    while (round.elements.size() < most) {
      const std::optional<json> point = promoted(rungs, k - 1, size);
      if (!point) break;
      rungs[k].points.insert(name_of(*point));
      round.elements.push_back(on_rung(search, *point, k));
    }
  }
  if (round.elements.empty()) round.end = End::rungs;
  return round;
}

Round asha_round(const Search& search, const std::vector<Trial>& history, std::size_t most,
                 const NewPoint& new_point) {
  std::vector<Rung> rungs = rungs_of(search, history);
  Round round;
  std::size_t named = rungs[0].count;
  while (round.elements.size() < most) {
    std::optional<json> point;
    std::size_t rung = rungs.size() - 1;
    for (; rung > 0 && !point; --rung) {
      point = promoted(rungs, rung - 1, rungs[rung - 1].count / search.resource->factor);
      if (point) break;
    }
    if (!point) point = new_point(named);
    if (!point) break;
    if (rung == 0) ++named;
    rungs[rung].points.insert(name_of(*point));
    round.elements.push_back(on_rung(search, *std::move(point), rung));
  }
  if (round.elements.empty()) round.end = End::space;
  return round;
}

}  // namespace pipelined::tune
