// What a step of tune.search says, read and checked.
#include <algorithm>
#include <array>
#include <cmath>

#include "plugins/tune/search.h"

namespace pipelined::tune {
namespace {

using nlohmann::json;

constexpr std::array strategies{Strategy::grid, Strategy::random, Strategy::tpe, Strategy::halving,
                                Strategy::asha};

Error wrong(const std::string& name, const std::string& what) {
  return Error{ErrorCode::invalid, "parameter \"" + name + "\" " + what};
}

Result<std::size_t> count_of(const json& params, const std::string& name, std::size_t standard,
                             std::size_t least) {
  const auto value = params.find(name);
  if (value == params.end()) return standard;
  if (!value->is_number_integer() || value->get<std::int64_t>() < static_cast<std::int64_t>(least)) {
    return wrong(name, "must be a whole number from " + std::to_string(least));
  }
  return value->get<std::size_t>();
}

Result<Resource> read_resource(const json& table, const Space& space) {
  const std::string usage = "must be { name = \"rounds\", min = 10, max = 270, factor = 3 }";
  if (!table.is_object()) return wrong("resource", usage);
  for (const auto& [word, value] : table.items()) {
    if (word != "name" && word != "min" && word != "max" && word != "factor") {
      return wrong("resource." + word, "says nothing; it may have name, min, max and factor");
    }
  }
  const auto number = [&](const char* word) { return table.contains(word) && table[word].is_number(); };
  if (!table.contains("name") || !table["name"].is_string() || !number("min") || !number("max")) {
    return wrong("resource", usage);
  }
  Resource resource;
  resource.name = table["name"].get<std::string>();
  for (const Parameter& parameter : space.parameters) {
    if (parameter.name != resource.name) continue;
    return wrong("resource.name", "is \"" + resource.name + "\", which the space searches, too");
  }
  TRY(factor, count_of(table, "factor", 3, 2));
  resource.factor = factor;
  const double low = table["min"].get<double>(), high = table["max"].get<double>();
  if (!(low > 0) || !(low < high) || !std::isfinite(high)) {
    return wrong("resource", "must begin above 0 and end higher than it begins");
  }
  const bool whole = table["min"].is_number_integer() && table["max"].is_number_integer();
  double amount = low;
  while (amount < high) {
    resource.rungs.push_back(whole ? json(static_cast<std::int64_t>(std::round(amount)))
                                   : json(amount));
    amount *= static_cast<double>(resource.factor);
  }
  resource.rungs.push_back(whole ? table["max"] : json(high));
  return resource;
}

Result<void> read_tpe(const json& params, TpeSettings& settings) {
  TRY(startup, count_of(params, "startup", settings.startup, 1));
  TRY(candidates, count_of(params, "candidates", settings.candidates, 1));
  settings.startup = startup;
  settings.candidates = candidates;
  if (const auto good = params.find("good"); good != params.end()) {
    if (!good->is_number() || !(*good > 0) || !(*good < 1)) {
      return wrong("good", "must be above 0 and below 1: the share of trials that is good");
    }
    settings.good = good->get<double>();
  }
  return {};
}

Result<void> check_rungs(const Search& search) {
  const bool by_rungs = search.strategy == Strategy::halving || search.strategy == Strategy::asha;
  const std::string strategy = name_of(search.strategy);
  if (by_rungs != search.resource.has_value()) {
    return by_rungs ? wrong("resource", "is missing: " + strategy + " gives good trials more of "
                            "something, { name = \"rounds\", min = 10, max = 270 }")
                    : wrong("resource", "says nothing to strategy = \"" + strategy + "\"; take "
                            "\"asha\" or \"halving\"");
  }
  if (search.strategy != Strategy::halving) return {};
  if (search.patience > 0) {
    return wrong("patience", "says nothing to halving, whose rungs are laid out before it begins");
  }
  const std::size_t rungs = search.resource->rungs.size(), factor = search.resource->factor;
  double least = 0;
  for (std::size_t i = 0; i < rungs; ++i) least += std::pow(factor, i);
  if (static_cast<double>(search.max) >= least) return {};
  return wrong("generates.max", "is " + std::to_string(search.max) + "; " + std::to_string(rungs) +
                      " rungs of which one of " + std::to_string(factor) + " goes on take at least " +
                      std::to_string(static_cast<std::int64_t>(least)) + " trials");
}

}  // namespace

const char* name_of(Strategy strategy) {
  switch (strategy) {
    case Strategy::grid: return "grid";
    case Strategy::random: return "random";
    case Strategy::tpe: return "tpe";
    case Strategy::halving: return "halving";
    case Strategy::asha: return "asha";
  }
  return "";
}

const char* name_of(Goal goal) { return goal == Goal::maximise ? "maximise" : "minimise"; }

Result<Search> Search::read(const json& params, std::int64_t seed) {
  Search search;
  search.seed = seed;
  const auto text = [&](const char* name, const std::string& standard) {
    const auto value = params.find(name);
    return value != params.end() && value->is_string() ? value->get<std::string>() : standard;
  };
  TRY(space, Space::read(params.value("space", json())));
  search.space = std::move(space);
  const std::string strategy = text("strategy", "tpe");
  const auto found = std::find_if(strategies.begin(), strategies.end(),
                                  [&](Strategy one) { return strategy == name_of(one); });
  if (found == strategies.end()) {
    return wrong("strategy", "is \"" + strategy + "\"; it may be grid, random, tpe, halving or asha");
  }
  search.strategy = *found;
  const std::string goal = text("goal", "maximise");
  if (goal != "maximise" && goal != "minimise") {
    return wrong("goal", "is \"" + goal + "\"; it may be maximise or minimise");
  }
  search.goal = goal == "maximise" ? Goal::maximise : Goal::minimise;
  search.metric = text("metric", "");
  if (search.metric.empty()) {
    return wrong("metric", "is missing: it names the metric of the evaluations, auc for instance");
  }
  search.slice = text("slice", "");
  TRY(max, count_of(params, "generated_max", 0, 0));
  if (max == 0) {
    return Error{ErrorCode::invalid, "the step does not say how many trials there may be: "
                                     "generates = { max = 20, values = { … } }"};
  }
  TRY(parallel, count_of(params, "parallel", 1, 1));
  TRY(patience, count_of(params, "patience", 0, 0));
  search.max = max;
  search.parallel = parallel;
  search.patience = patience;
  TRY_VOID(read_tpe(params, search.tpe));
  if (const auto table = params.find("resource"); table != params.end() && !table->empty()) {
    TRY(resource, read_resource(*table, search.space));
    search.resource = std::move(resource);
  }
  TRY_VOID(check_rungs(search));
  return search;
}

Trial Search::trial_of(const json& element) const {
  Trial trial;
  trial.point = space.point_of(element);
  if (!resource || !element.contains(resource->name)) return trial;
  const auto& rungs = resource->rungs;
  const auto found = std::find(rungs.begin(), rungs.end(), element[resource->name]);
  if (found != rungs.end()) trial.rung = static_cast<std::size_t>(found - rungs.begin());
  return trial;
}

}  // namespace pipelined::tune
