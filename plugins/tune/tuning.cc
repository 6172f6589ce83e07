#include "plugins/tune/tuning.h"

#include <algorithm>

namespace pipelined::tune {
namespace {

using nlohmann::json;

const char* name_of(End end) {
  switch (end) {
    case End::goes_on: return "goes_on";
    case End::trials: return "trials";
    case End::patience: return "patience";
    case End::grid: return "grid";
    case End::space: return "space";
    case End::rungs: return "rungs";
  }
  return "";
}

json json_of(const Tuning& tuning, std::size_t trial, std::size_t rank) {
  const Tried& tried = tuning.trials[trial];
  const auto& metric = tried.trial.metric;
  return {{"rank", rank + 1},
          {"trial", trial + 1},
          {"state", metric ? "done" : tried.done ? "no_metric" : "failed"},
          {"metric", metric ? json(*metric) : json(nullptr)},
          {"rung", tried.trial.rung},
          {"parameters", tuning.chosen_values(trial)},
          {"element", tried.values},
          {"evaluation", tried.evaluation.empty() ? json(nullptr) : json(tried.evaluation)},
          {"chosen", rank == 0}};
}

constexpr std::size_t noted_max = 100;

}  // namespace

json ranking_note(const Tuning& tuning) {
  const std::vector<std::size_t> ranking = tuning.ranking();
  json ranks = json::array();
  for (std::size_t i = 0; i < std::min(noted_max, ranking.size()); ++i) {
    const Trial& trial = tuning.trials[ranking[i]].trial;
    ranks.push_back({{"trial", ranking[i] + 1},
                     {"value", trial.metric ? json(*trial.metric) : json(nullptr)},
                     {"rung", trial.rung},
                     {"parameters", tuning.chosen_values(ranking[i])}});
  }
  return {{"metric", tuning.search.metric},
          {"goal", name_of(tuning.search.goal)},
          {"trials", tuning.trials.size()},
          {"ranks", std::move(ranks)}};
}

std::vector<std::size_t> Tuning::ranking() const {
  std::vector<Trial> history;
  for (const Tried& tried : trials) history.push_back(tried.trial);
  return ranked(search, history);
}

json Tuning::chosen_values(std::size_t trial) const {
  const Trial& one = trials[trial].trial;
  json values = one.point;
  if (search.resource) values[search.resource->name] = search.resource->rungs[one.rung];
  return values;
}

std::string Tuning::sentence() const {
  if (stopped) return "its time was over before it was through, so it is not used again";
  switch (end) {
    case End::goes_on: break;
    case End::trials: return "all " + std::to_string(search.max) + " trials were made";
    case End::patience:
      return std::to_string(search.patience) + " trials in a row were no better than the best";
    case End::grid: return "every point of the grid was tried";
    case End::space: return "no point was found that had not been tried";
    case End::rungs: return "the highest rung was reached";
  }
  return "";
}

std::string tuning_json(const Tuning& tuning) {
  const Search& search = tuning.search;
  const std::vector<std::size_t> ranking = tuning.ranking();
  json trials = json::array();
  for (std::size_t i = 0; i < ranking.size(); ++i) trials.push_back(json_of(tuning, ranking[i], i));
  json document{{"strategy", name_of(search.strategy)},
                {"goal", name_of(search.goal)},
                {"metric", search.metric},
                {"slice", search.slice},
                {"seed", search.seed},
                {"max", search.max},
                {"parallel", search.parallel},
                {"space", tuning.space},
                {"ended", tuning.stopped ? "time" : name_of(tuning.end)},
                {"sentence", tuning.sentence()},
                {"stopped", tuning.stopped},
                {"chosen", trials.front()["element"]},
                {"trials", std::move(trials)}};
  if (search.resource) {
    document["resource"] = {{"name", search.resource->name},
                            {"rungs", search.resource->rungs},
                            {"factor", search.resource->factor}};
  }
  return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace pipelined::tune
