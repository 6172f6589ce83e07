#include "dag/spec.h"

namespace pipelined {

std::string TriggerSpec::id() const {
  if (!name.empty()) return name;
  if (!schedule.empty()) return "schedule/" + schedule + "/" + timezone;
  if (!webhook.empty()) return "webhook/" + webhook;
  if (!after.empty()) return "after/" + after;
  if (!alert.empty()) return "alert/" + alert;
  std::string text = all_of ? "all_of" : "arrival";
  for (const std::string& source : arrival) text += "/" + source;
  return text;
}

}  // namespace pipelined
