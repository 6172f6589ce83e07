#include "daemon/api/metrics_text.h"

#include <array>
#include <charconv>

namespace pipelined::api {
namespace {

std::string number_text(double value) {
  std::array<char, 64> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::string(text.data(), end) : "NaN";
}

void add(std::string& out, const std::string& name, const char* type, double value) {
  out += "# TYPE pipelined_" + name + " " + type + "\n";
  out += "pipelined_" + name + " " + number_text(value) + "\n";
}

}  // namespace

std::string metrics_text(const DaemonFigures& figures) {
  std::string out;
  out += "# TYPE pipelined_build_info gauge\n";
  out += "pipelined_build_info{version=\"" + figures.version + "\"} 1\n";
  add(out, "start_time_seconds", "gauge", static_cast<double>(figures.started_at) / 1000.0);
  add(out, "ready", "gauge", figures.ready ? 1 : 0);
  add(out, "read_only", "gauge", figures.read_only.empty() ? 0 : 1);
  out += "# TYPE pipelined_open_runs gauge\n";
  for (const RunState state :
       {RunState::queued, RunState::running, RunState::halted, RunState::in_review}) {
    const auto found = figures.open_runs.find(state);
    const std::int64_t count = found == figures.open_runs.end() ? 0 : found->second;
    out += std::string("pipelined_open_runs{state=\"") + name_of(state) + "\"} " +
           std::to_string(count) + "\n";
  }
  add(out, "live_attempts", "gauge", static_cast<double>(figures.live_attempts));
  add(out, "outbox_waiting", "gauge", static_cast<double>(figures.outbox_waiting));
  for (const auto& [name, value] : figures.counters) add(out, name, "counter", value);
  for (const auto& [name, value] : figures.gauges) add(out, name, "gauge", value);
  return out;
}

}  // namespace pipelined::api
