#include "plugins/tune/space.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <optional>
#include <set>

namespace pipelined::tune {
namespace {

using nlohmann::json;

Error wrong(const std::string& name, const std::string& what) {
  return Error{ErrorCode::invalid, "parameter \"space." + name + "\" " + what};
}

// Six significant digits: what is recorded, printed and typed again is the same number.
double rounded(double value) {
  std::array<char, 32> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value,
                                          std::chars_format::scientific, 5);
  double read = value;
  if (error == std::errc()) std::from_chars(text.data(), end, read);
  return read;
}

// 1 for strings, 2 for numbers, 3 for flags; 0: nothing that a step's parameter is tuned to.
int kind_of(const json& value) {
  if (value.is_string()) return 1;
  if (value.is_number()) return std::isfinite(value.get<double>()) ? 2 : 0;
  return value.is_boolean() ? 3 : 0;
}

Result<std::vector<json>> read_choices(const std::string& name, const json& list) {
  if (!list.is_array() || list.empty()) return wrong(name + ".choices", "must be a list of values");
  std::vector<json> choices;
  bool real = false;
  for (const json& value : list) {
    if (kind_of(value) == 0 || kind_of(value) != kind_of(list[0])) {
      return wrong(name + ".choices", "must hold strings, numbers or flags, all of one kind");
    }
    real = real || value.is_number_float();
    choices.push_back(value);
  }
  std::set<std::string> seen;
  for (json& value : choices) {
    if (real) value = value.get<double>();
    if (!seen.insert(value.dump()).second) {
      return wrong(name + ".choices", "names " + value.dump() + " twice");
    }
  }
  return choices;
}

Result<void> read_range(Parameter& parameter, const json& range, bool whole) {
  const std::string word = whole ? "integers" : "range";
  const auto number = [&](const json& value) {
    return whole ? value.is_number_integer() : value.is_number();
  };
  if (!range.is_array() || range.size() != 2 || !number(range[0]) || !number(range[1])) {
    return wrong(parameter.name + "." + word,
                 whole ? "must be two whole numbers, the lowest and the highest: [2, 8]"
                       : "must be two numbers, the lowest and the highest: [0.01, 0.3]");
  }
  parameter.low = range[0].get<double>();
  parameter.high = range[1].get<double>();
  if (!std::isfinite(parameter.low) || !std::isfinite(parameter.high) ||
      !(parameter.low < parameter.high)) {
    return wrong(parameter.name + "." + word, "must go from a lower to a higher finite number");
  }
  if (whole && (parameter.low < -9e15 || parameter.high > 9e15)) {
    return wrong(parameter.name + "." + word, "must stay within 9e15 on both sides of 0");
  }
  if (parameter.log && !(parameter.low > 0)) {
    return wrong(parameter.name + "." + word, "must begin above 0 where log = true");
  }
  return {};
}

Result<Parameter> read_parameter(const std::string& name, const json& entry) {
  if (!entry.is_object()) {
    return wrong(name, "must be a table: { range = [0.01, 0.3] }, { integers = [2, 8] } or "
                       "{ choices = [\"a\", \"b\"] }");
  }
  static const std::set<std::string> words{"range", "integers", "choices", "log", "points", "when"};
  for (const auto& [word, value] : entry.items()) {
    if (words.count(word) > 0) continue;
    return wrong(name, "has \"" + word + "\"; it may have range, integers, choices, log, points "
                       "and when");
  }
  if (entry.count("range") + entry.count("integers") + entry.count("choices") != 1) {
    return wrong(name, "must have one of range, integers and choices");
  }
  Parameter parameter;
  parameter.name = name;
  if (entry.contains("log")) {
    if (!entry["log"].is_boolean()) return wrong(name + ".log", "must be true or false");
    parameter.log = entry["log"].get<bool>();
  }
  if (entry.contains("points")) {
    if (!entry["points"].is_number_integer() || entry["points"] < 2) {
      return wrong(name + ".points", "must be a whole number from 2: so many values in a grid");
    }
    parameter.points = entry["points"].get<std::int64_t>();
  }
  if (entry.contains("choices")) {
    if (entry.contains("log") || entry.contains("points")) {
      return wrong(name, "has choices, so log and points say nothing");
    }
    parameter.kind = Kind::choice;
    TRY(choices, read_choices(name, entry["choices"]));
    parameter.choices = std::move(choices);
    parameter.high = static_cast<double>(parameter.choices.size()) - 1;
    return parameter;
  }
  const bool whole = entry.contains("integers");
  parameter.kind = whole ? Kind::integer : Kind::real;
  TRY_VOID(read_range(parameter, entry[whole ? "integers" : "range"], whole));
  return parameter;
}

// The index of a choice; numbers are compared as numbers.
std::optional<std::size_t> choice_of(const Parameter& parameter, const json& value) {
  for (std::size_t i = 0; i < parameter.choices.size(); ++i) {
    if (parameter.choices[i] == value) return i;
  }
  return std::nullopt;
}

Result<std::vector<Condition>> read_conditions(const std::string& name, const json& when,
                                               const std::vector<Parameter>& before) {
  if (!when.is_object() || when.empty()) {
    return wrong(name + ".when", "must name another parameter and its values: "
                                 "{ penalty = [\"l1\", \"both\"] }");
  }
  std::vector<Condition> conditions;
  for (const auto& [other, values] : when.items()) {
    const auto named = [&](const Parameter& parameter) { return parameter.name == other; };
    const auto found = std::find_if(before.begin(), before.end(), named);
    if (found->kind != Kind::choice) {
      return wrong(name + ".when", "hangs on \"" + other + "\", which has no choices: only a "
                                   "parameter with choices can be hung on");
    }
    Condition condition;
    condition.parameter = static_cast<std::size_t>(found - before.begin());
    for (const json& value : values.is_array() ? values : json::array({values})) {
      const auto choice = choice_of(*found, value);
      if (!choice) {
        return wrong(name + ".when", "asks for " + value.dump() + ", which is none of the choices "
                                     "of \"" + other + "\"");
      }
      condition.choices.push_back(*choice);
    }
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

// Whether everything that the entry hangs on stands in `before`.
bool can_follow(const json& entry, const std::set<std::string>& before) {
  if (!entry.is_object() || !entry.contains("when") || !entry["when"].is_object()) return true;
  for (const auto& [other, values] : entry["when"].items()) {
    if (before.count(other) == 0) return false;
  }
  return true;
}

}  // namespace

double Parameter::axis_low() const {
  const double edge = kind == Kind::integer ? low - 0.5 : low;
  return log ? std::log(edge) : edge;
}

double Parameter::axis_high() const {
  const double edge = kind == Kind::integer ? high + 0.5 : high;
  return log ? std::log(edge) : edge;
}

double Parameter::on_axis(const json& value) const {
  if (kind == Kind::choice) return static_cast<double>(choice_of(*this, value).value_or(0));
  return log ? std::log(value.get<double>()) : value.get<double>();
}

json Parameter::at(double place) const {
  if (kind == Kind::choice) {
    return choices[static_cast<std::size_t>(std::clamp(std::round(place), low, high))];
  }
  const double value = log ? std::exp(place) : place;
  if (kind == Kind::integer) {
    return static_cast<std::int64_t>(std::clamp(std::round(value), low, high));
  }
  return std::clamp(rounded(value), low, high);
}

Result<Space> Space::read(const json& table) {
  if (!table.is_object() || table.empty()) {
    return Error{ErrorCode::invalid, "parameter \"space\" must be a table of what is searched: "
                                     "space.learning_rate = { range = [0.01, 0.3], log = true }"};
  }
  Space space;
  std::set<std::string> before;
  while (before.size() < table.size()) {
    const std::size_t count = before.size();
    for (const auto& [name, entry] : table.items()) {
      if (before.count(name) > 0 || !can_follow(entry, before)) continue;
      TRY(parameter, read_parameter(name, entry));
      if (entry.contains("when")) {
        TRY(conditions, read_conditions(name, entry["when"], space.parameters));
        parameter.when = std::move(conditions);
      }
      space.parameters.push_back(std::move(parameter));
      before.insert(name);
    }
    if (before.size() > count) continue;
    for (const auto& [name, entry] : table.items()) {
      if (before.count(name) > 0) continue;
      return wrong(name + ".when", "hangs on what is no parameter of the space, or on itself");
    }
  }
  return space;
}

bool Space::is_active(const Parameter& parameter, const json& point) const {
  return std::all_of(parameter.when.begin(), parameter.when.end(), [&](const Condition& condition) {
    const Parameter& other = parameters[condition.parameter];
    const auto value = point.find(other.name);
    if (value == point.end()) return false;
    const auto choice = static_cast<std::size_t>(other.on_axis(*value));
    return std::find(condition.choices.begin(), condition.choices.end(), choice) !=
           condition.choices.end();
  });
}

json Space::point_of(const json& values) const {
  json point = json::object();
  for (const Parameter& parameter : parameters) {
    const auto value = values.find(parameter.name);
    if (value == values.end() || !is_active(parameter, point)) continue;
    switch (parameter.kind) {
      case Kind::choice: point[parameter.name] = parameter.at(parameter.on_axis(*value)); break;
      case Kind::integer: point[parameter.name] = value->get<std::int64_t>(); break;
      case Kind::real: point[parameter.name] = value->get<double>(); break;
    }
  }
  return point;
}

json Space::draw(Draws& draws) const {
  json point = json::object();
  for (const Parameter& parameter : parameters) {
    const double share = draws.share();  // also of what is not active: the others stay as they are
    if (!is_active(parameter, point)) continue;
    if (parameter.kind == Kind::choice) {
      const auto count = static_cast<double>(parameter.choices.size());
      point[parameter.name] = parameter.choices[static_cast<std::size_t>(share * count)];
      continue;
    }
    const double low = parameter.axis_low(), high = parameter.axis_high();
    point[parameter.name] = parameter.at(low + (high - low) * share);
  }
  return point;
}

std::vector<json> grid_values(const Parameter& parameter) {
  if (parameter.kind == Kind::choice) return parameter.choices;
  std::vector<json> values;
  const bool every = parameter.kind == Kind::integer && parameter.points == 0;
  const double points = every ? parameter.high - parameter.low + 1
                              : static_cast<double>(parameter.points);
  const double low = parameter.log && !every ? std::log(parameter.low) : parameter.low;
  const double high = parameter.log && !every ? std::log(parameter.high) : parameter.high;
  for (double i = 0; i < points; ++i) {
    const double place = low + (high - low) * i / (points - 1);
    const json value = every ? json(static_cast<std::int64_t>(std::round(place)))
                             : parameter.at(place);
    if (values.empty() || values.back() != value) values.push_back(value);
  }
  return values;
}

Result<std::vector<json>> Space::grid(std::size_t most) const {
  std::vector<json> points{json::object()};
  for (const Parameter& parameter : parameters) {
    if (parameter.kind == Kind::real && parameter.points == 0) {
      return wrong(parameter.name, "has a range; a grid needs to know how many values of it: "
                                   "points = 5");
    }
    const bool every = parameter.kind == Kind::integer && parameter.points == 0;
    const bool many = every && parameter.high - parameter.low >= static_cast<double>(most);
    const std::vector<json> values = many ? std::vector<json>() : grid_values(parameter);
    std::vector<json> next;
    for (const json& point : points) {
      const bool active = is_active(parameter, point);
      const std::size_t more = !active ? 1 : many ? most + 1 : values.size();
      if (next.size() + more > most) {
        return Error{ErrorCode::invalid,
                     "the grid has more than " + std::to_string(most) + " points; name fewer "
                     "values, allow more trials or take strategy = \"random\""};
      }
      if (!active) next.push_back(point);
      for (std::size_t i = 0; active && i < values.size(); ++i) {
        next.push_back(point);
        next.back()[parameter.name] = values[i];
      }
    }
    points = std::move(next);
  }
  return points;
}

}  // namespace pipelined::tune
