#include "plugins/model/evaluate_settings.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace pipelined::evaluation {
namespace {

using nlohmann::json;

Error wrong(const std::string& parameter, const std::string& what) {
  return {ErrorCode::invalid, "parameter \"" + parameter + "\" " + what};
}

json parameter(const sdk::Context& context, const char* name) {
  const auto text = context.param_json(name);
  return text ? json::parse(*text) : json();
}

Result<std::vector<double>> numbers(const sdk::Context& context, const char* name, double fallback,
                                    bool may_be_empty) {
  json list = parameter(context, name);
  if (list.is_null() && !may_be_empty) list = json::array({fallback});
  if (list.is_number()) list = json::array({list});
  if (!list.is_array() && !list.is_null()) return wrong(name, "is no list of numbers");
  std::vector<double> values;
  for (const json& item : list) {
    if (!item.is_number()) return wrong(name, "holds " + item.dump() + ", which is no number");
    const double value = item.get<double>();
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  if (values.empty() && !may_be_empty) return wrong(name, "is an empty list");
  return values;
}

Result<std::vector<std::vector<std::string>>> slices(const sdk::Context& context) {
  json list = parameter(context, "slices");
  if (list.is_string()) list = json::array({list});
  if (!list.is_array() && !list.is_null()) return wrong("slices", "is no list");
  std::vector<std::vector<std::string>> all;
  for (const json& item : list) {
    std::vector<std::string> columns;
    for (const json& name : item.is_array() ? item : json::array({item})) {
      if (!name.is_string()) {
        return wrong("slices", "holds " + item.dump() +
                                   "; it takes names of columns and lists of names to be crossed");
      }
      columns.push_back(name.get<std::string>());
    }
    if (columns.empty()) return wrong("slices", "holds an empty list");
    if (std::find(all.begin(), all.end(), columns) == all.end()) all.push_back(std::move(columns));
  }
  return all;
}

Result<std::map<std::string, Buckets>> buckets(const sdk::Context& context) {
  std::map<std::string, Buckets> all;
  const json table = parameter(context, "buckets");
  if (!table.is_object() && !table.is_null()) return wrong("buckets", "is no table");
  for (const auto& [name, value] : table.items()) {
    Buckets own;
    if (value.is_number_integer() && value.get<std::int64_t>() >= 2 &&
        value.get<std::int64_t>() <= 100) {
      own.parts = value.get<std::size_t>();
    } else if (value.is_array() && !value.empty()) {
      for (const json& edge : value) {
        const bool rises = edge.is_number() &&
                           (own.edges.empty() || edge.get<double>() > own.edges.back());
        if (!rises) return wrong("buckets." + name, "is no list of numbers that rise");
        own.edges.push_back(edge.get<double>());
      }
    } else {
      return wrong("buckets." + name,
                   "is neither a list of numbers that rise nor a number of parts from 2 to 100");
    }
    all[name] = std::move(own);
  }
  return all;
}

Result<std::map<std::string, std::string>> texts(const sdk::Context& context, const char* name) {
  std::map<std::string, std::string> all;
  const json table = parameter(context, name);
  if (!table.is_object() && !table.is_null()) return wrong(name, "is no table");
  for (const auto& [key, value] : table.items()) {
    all[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return all;
}

// One entry of "require".
class RequirementReader {
 public:
  explicit RequirementReader(const json& entry) : entry_(entry) {}

  Result<Requirement> read() {
    if (!entry_.is_object()) return wrong("require", "holds " + entry_.dump() + ", which is no table");
    Requirement required;
    for (const auto& [key, value] : entry_.items()) {
      if (!take(key, value, required)) {
        return wrong("require", "has \"" + key + "\" = " + value.dump() +
                                    "; an entry has the texts metric and slice, the numbers "
                                    "threshold, min, max, gain and gain_relative, better = "
                                    "\"higher\" or \"lower\", and sure = true or false");
      }
    }
    if (required.metric.empty()) return wrong("require", "has an entry without \"metric\"");
    if (!required.min && !required.max && !required.compares()) {
      return wrong("require", "says nothing about \"" + required.metric +
                                  "\": give min, max, gain or gain_relative");
    }
    return required;
  }

 private:
  static bool take(const std::string& key, const json& value, Requirement& required) {
    if (key == "metric" || key == "slice") {
      if (!value.is_string()) return false;
      (key == "metric" ? required.metric : required.slice) = value.get<std::string>();
      return true;
    }
    if (key == "sure" && value.is_boolean()) {
      required.sure = value.get<bool>();
      return true;
    }
    if (key == "better" && (value == "higher" || value == "lower")) {
      required.higher_is_better = value == "higher";
      return true;
    }
    const std::map<std::string, std::optional<double> Requirement::*> number_keys{
        {"threshold", &Requirement::threshold}, {"min", &Requirement::min},
        {"max", &Requirement::max},             {"gain", &Requirement::gain},
        {"gain_relative", &Requirement::gain_relative}};
    const auto found = number_keys.find(key);
    if (found == number_keys.end() || !value.is_number()) return false;
    required.*(found->second) = value.get<double>();
    return true;
  }

  const json& entry_;
};

Result<std::vector<Requirement>> requirements(const sdk::Context& context) {
  std::vector<Requirement> all;
  const json list = parameter(context, "require");
  if (!list.is_array() && !list.is_null()) return wrong("require", "is no list of tables");
  for (const json& entry : list) {
    TRY(required, RequirementReader(entry).read());
    all.push_back(std::move(required));
  }
  return all;
}

Result<Resampling> resampling(const sdk::Context& context, bool sure) {
  Resampling own;
  own.count = context.integer("bootstraps", 0);
  own.confidence = context.number("confidence", 0.95);
  own.seed = static_cast<std::uint64_t>(context.seed());
  const std::int64_t threads = context.integer("threads", 0);
  own.threads = threads > 0 ? static_cast<int>(threads) : context.threads();
  if (!(own.confidence > 0 && own.confidence < 1)) {
    return wrong("confidence", "must lie between 0 and 1");
  }
  if (own.count < 0 || own.count > 10'000) return wrong("bootstraps", "must be 0 to 10,000");
  if (sure && own.count < 20) {
    return wrong("require", "has an entry that is to be \"sure\"; that needs intervals: set "
                            "\"bootstraps\" to at least 20");
  }
  return own;
}

}  // namespace

Result<EvaluateSettings> read_settings(const sdk::Context& context) {
  EvaluateSettings settings;
  TRY(thresholds, numbers(context, "thresholds", 0.5, false));
  TRY(recalls, numbers(context, "recalls", 0, true));
  for (const double recall : recalls) {
    if (!(recall > 0 && recall <= 1)) return wrong("recalls", "must lie above 0 and at most at 1");
  }
  settings.measure = {std::move(thresholds), std::move(recalls)};
  TRY(columns, slices(context));
  settings.slices = std::move(columns);
  TRY(cuts, buckets(context));
  settings.buckets = std::move(cuts);
  TRY(predicates, texts(context, "where"));
  settings.where = std::move(predicates);
  for (const auto& [name, predicate] : settings.where) {
    for (const auto& column : settings.slices) {
      if (std::find(column.begin(), column.end(), name) == column.end()) continue;
      if (column.size() == 1) return wrong("where." + name, "is in \"slices\" too; it is a slice");
    }
  }
  TRY(references, texts(context, "reference"));
  settings.reference = std::move(references);
  settings.fairness = context.list("fairness");
  for (const std::string& name : settings.fairness) {
    const std::vector<std::string> alone{name};
    if (std::find(settings.slices.begin(), settings.slices.end(), alone) == settings.slices.end()) {
      settings.slices.push_back(alone);
    }
  }
  for (const auto& [name, group] : settings.reference) {
    if (std::find(settings.fairness.begin(), settings.fairness.end(), name) ==
        settings.fairness.end()) {
      return wrong("reference." + name, "names a column that is not in \"fairness\"");
    }
  }
  settings.slice_rows_min = context.integer("slice_rows_min", 1);
  TRY(required, requirements(context));
  settings.require = std::move(required);
  const bool sure = std::any_of(settings.require.begin(), settings.require.end(),
                                [](const Requirement& one) { return one.sure; });
  TRY(drawn, resampling(context, sure));
  settings.resampling = drawn;
  settings.keep = context.list("keep");
  return settings;
}

}  // namespace pipelined::evaluation
