#include "dag/cron.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "tests/support/zone_files.h"

using namespace pipelined;
using namespace pipelined::test;

namespace {

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

// Each row: expression, zone, from, the instants that follow.
int check_table(const std::string& name) {
  std::ifstream file(std::string(PIPELINED_SOURCE_DIR) + "/tests/dag/data/" + name);
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    CAPTURE(line);
    const auto cells = split(line, '\t');
    REQUIRE(cells.size() == 4);
    const auto zone = zone_named(cells[1]);
    const auto schedule = Schedule::parse(cells[0]);
    REQUIRE(schedule);
    std::int64_t at = *parse_instant(cells[2], *zone);
    for (const std::string& expected : split(cells[3], ' ')) {
      const std::int64_t before = at;
      at = schedule->next(at, *zone).value();
      CHECK(iso_text(at, *zone) == expected);
      CHECK(schedule->latest(at, *zone) == at);
      if (at - before < 400 * 86400) CHECK(schedule->latest(at + 59, *zone).value() == at);
    }
    ++rows;
  }
  return rows;
}

std::string error_of(const std::string& text) {
  const auto schedule = Schedule::parse(text);
  return schedule ? "" : schedule.error().message;
}

}  // namespace

TEST_CASE("cron: every row of the table of expressions", "[cron]") {
  CHECK(check_table("cron.tsv") > 40);
}

TEST_CASE("cron: every row of the table of changes of the clock", "[cron]") {
  CHECK(check_table("dst.tsv") > 70);
}

TEST_CASE("cron: what is wrong is said with its column", "[cron]") {
  const auto says = [](const std::string& text, const std::string& place, const std::string& what) {
    const std::string error = error_of(text);
    CAPTURE(text, error);
    CHECK(error.find("column " + place + ":") != std::string::npos);
    CHECK(error.find(what) != std::string::npos);
  };
  says("", "1", "is empty");
  says("60 * * * *", "1", "the minute is 60, which is not in 0-59");
  says("0 24 * * *", "3", "the hour is 24");
  says("0 0 0 * *", "5", "the day of month is 0");
  says("0 0 * 13 *", "7", "1-12 or JAN-DEC");
  says("0 0 * JANUARY *", "7", "the month is 'JANUARY'");
  says("0 0 * * 8", "9", "the day of week is 8");
  says("0 0 * *", "8", "the day of week is missing");
  says("0 0 0 0 0 0", "5", "day of month");
  says("0 0 1 1 1 1", "11", "more than five fields");
  says("0 0 * * MON#6", "13", "from 1 to 5");
  says("0 0 * * L", "9", "write 5L");
  says("*/0 * * * *", "3", "from 1 on");
  says("*/61 * * * *", "1", "longer than 0-59");
  says("5-1 * * * *", "3", "ends before it begins");
  says("1,,2 * * * *", "3", "has ',' where a value is wanted");
  says("1, * * * *", "3", "lacks a value");
  says("1x * * * *", "2", "goes on with 'x'");
  says("0 0 30 FEB *", "1", "no such day ever comes");
  says("0 0 * FEB,APR MON#", "19", "from 1 to 5");
  says("@dayly", "1", "did you mean '@daily'?");
  says("@reboot", "1", "no time");
  says("@daily 5", "8", "nothing stands behind");
  says("@every", "7", "duration");
  says("@every 1ms", "8", "whole seconds");
  says("@every 5m at 3", "11", "from and a time");
  says("@every 5m from 2026", "16", "no time");
  says(std::string(600, '1'), "1", "longer than 500");
}

