#include "daemon/app_alerts.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <utility>

#include "daemon/store/told_alerts.h"
#include "daemon/store/views.h"

namespace pipelined {
namespace {

constexpr const char* late_prefix = "late run ";
constexpr const char* review_prefix = "review of run ";

std::string hours_of(std::int64_t ms) {
  const std::int64_t minutes = ms / 60'000;
  if (minutes < 1) return std::to_string(ms / 1000) + " s";
  if (minutes < 120) return std::to_string(minutes) + " min";
  return std::to_string(minutes / 60) + " h";
}

bool speaks_of(const AlertRule& rule, const std::string& pipeline) {
  return rule.pipelines.empty() ||
         std::any_of(rule.pipelines.begin(), rule.pipelines.end(), [&](const std::string& pattern) {
           return matches_pattern(pattern, pipeline);
         });
}

bool asks_for(const AlertRule& rule, const char* kind) {
  return std::find(rule.when.begin(), rule.when.end(), kind) != rule.when.end();
}

void add(std::vector<AlertCondition>& found, AlertCondition condition) {
  // Two rules with other bounds may speak of one thing: it is bad if it is for one of them.
  for (AlertCondition& other : found) {
    if (other.pipeline != condition.pipeline || other.subject != condition.subject) continue;
    if (condition.bad && !other.bad) other = std::move(condition);
    return;
  }
  found.push_back(std::move(condition));
}

}  // namespace

std::int64_t free_bytes_of(const std::string& folder) {
  struct statvfs facts {};
  if (::statvfs(folder.c_str(), &facts) != 0) return -1;
  return static_cast<std::int64_t>(facts.f_bavail) * static_cast<std::int64_t>(facts.f_frsize);
}

AlertWatch::AlertWatch(Store& store, Clock& clock, std::string store_folder, Doors doors)
    : store_(store), clock_(clock), store_folder_(std::move(store_folder)), doors_(std::move(doors)) {}

AlertRouter AlertWatch::router() const {
  return [rules = rules_](const AlertRow& alert) {
    std::vector<QueuedMessage> messages;
    for (const AlertRoute& route : routes_of(rules, alert)) {
      messages.push_back({route.sink, "", route.group, route.wait_ms});
    }
    return messages;
  };
}

void AlertWatch::add_sources(const AlertRule& rule, TimeMs now,
                             std::vector<AlertCondition>& found) const {
  if (rule.silent_for_ms <= 0) return;
  const auto watched = doors_.sources();
  for (const PipelineRow& pipeline : list_pipelines(store_)) {
    if (!pipeline.current || pipeline.paused || !speaks_of(rule, pipeline.name)) continue;
    const std::vector<SourceView> delivered = list_sources(store_, pipeline.name);
    for (const auto& [name, source] : watched) {
      if (name != pipeline.name) continue;
      TimeMs last = pipeline.applied_at;
      std::string newest;
      for (const SourceView& view : delivered) {
        if (view.source != source) continue;
        last = std::max(last, view.newest.at);
        newest = view.newest.span;
      }
      const bool bad = now - last > rule.silent_for_ms;
      const std::string what = "source " + source;
      add(found, {"source_silent", pipeline.name, what, bad,
                  bad ? what + " of " + pipeline.name + " has delivered nothing for " +
                            hours_of(now - last)
                      : what + " of " + pipeline.name + " delivers again",
                  ValueTable{{"newest_span", newest}}});
    }
  }
}

void AlertWatch::add_runs(const AlertRule& rule, TimeMs now, std::vector<AlertCondition>& found) const {
  RunFilter filter;
  filter.limit = view_limit_max;
  if (rule.late_after_ms > 0) {
    filter.state = RunState::running;
    for (const RunView& view : list_runs(store_, filter)) {
      const TimeMs begun = view.row.started_at != 0 ? view.row.started_at : view.row.created_at;
      if (!speaks_of(rule, view.row.pipeline) || now - begun <= rule.late_after_ms) continue;
      const std::string number = std::to_string(view.row.number);
      add(found, {"late", view.row.pipeline, late_prefix + number, true,
                  "run " + number + " of " + view.row.pipeline + " goes on for " +
                      hours_of(now - begun), ValueTable{{"run", view.row.number}}});
    }
  }
  if (!asks_for(rule, "in_review")) return;
  filter.state = RunState::in_review;
  for (const RunView& view : list_runs(store_, filter)) {
    if (!speaks_of(rule, view.row.pipeline)) continue;
    const std::string number = std::to_string(view.row.number);
    add(found, {"in_review", view.row.pipeline, review_prefix + number, true,
                "run " + number + " of " + view.row.pipeline + " waits for a review",
                ValueTable{{"run", view.row.number}}});
  }
}

void AlertWatch::add_machine(const AlertRule& rule, std::vector<AlertCondition>& found) const {
  const std::int64_t room = rule.disk_below_bytes > 0 ? doors_.free_bytes(store_folder_) : -1;
  if (room >= 0) {
    const bool bad = room < rule.disk_below_bytes;
    add(found, {"disk_low", "", "disk", bad,
                bad ? "the disk of " + store_folder_ + " has " + std::to_string(room >> 20) +
                          " MiB left"
                    : "the disk of " + store_folder_ + " has room again",
                ValueTable{{"free_bytes", room}}});
  }
  if (rule.queue_above <= 0) return;
  RunFilter filter;
  filter.limit = view_limit_max, filter.state = RunState::queued;
  const auto waiting = static_cast<std::int64_t>(list_runs(store_, filter).size());
  const bool bad = waiting > rule.queue_above;
  add(found, {"queue_long", "", "queue", bad,
              bad ? std::to_string(waiting) + " runs wait for their turn"
                  : "the queue of runs is short again",
              ValueTable{{"waiting", waiting}}});
}

std::vector<AlertCondition> AlertWatch::conditions() const {
  const TimeMs now = clock_.now().wall_ms;
  std::vector<AlertCondition> found;
  for (const AlertRule& rule : rules_) {
    add_sources(rule, now, found);
    add_runs(rule, now, found);
    add_machine(rule, found);
  }
  return found;
}

void AlertWatch::look() {
  if (rules_.empty()) return;
  const TimeMs now = clock_.now().wall_ms;
  std::vector<AlertCondition> found = conditions();
  const auto standing = standing_conditions(store_);
  // A run that has ended is not among the conditions any more: what stands about it is over.
  for (const auto& [pipeline, subject] : standing) {
    const bool late = subject.rfind(late_prefix, 0) == 0;
    if (!late && subject.rfind(review_prefix, 0) != 0) continue;
    add(found, {late ? "late" : "in_review", pipeline, subject, false, subject + ": it is over", {}});
  }
  for (AlertRow& row : condition_changes(found, standing, now)) {
    doors_.post(event::TroubleFound{row.id, row.pipeline, row.subject, row.severity, row.sentence,
                                    row.evidence});
  }
  std::vector<std::pair<std::string, QueuedMessage>> messages;
  for (const AlertReminder& reminder : reminders(rules_, told_alerts(store_), now)) {
    messages.push_back({reminder.alert, {reminder.sink, reminder.phase, "", 0}});
  }
  const auto queued = store_.queue_messages(messages, now);
  if (queued && *queued) doors_.queued();
}

}  // namespace pipelined
