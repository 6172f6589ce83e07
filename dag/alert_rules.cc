#include "dag/alert_rules.h"

#include <algorithm>

namespace pipelined {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

int rank_of(std::string_view severity) {
  return severity == "error" ? 2 : severity == "warning" ? 1 : 0;
}

bool any_matches(const std::vector<std::string>& patterns, const std::string& text) {
  return patterns.empty() ||
         std::any_of(patterns.begin(), patterns.end(), [&text](const std::string& pattern) {
           return matches_pattern(pattern, text);
         });
}

bool applies(const AlertRule& rule, const AlertRow& alert) {
  const std::string kind = alert_kind(alert);
  const bool wanted =
      rule.when.empty() || std::find(rule.when.begin(), rule.when.end(), kind) != rule.when.end();
  return wanted && rank_of(alert.severity) >= rank_of(rule.severity) &&
         any_matches(rule.pipelines, alert.pipeline) && any_matches(rule.subjects, alert.subject);
}

/// The first rule that sends this alert to this sink, as for a new alert.
const AlertRule* rule_for(const std::vector<AlertRule>& rules, const AlertRow& alert,
                          const std::string& sink) {
  for (const AlertRule& rule : rules) {
    const bool names = std::find(rule.to.begin(), rule.to.end(), sink) != rule.to.end();
    if (names && applies(rule, alert)) return &rule;
  }
  return nullptr;
}

}  // namespace

std::string alert_kind(const AlertRow& alert) {
  if (const ValueTable* evidence = alert.evidence.as_table()) {
    const auto stated = evidence->find("kind");
    const std::string* word = stated == evidence->end() ? nullptr : stated->second.as_text();
    for (const char* kind : alert_kinds) {
      if (word != nullptr && *word == kind) return kind;
    }
  }
  if (contains(alert.id, "/failed/")) return "failed";
  if (contains(alert.id, "/late") || contains(alert.id, "deadline")) return "late";
  if (contains(alert.id, "review")) return "in_review";
  if (alert.run != 0 && !alert.step.empty()) return "halted";
  return "trouble";
}

bool matches_pattern(std::string_view pattern, std::string_view text) {
  // Greedy with one place to come back to: linear but for the last star.
  std::size_t p = 0, t = 0, star = pattern.npos, from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<AlertRoute> routes_of(const std::vector<AlertRule>& rules, const AlertRow& alert) {
  std::vector<AlertRoute> routes;
  // That a condition is over is told by a message about the alert that began it.
  if (alert.severity == "info" && alert_kind(alert) != "trouble") return routes;
  for (const AlertRule& rule : rules) {
    if (!applies(rule, alert)) continue;
    for (const std::string& sink : rule.to) {
      const bool known = std::any_of(routes.begin(), routes.end(), [&sink](const AlertRoute& route) {
        return route.sink == sink;
      });
      if (known) continue;
      const bool grouped = rule.group_wait_ms > 0;
      routes.push_back({sink, grouped ? rule.name + "/" + alert.pipeline : std::string(),
                        rule.group_wait_ms});
    }
  }
  return routes;
}

std::vector<AlertReminder> reminders(const std::vector<AlertRule>& rules,
                                     const std::vector<ToldAlert>& told, TimeMs now) {
  std::vector<AlertReminder> wanted;
  for (const ToldAlert& one : told) {
    const AlertRule* rule = rule_for(rules, one.alert, one.sink);
    if (rule == nullptr || one.alert.severity == "info") continue;
    if (!one.stands) {
      // Who never heard of it need not hear that it is over.
      if (rule->recovery && one.delivered) wanted.push_back({one.alert.id, one.sink, "recovered"});
      continue;
    }
    if (rule->repeat_ms <= 0 || !one.delivered || now - one.last_at < rule->repeat_ms) continue;
    wanted.push_back({one.alert.id, one.sink, "repeat-" + std::to_string(one.repeats + 1)});
  }
  return wanted;
}

std::vector<AlertRow> condition_changes(
    const std::vector<AlertCondition>& conditions,
    const std::set<std::pair<std::string, std::string>>& standing, TimeMs now) {
  std::vector<AlertRow> changes;
  for (const AlertCondition& condition : conditions) {
    const bool stands = standing.count({condition.pipeline, condition.subject}) != 0;
    if (condition.bad == stands) continue;
    AlertRow row;
    row.id = condition.kind + "/" + condition.pipeline + "/" + condition.subject + "/" +
             (condition.bad ? "since-" : "well-") + std::to_string(now);
    row.pipeline = condition.pipeline;
    row.subject = condition.subject;
    row.severity = condition.bad ? "warning" : "info";
    row.sentence = condition.sentence;
    const ValueTable* given = condition.evidence.as_table();
    ValueTable evidence = given != nullptr ? *given : ValueTable{};
    evidence["kind"] = condition.kind;
    row.evidence = evidence;
    row.at = now;
    changes.push_back(std::move(row));
  }
  return changes;
}

}  // namespace pipelined