TEST_CASE("cron: an interval counts from its anchor, whatever clocks do", "[cron]") {
  const TimeZone utc = TimeZone::utc();
  const auto plain = Schedule::parse("@every 15m");
  CHECK(plain->next(0, utc) == 900);
  CHECK(plain->next(899, utc) == 900);
  CHECK(plain->next(900, utc) == 1800);
  CHECK(plain->latest(900, utc) == 900);
  CHECK(plain->latest(1799, utc) == 900);
  CHECK(plain->next(-1, utc) == 0);
  CHECK(plain->next(-901, utc) == -900);
  const auto anchored = Schedule::parse("@every 6h from 2026-01-01T02:30Z");
  const std::int64_t day = *parse_instant("2026-03-29", utc);
  CHECK(iso_text(*anchored->next(day, *zone_named("Europe/Berlin")), utc) ==
        "2026-03-29T02:30:00+00:00");
  CHECK(anchored->next(day - 365 * 86400 * 3, utc).value() % 21600 == 9000);
}

TEST_CASE("cron: what never comes again ends, quickly", "[cron]") {
  const auto in_the_gap = Schedule::parse("* 2 * 3 7L");  // always skipped in Berlin
  REQUIRE(in_the_gap);
  const std::int64_t now = *parse_instant("2026-01-01", TimeZone::utc());
  CHECK_FALSE(in_the_gap->next(now, *zone_named("Europe/Berlin")));
  CHECK_FALSE(in_the_gap->latest(now, *zone_named("Europe/Berlin")));
  const auto last = Schedule::parse("@yearly");
  CHECK_FALSE(last->next(253402300799, TimeZone::utc()));
  const auto rare = Schedule::parse("0 0 29 FEB *");
  CHECK(iso_text(*rare->next(*parse_instant("2096-02-29", TimeZone::utc()), TimeZone::utc()),
                 TimeZone::utc()) == "2104-02-29T00:00:00+00:00");
}

// Fields by chance, then every minute of three days beside the answers of `next`.
TEST_CASE("cron: next rises, matches, and leaves nothing out", "[cron]") {
  std::mt19937 rng(11);
  const auto upto = [&](int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(rng);
  };
  const auto field = [&](int least, int most) -> std::string {
    switch (upto(0, 4)) {
      case 0:
      case 1: return "*";
      case 2: return "*/" + std::to_string(upto(1, most - least));
      case 3: {
        const int first = upto(least, most);
        return std::to_string(first) + "-" + std::to_string(upto(first, most));
      }
      default: return std::to_string(upto(least, most));
    }
  };
  const char* names[] = {"UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Sao_Paulo",
                         "America/St_Johns"};
  const char* days[] = {"2026-03-28", "2026-10-24", "2026-04-04", "2018-11-03", "2018-02-17"};
  int found = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string text = field(0, 59) + " " + field(0, 23) + " " + field(1, 31) + " * " + field(0, 6);
    const auto schedule = Schedule::parse(text);
    CAPTURE(text);
    REQUIRE(schedule);
    const auto zone = zone_named(names[upto(0, 4)]);
    const std::int64_t start = *parse_instant(days[upto(0, 4)], *zone) + 60 * upto(0, 1000);
    CAPTURE(zone->name(), iso_text(start, *zone));
    std::set<std::int64_t> due;
    for (auto at = schedule->next(start, *zone); at && *at <= start + 3 * 86400;
         at = schedule->next(*at, *zone)) {
      REQUIRE(*at > (due.empty() ? start : *due.rbegin()));
      due.insert(*at);
    }
    found += static_cast<int>(due.size());
    for (std::int64_t t = start + 60; t <= start + 3 * 86400; t += 60) {
      const CivilTime local = civil_of(t + zone->offset_at(t));
      const bool here = schedule->matches(local);
      const LocalMeaning meaning = zone->resolve(seconds_of(local));
      const bool again = meaning.kind == LocalMeaning::Kind::overlap && meaning.second == t;
      if (here && (schedule->follows_clock() || !again)) {
        REQUIRE(due.count(t) == 1);
      } else if (due.count(t) == 1) {  // only the end of a gap stands for what fell into it
        REQUIRE_FALSE(schedule->follows_clock());
        REQUIRE(zone->offset_at(t - 1) < zone->offset_at(t));
      }
    }
  }
  CHECK(found > 10'000);
}
