#include "dag/check_triggers.h"

#include <algorithm>
#include <set>

#include "dag/check.h"
#include "dag/cron.h"
#include "dag/nearest_name.h"
#include "dag/run_params.h"

namespace pipelined {
namespace {

constexpr std::int64_t jitter_max_ms = 3'600'000;

class TriggerChecker {
 public:
  TriggerChecker(const PipelineSpec& spec, const std::string& file, ZoneSource* zones)
      : spec_(spec), file_(file), zones_(zones) {}

  std::vector<Diagnostic> check() {
    for (const TriggerSpec& trigger : spec_.triggers) check_trigger(trigger);
    for (const SourceSpec& source : spec_.sources) {
      const ExpectSpec& expect = source.expect;
      if (expect.schedule.empty()) continue;
      check_schedule(expect.at, expect.schedule, expect.timezone);
    }
    for (const auto& [name, rule] : spec_.param_rules) check_rule(name, rule);
    return std::move(problems_);
  }

 private:
  void error(SourcePosition at, std::string message) {
    problems_.push_back({file_, at, std::move(message), false});
  }

  void check_trigger(const TriggerSpec& trigger) {
    if (!trigger.name.empty() && !is_name(trigger.name)) {
      error(trigger.at, "the trigger name '" + trigger.name + "' is no name: a small letter, then "
                        "small letters, digits, '_' and '-', at most 64");
    }
    if (!ids_.insert(trigger.id()).second) {
      error(trigger.at, "two triggers are '" + trigger.id() + "'; give each a name of its own");
    }
    check_sources(trigger);
    if (!trigger.schedule.empty()) check_schedule(trigger.at, trigger.schedule, trigger.timezone);
    if (trigger.jitter_ms > jitter_max_ms) error(trigger.at, "'jitter' is at most 1h");
    if (!trigger.webhook.empty() && !is_name(trigger.webhook)) {
      error(trigger.at, "the webhook '" + trigger.webhook + "' is no name: it is the last part of "
                        "its route");
    }
    if (!trigger.after.empty()) check_after(trigger);
    if (!trigger.alert.empty()) check_reference(trigger, "alert", trigger.alert, 1, 2);
    if (const auto values = run_params(spec_, trigger.params); !values) {
      error(trigger.at, "the trigger's params: " + values.error().message);
    }
  }

  void check_sources(const TriggerSpec& trigger) {
    std::vector<std::string> known;
    for (const SourceSpec& source : spec_.sources) known.push_back(source.name);
    std::set<std::string> seen;
    for (const std::string& name : trigger.arrival) {
      if (spec_.source(name) == nullptr) {
        error(trigger.at, "the trigger waits for the unknown source '" + name + "'" +
                              did_you_mean(name, known));
      } else if (!seen.insert(name).second) {
        error(trigger.at, "the trigger names the source '" + name + "' twice");
      }
    }
  }

  void check_schedule(SourcePosition at, const std::string& text, const std::string& zone) {
    if (const auto schedule = Schedule::parse(text); !schedule) {
      error(at, schedule.error().message);
    }
    if (!is_zone_name(zone)) {
      error(at, "'" + zone + "' is no name of a time zone; such a name is \"Europe/Berlin\"");
    } else if (zones_ != nullptr) {
      if (const auto found = zones_->zone(zone); !found) error(at, found.error().message);
    }
  }

  bool check_reference(const TriggerSpec& trigger, const std::string& key, const std::string& text,
                       int least, int most) {
    const auto words = std::count(text.begin(), text.end(), '.') + 1;
    const StepReference parts = parse_step_reference(text);
    const bool fits = words >= least && words <= most && is_name(parts.pipeline) &&
                      (words < 2 || is_name(parts.step)) && (words < 3 || is_name(parts.output));
    if (fits) return true;
    error(trigger.at, "'" + key + "' must be " +
                          (least == 1 ? "\"PIPELINE\" or \"PIPELINE.STEP\""
                                      : "\"PIPELINE.STEP\" or \"PIPELINE.STEP.OUTPUT\"") +
                          ", not '" + text + "'");
    return false;
  }

  void check_after(const TriggerSpec& trigger) {
    if (!check_reference(trigger, "after", trigger.after, 2, 3)) return;
    if (parse_step_reference(trigger.after).pipeline == spec_.name) {
      error(trigger.at, "'after' names this pipeline itself; within a pipeline steps depend on "
                        "steps");
    }
  }

  void check_rule(const std::string& name, const ParamRule& rule) {
    const Value& standard = spec_.params.find(name)->second;
    const bool number = standard.as_int() != nullptr || standard.as_double() != nullptr;
    if ((rule.least || rule.most) && !number) {
      error(rule.at, "parameter '" + name + "' has bounds, but its default is no number");
    } else if (rule.least && rule.most && *rule.least > *rule.most) {
      error(rule.at, "parameter '" + name + "': min is greater than max");
    } else if (const auto value = run_params(spec_, {{name, standard}}); !value) {
      error(rule.at, "the default: " + value.error().message);
    }
  }

  const PipelineSpec& spec_;
  const std::string& file_;
  ZoneSource* zones_;
  std::set<std::string> ids_;
  std::vector<Diagnostic> problems_;
};

}  // namespace

std::vector<Diagnostic> check_triggers(const PipelineSpec& spec, const std::string& file_name,
                                       ZoneSource* zones) {
  return TriggerChecker(spec, file_name, zones).check();
}

StepReference parse_step_reference(std::string_view text) {
  StepReference parts;
  for (std::string* part : {&parts.pipeline, &parts.step, &parts.output}) {
    const std::size_t dot = std::min(text.find('.'), text.size());
    *part = std::string(text.substr(0, dot));
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return parts;
}

}  // namespace pipelined
