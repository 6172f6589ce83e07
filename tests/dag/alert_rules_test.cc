#include "dag/alert_rules.h"

#include <catch2/catch.hpp>
#include <functional>

using namespace pipelined;

namespace {

AlertRow failed(const std::string& pipeline = "flights") {
  AlertRow row;
  row.id = pipeline + "/train/failed/run-4/1", row.pipeline = pipeline, row.subject = "train";
  row.severity = "error", row.run = 4, row.step = "train", row.at = 1000;
  return row;
}

AlertRule to(std::vector<std::string> sinks) {
  AlertRule rule;
  rule.name = "rule", rule.to = std::move(sinks);
  return rule;
}

}  // namespace

TEST_CASE("alert rules: the kind of an alert is what it says, else what it is about", "[alerts]") {
  CHECK(alert_kind(failed()) == "failed");
  AlertRow halted = failed();
  halted.id = "flights/2013-12/validate/abc";
  CHECK(alert_kind(halted) == "halted");
  AlertRow trouble;
  trouble.id = "pipeline-file/x", trouble.subject = "x";
  CHECK(alert_kind(trouble) == "trouble");
  trouble.evidence = ValueTable{{"kind", "disk_low"}};
  CHECK(alert_kind(trouble) == "disk_low");
  trouble.evidence = ValueTable{{"kind", "nonsense"}};
  CHECK(alert_kind(trouble) == "trouble");
}

TEST_CASE("alert rules: stars stand for any text", "[alerts]") {
  struct Case { const char *pattern, *text; bool fits; };
  for (const Case& one : {Case{"*", "", true}, {"*", "x", true}, {"a*", "abc", true},
                          {"a*", "ba", false}, {"*c", "abc", true}, {"a*c", "ac", true},
                          {"a*b*c", "aXbYbZc", true}, {"a*b*c", "aXc", false}, {"", "", true},
                          {"", "x", false}, {"abc", "abc", true}, {"abc", "abcd", false},
                          {"**", "x", true}, {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false}}) {
    CAPTURE(one.pattern, one.text);
    CHECK(matches_pattern(one.pattern, one.text) == one.fits);
  }
}

TEST_CASE("alert rules: an alert goes to each sink once, as the first rule says", "[alerts]") {
  AlertRule first = to({"ops"});
  first.group_wait_ms = 500;
  const AlertRule second = to({"ops", "mail"});
  const auto routes = routes_of({first, second}, failed());
  REQUIRE(routes.size() == 2);
  CHECK(routes[0] == AlertRoute{"ops", "rule/flights", 500});
  CHECK(routes[1] == AlertRoute{"mail", "", 0});
}

TEST_CASE("alert rules: kind, pipeline, subject and severity decide together", "[alerts]") {
  const auto goes = [](const std::function<void(AlertRule&)>& change, AlertRow alert = failed()) {
    AlertRule rule = to({"ops"});
    change(rule);
    return !routes_of({rule}, alert).empty();
  };
  CHECK(goes([](AlertRule&) {}));
  CHECK(goes([](AlertRule& rule) { rule.when = {"halted", "failed"}; }));
  CHECK_FALSE(goes([](AlertRule& rule) { rule.when = {"halted"}; }));
  CHECK(goes([](AlertRule& rule) { rule.pipelines = {"x", "fl*"}; }));
  CHECK_FALSE(goes([](AlertRule& rule) { rule.pipelines = {"x"}; }));
  CHECK_FALSE(goes([](AlertRule& rule) { rule.subjects = {"validate*"}; }));
  CHECK(goes([](AlertRule& rule) { rule.severity = "error"; }));
  AlertRow warning = failed();
  warning.severity = "warning";
  CHECK_FALSE(goes([](AlertRule& rule) { rule.severity = "error"; }, warning));
}

TEST_CASE("alert rules: what stands is repeated, what is over is told once", "[alerts]") {
  AlertRule rule = to({"ops"});
  rule.repeat_ms = 100;
  ToldAlert told{failed(), "ops", true, true, 0, 1000};
  CHECK(reminders({rule}, {told}, 1099).empty());
  CHECK(reminders({rule}, {told}, 1100) ==
        std::vector<AlertReminder>{{told.alert.id, "ops", "repeat-1"}});
  told.repeats = 3, told.last_at = 1500;
  CHECK(reminders({rule}, {told}, 1600) ==
        std::vector<AlertReminder>{{told.alert.id, "ops", "repeat-4"}});
  told.stands = false;
  CHECK(reminders({rule}, {told}, 1501) ==
        std::vector<AlertReminder>{{told.alert.id, "ops", "recovered"}});
  rule.recovery = false;
  CHECK(reminders({rule}, {told}, 1501).empty());
  rule.recovery = true, told.delivered = false;
  CHECK(reminders({rule}, {told}, 9999).empty());  // who never heard of it
  CHECK(reminders({to({"mail"})}, {told}, 9999).empty());
}

TEST_CASE("alert rules: a condition makes one alert while it is bad, and one when it is over",
          "[alerts]") {
  AlertCondition disk{"disk_low", "", "disk", true, "3 MiB left", ValueTable{{"free_bytes", 3}}};
  const auto raised = condition_changes({disk}, {}, 77);
  REQUIRE(raised.size() == 1);
  CHECK(raised[0].severity == "warning");
  CHECK(alert_kind(raised[0]) == "disk_low");
  CHECK(condition_changes({disk}, {{"", "disk"}}, 78).empty());
  disk.bad = false;
  const auto over = condition_changes({disk}, {{"", "disk"}}, 79);
  REQUIRE(over.size() == 1);
  CHECK(over[0].severity == "info");
  CHECK(over[0].id != raised[0].id);
  CHECK(routes_of({to({"ops"})}, over[0]).empty());  // a recovery of the first says it
  CHECK(condition_changes({disk}, {}, 80).empty());
}
