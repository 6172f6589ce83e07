// Answers questions about searches, one JSON object a line, for the oracle in Python.
//
//   {"params": {…}, "seed": 1, "history": [{"values": {…}, "metric": 0.5}, …], "pending": [{…}, …],
//    "ask": "next" | "scores" | "draws" | "page", "points": [{…}, …], "count": 1000}
//
// next: the elements of the next round, and why there are none; scores: log l - log g of the points;
// draws: so many points drawn from l, or evenly; page: of the search as if it had ended.
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "plugins/tune/tuning.h"

namespace {

using namespace pipelined;
using nlohmann::json;

std::vector<tune::Trial> history_of(const tune::Search& search, const json& list) {
  std::vector<tune::Trial> history;
  for (const json& entry : list) {
    history.push_back(search.trial_of(entry["values"]));
    if (entry["metric"].is_number()) history.back().metric = entry["metric"].get<double>();
  }
  return history;
}

json answer(const json& question) {
  const auto search = tune::Search::read(question["params"], question["seed"].get<std::int64_t>());
  if (!search) return {{"error", search.error().message}};
  const auto history = history_of(*search, question["history"]);
  if (question["ask"] == "next") {
    const auto round = tune::next_round(*search, history);
    if (!round) return {{"error", round.error().message}};
    return {{"elements", round->elements}, {"end", static_cast<int>(round->end)}};
  }
  if (question["ask"] == "page") {
    tune::Tuning tuning{*search, question["params"]["space"], {}, tune::End::trials, false};
    for (std::size_t i = 0; i < history.size(); ++i) {
      tuning.trials.push_back({history[i], question["history"][i]["values"],
                               history[i].metric.has_value(), ""});
    }
    return {{"page", tune::tuning_page(tuning, "How <late> flights were searched")}};
  }
  const tune::Tpe tpe(search->space, search->goal, search->tpe, history,
                      question.value("pending", std::vector<json>()));
  json list = json::array();
  if (question["ask"] == "scores") {
    for (const json& point : question["points"]) list.push_back(tpe.score(point));
    return {{"scores", std::move(list)}};
  }
  tune::Draws draws(search->seed, 0);
  for (int i = 0; i < question["count"].get<int>(); ++i) {
    list.push_back(history.empty() ? search->space.draw(draws) : tpe.draw(draws));
  }
  return {{"points", std::move(list)}};
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << answer(json::parse(line)).dump() << std::endl;
  }
}
