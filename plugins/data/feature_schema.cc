#include "plugins/data/feature_schema.h"

#include <algorithm>

namespace pipelined {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

const char* name_of(Severity severity) {
  switch (severity) {
    case Severity::off: return "off";
    case Severity::warning: return "warning";
    case Severity::error: return "error";
  }
  return "error";
}

std::optional<Severity> severity_named(const std::string& name) {
  for (const Severity severity : {Severity::off, Severity::warning, Severity::error}) {
    if (name == name_of(severity)) return severity;
  }
  return std::nullopt;
}

bool FeatureSchema::expected_in(const std::string& environment) const {
  if (environment.empty()) return true;
  if (contains(not_in, environment)) return false;
  return environments.empty() || contains(environments, environment);
}

const FeatureSchema* TableSchema::judged_feature(const std::string& name,
                                                 const std::string& environment) const {
  const auto found = features.find(name);
  if (found == features.end() || !found->second.judged) return nullptr;
  return found->second.expected_in(environment) ? &found->second : nullptr;
}

}  // namespace pipelined
