#include <charconv>
#include <chrono>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/yaml.h"
#include "dag/cron.h"
#include "daemon/posix/zone_files.h"

namespace pipelined::cli {
namespace {

constexpr int count_max = 100'000;

Result<std::int64_t> start_of(const std::string& text, const TimeZone& zone) {
  if (!text.empty()) return parse_instant(text, zone);
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

Result<int> count_of(const std::string& text) {
  int count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count < 1 || count > count_max) {
    return Error{ErrorCode::invalid, "--count must be a number from 1 to 100000, not '" + text + "'"};
  }
  return count;
}

Result<std::vector<std::string>> next_times(const Arguments& arguments) {
  TRY(schedule, Schedule::parse(arguments.text("EXPR")));
  ZoneFiles zones;
  TRY(zone, zones.zone(arguments.text("zone", "UTC")));
  TRY(start, start_of(arguments.text("from"), *zone));
  TRY(count, count_of(arguments.text("count", "5")));
  std::vector<std::string> times;
  for (auto at = schedule.next(start, *zone); at && static_cast<int>(times.size()) < count;
       at = schedule.next(*at, *zone)) {
    times.push_back(iso_text(*at, *zone));
  }
  return times;
}

}  // namespace

int run_next(Session& session) {
  const auto times = next_times(session.arguments);
  if (!times) {
    session.fail(times.error());
    return exit_usage;
  }
  std::ostream& out = session.terminal.out;
  if (session.format == Format::json || session.format == Format::yaml) {
    const std::string json = canonical(Value(ValueList(times->begin(), times->end())));
    out << (session.format == Format::json ? json + "\n" : yaml_of(json));
    return exit_done;
  }
  for (const std::string& time : *times) out << time << "\n";
  if (times->empty()) session.say("it is never due again");
  return exit_done;
}

}  // namespace pipelined::cli
