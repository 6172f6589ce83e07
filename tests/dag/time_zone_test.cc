#include "dag/time_zone.h"

#include <catch2/catch.hpp>
#include <random>

#include "tests/support/zone_files.h"

using namespace pipelined;
using namespace pipelined::test;

namespace {

std::int64_t at(const std::string& text) { return *parse_instant(text, TimeZone::utc()); }

// A file of the second version without changes and with this footer.
std::string file_with(const std::string& footer) {
  std::string block = "TZif2" + std::string(15, '\0');
  for (const char count : {'\0', '\0', '\0', '\0', '\1', '\4'}) block += std::string(3, '\0') + count;
  block += std::string(6, '\0') + std::string("UTC\0", 4);
  return block + block + "\n" + footer + "\n";
}

}  // namespace

TEST_CASE("time zone: a local time is once, in a gap, or twice", "[zone]") {
  const auto zone = zone_named("Europe/Berlin");
  const LocalMeaning plain = zone->resolve(at("2026-07-01T12:00Z"));
  CHECK(plain.kind == LocalMeaning::Kind::once);
  CHECK(plain.first == at("2026-07-01T10:00Z"));
  const LocalMeaning gap = zone->resolve(at("2026-03-29T02:30Z"));
  CHECK(gap.kind == LocalMeaning::Kind::gap);
  CHECK(gap.first == at("2026-03-29T01:00Z"));
  const LocalMeaning twice = zone->resolve(at("2026-10-25T02:00Z"));
  CHECK(twice.kind == LocalMeaning::Kind::overlap);
  CHECK(twice.first == at("2026-10-25T00:00Z"));
  CHECK(twice.second == at("2026-10-25T01:00Z"));
  CHECK(zone->resolve(at("2026-10-25T03:00Z")).kind == LocalMeaning::Kind::once);
  CHECK(zone->next_change(at("2026-03-29T00:59:59Z")) == at("2026-03-29T01:00Z"));
  CHECK(zone->next_change(at("2026-03-29T01:00Z")) == at("2026-10-25T01:00Z"));
}

TEST_CASE("time zone: rules of footers", "[zone]") {
  const auto offsets = [](const std::string& footer, const std::string& first,
                          const std::string& second) {
    const auto zone = TimeZone::parse("test", file_with(footer));
    CAPTURE(footer);
    REQUIRE(zone);
    return std::pair(zone->offset_at(at(first)), zone->offset_at(at(second)));
  };
  using Pair = std::pair<std::int64_t, std::int64_t>;
  CHECK(offsets("CET-1CEST,M3.5.0,M10.5.0/3", "2999-01-15", "2999-07-15") == Pair(3600, 7200));
  CHECK(offsets("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "2050-01-15", "2050-07-15") == Pair(39600, 37800));
  CHECK(offsets("IST-1GMT0,M10.5.0,M3.5.0/1", "2050-01-15", "2050-07-15") == Pair(0, 3600));
  CHECK(offsets("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2050-03-27T00:59:59Z", "2050-03-27T01:00Z") ==
        Pair(-7200, -3600));
  CHECK(offsets("EST5EDT4,J60,J300", "2048-02-29T12:00Z", "2048-03-01T12:00Z") == Pair(-18000, -14400));
  CHECK(offsets("EST5EDT,59,300/4:30", "2047-03-01T06:00Z", "2047-03-01T07:00Z") == Pair(-18000, -14400));
  CHECK(offsets("<-03>3", "2050-01-15", "2050-07-15") == Pair(-10800, -10800));
  CHECK(offsets("XXX3EDT4,0/0,J365/23", "2050-01-01T02:59:59Z", "2050-01-01T03:00Z") ==
        Pair(-14400, -14400));
  for (const char* bad : {"CET", "CET-", "1CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-25",
                          "CET-1CEST,M13.1.0,M1.1.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "<CET-1"}) {
    CAPTURE(bad);
    CHECK_FALSE(TimeZone::parse("test", file_with(bad)));
  }
}

TEST_CASE("time zone: files cut short or with wrong bytes are refused or read, never worse", "[zone]") {
  const std::string good = zone_bytes("America/New_York");
  REQUIRE(TimeZone::parse("America/New_York", good));
  for (std::size_t size = 0; size + 1 < good.size(); ++size) {
    CHECK_FALSE(TimeZone::parse("cut", good.substr(0, size)));
  }
  std::mt19937 rng(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = good;
    for (int n = 0; n < 3; ++n) bytes[rng() % bytes.size()] = static_cast<char>(rng());
    if (const auto zone = TimeZone::parse("bad", bytes)) {
      const std::int64_t t = static_cast<std::int64_t>(rng()) * 4 - 8'000'000'000;
      CHECK(zone->offset_at(t) <= 7 * 86400);
      zone->resolve(t);
      zone->next_change(t);
    }
  }
}

TEST_CASE("time zone: instants as text and back", "[zone]") {
  const auto berlin = zone_named("Europe/Berlin");
  CHECK(iso_text(0, TimeZone::utc()) == "1970-01-01T00:00:00+00:00");
  CHECK(iso_text(-1, *zone_named("America/St_Johns")) == "1969-12-31T20:29:59-03:30");
  CHECK(parse_instant("2026-07-01T12:00", *berlin).value() == at("2026-07-01T10:00Z"));
  CHECK(parse_instant("2026-07-01 12:00:30", *berlin).value() == at("2026-07-01T10:00:30Z"));
  CHECK(parse_instant("2026-03-29T02:30", *berlin).value() == at("2026-03-29T01:00Z"));
  CHECK(parse_instant("2026-10-25T02:30", *berlin).value() == at("2026-10-25T00:30Z"));
  CHECK(parse_instant("2026-07-01T12:00:00.125-0330", *berlin).value() == at("2026-07-01T15:30Z"));
  for (const char* bad : {"", "now", "2026", "2026-02-30", "2026-13-01", "2026-01-01T24:00",
                          "2026-01-01T10", "2026-01-01T10:00+1", "2026-01-01Tx", "2026-01-01T10:00 UTC"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_instant(bad, *berlin));
  }
}

TEST_CASE("time zone: a name cannot lead out of the folder of zones", "[zone]") {
  for (const char* good : {"UTC", "Europe/Berlin", "Etc/GMT+5", "America/Argentina/Buenos_Aires"}) {
    CHECK(is_zone_name(good));
  }
  for (const char* bad : {"", "/etc/passwd", "../x", "Europe/", "a//b", "Europe Berlin", "a.b"}) {
    CHECK_FALSE(is_zone_name(bad));
  }
}
