#include "tests/sim/scenario.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <sstream>
#include <utility>

namespace pipelined::sim {
namespace {

constexpr const char* first_line = "# pipelined-sim scenario 1";

constexpr std::pair<const char*, PlantedBug> bugs[] = {
    {"count_faults", PlantedBug::count_faults},
    {"forget_acceptance", PlantedBug::forget_acceptance},
    {"cache_failures", PlantedBug::cache_failures},
    {"double_fire", PlantedBug::double_fire},
    {"skip_halted_span", PlantedBug::skip_halted_span},
};

using Names = std::vector<std::string>;

/// The names without the piece [from, to).
Names without(const Names& names, std::size_t from, std::size_t to) {
  Names rest(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(from));
  rest.insert(rest.end(), names.begin() + static_cast<std::ptrdiff_t>(to), names.end());
  return rest;
}

/// Zeller's delta debugging: pieces are taken away, halves first, down to single names.
Names reduce(Names names, const std::function<bool(const Names&)>& still) {
  std::size_t pieces = 2;
  while (names.size() >= 1) {
    const std::size_t size = std::max<std::size_t>(1, names.size() / pieces);
    bool smaller = false;
    for (std::size_t from = 0; from < names.size();) {
      const std::size_t to = std::min(names.size(), from + size);
      Names fewer = without(names, from, to);
      if (still(fewer)) {
        names = std::move(fewer);
        smaller = true;
      } else {
        from = to;
      }
    }
    if (size == 1 && !smaller) break;
    if (!smaller || pieces < names.size()) pieces = std::min(pieces * 2, std::max<std::size_t>(1, names.size()));
  }
  return names;
}

}  // namespace

const char* name_of(PlantedBug planted) {
  for (const auto& [name, bug] : bugs) {
    if (bug == planted) return name;
  }
  return "none";
}

std::optional<PlantedBug> planted_bug(const std::string& name) {
  for (const auto& [known, bug] : bugs) {
    if (name == known) return bug;
  }
  return std::nullopt;
}

std::vector<PlantedBug> planted_bugs() {
  std::vector<PlantedBug> all;
  for (const auto& entry : bugs) all.push_back(entry.second);
  return all;
}

std::string text_of(const Scenario& scenario, const std::vector<Happening>& comments,
                    const std::string& sentence) {
  std::map<std::string, std::string> said;
  for (const Happening& happening : comments) said[happening.name] = happening.what;
  std::string text = std::string(first_line) + "\n";
  if (!sentence.empty()) text += "# " + sentence + "\n";
  text += "seed " + std::to_string(scenario.seed) + "\n";
  if (scenario.planted != PlantedBug::none) {
    text += std::string("planted ") + name_of(scenario.planted) + "\n";
  }
  for (const std::string& step : scenario.without) text += "without " + step + "\n";
  if (!scenario.keep) return text;
  text += "only\n";
  std::vector<std::string> written;
  for (const Happening& happening : comments) {  // in the order in which they happened
    if (!scenario.keep->contains(happening.name)) continue;
    text += "keep " + happening.name + "  # " + happening.what + "\n";
    written.push_back(happening.name);
  }
  for (const std::string& name : *scenario.keep) {
    if (std::find(written.begin(), written.end(), name) == written.end()) text += "keep " + name + "\n";
  }
  return text;
}

Result<Scenario> parse_scenario(const std::string& text) {
  Scenario scenario;
  std::stringstream lines(text);
  std::string line;
  const auto wrong = [&line](const char* why) {
    return Error{ErrorCode::invalid, "reading a scenario: the line \"" + line + "\" " + why};
  };
  if (!std::getline(lines, line) || line != first_line) return wrong("is not the first of a scenario");
  while (std::getline(lines, line)) {
    std::string content = line.substr(0, line.starts_with('#') ? 0 : line.find("  # "));
    if (content.empty()) continue;
    const std::size_t blank = content.find(' ');
    const std::string word = content.substr(0, blank);
    const std::string rest = blank == std::string::npos ? "" : content.substr(blank + 1);
    if (word == "seed" && !rest.empty()) {
      scenario.seed = std::strtoull(rest.c_str(), nullptr, 10);
    } else if (word == "planted") {
      const auto bug = planted_bug(rest);
      if (!bug) return wrong("names no bug that can be planted");
      scenario.planted = *bug;
    } else if (word == "without" && !rest.empty()) {
      scenario.without.insert(rest);
    } else if (word == "only") {
      scenario.keep.emplace();
    } else if (word == "keep" && scenario.keep && !rest.empty()) {
      scenario.keep->insert(rest);
    } else {
      return wrong("is not understood");
    }
  }
  return scenario;
}

Scenario shrink(const Scenario& scenario, const std::function<Lived(const Scenario&)>& live,
                int lives_max) {
  Scenario best = scenario;
  int lives = 0;
  const auto violates = [&](const Scenario& tried) {
    return ++lives <= lives_max && !live(tried).sentence.empty();
  };
  const Lived first = live(scenario);
  for (const std::string& step : first.steps) {
    Scenario tried = best;
    tried.without.insert(step);
    if (violates(tried)) best = std::move(tried);
  }
  Names names;
  for (const Happening& happening : live(best).happened) names.push_back(happening.name);
  names = reduce(std::move(names), [&](const Names& fewer) {
    Scenario tried = best;
    tried.keep = std::set<std::string>(fewer.begin(), fewer.end());
    return violates(tried);
  });
  Scenario reduced = best;
  reduced.keep = std::set<std::string>(names.begin(), names.end());
  if (!live(reduced).sentence.empty()) best = std::move(reduced);
  // With less happening, more steps may have become needless.
  for (const std::string& step : first.steps) {
    Scenario tried = best;
    if (!tried.without.insert(step).second) continue;
    if (violates(tried)) best = std::move(tried);
  }
  return best;
}

}  // namespace pipelined::sim
