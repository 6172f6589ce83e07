#include <catch2/catch.hpp>
#include <limits>

#include "daemon/api/protocol.h"

using namespace pipelined;
using namespace pipelined::protocol;

TEST_CASE("protocol: times are ISO-8601 in UTC with milliseconds", "[api][protocol]") {
  CHECK(iso_time(1'767'225'600'250) == "2026-01-01T00:00:00.250Z");
  CHECK(iso_time(951'782'399'999) == "2000-02-28T23:59:59.999Z");
  CHECK(iso_time(0).empty());
  const TimeMs ms = GENERATE(TimeMs{1}, TimeMs{951'782'400'000}, TimeMs{4'102'444'799'999});
  CHECK(parse_iso_time(iso_time(ms)) == ms);
  for (const char* text : {"2026-02-30T00:00:00.000Z", "2026-01-01", "x", "2026-01-01T24:00:00.000Z",
                           "2026-01-01T00:00:00.000Zx"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_iso_time(text).has_value());
  }
}

TEST_CASE("protocol: what is written reads back", "[api][protocol]") {
  RunDetail detail;
  detail.run.number = 4, detail.run.pipeline = "flights", detail.run.state = "halted";
  detail.run.params = {{"depth", 8}, {"rate", 0.5}, {"name", "x"}, {"whole", 1.0}};
  detail.run.created_at = {1'767'225'600'250};
  detail.run.reason = {"arrival", "arrival flights 2013-12", {{"depth", "6", "8"}}};
  detail.run.steps = {{"cached", 3}};
  detail.spans = {{"flights", "2013-12", 2, "dropped"}};
  Step step;
  step.step = "validate", step.element = "2013-12", step.operator_id = "data.validate";
  step.outputs = {{"anomalies", 0, "ab", "anomalies/1", 12}};
  step.metrics = {{"l_infinity", "late", 0.1137}};
  step.notes = ValueTable{{"rows", 27020}, {"list", ValueList{true, Value(), "ü"}}};
  step.attempts.emplace_back();
  detail.steps = {step};
  const std::string json = to_json(detail);
  const auto back = from_json<RunDetail>(json);
  REQUIRE(back);
  CHECK(to_json(*back) == json);
  CHECK(back->steps.front().notes == step.notes);
  CHECK(back->run.params == detail.run.params);  // 1.0 stays a double
  CHECK(back->run.created_at == detail.run.created_at);
  CHECK(json.find("\"operator\":\"data.validate\"") != std::string::npos);
  CHECK(json.find("\"ended_at\":null") != std::string::npos);
}

TEST_CASE("protocol: replies may have fields that we do not know, requests may not",
          "[api][protocol]") {
  const std::string text = R"({"pipeline":"flights","newer":1})";
  CHECK(from_json<RunRequest>(text));
  const auto refused = from_json_strictly<RunRequest>(text);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("newer") != std::string::npos);
}

TEST_CASE("protocol: a wrong kind is an error that names the field", "[api][protocol]") {
  struct Case { const char* text; const char* expected; };
  const Case one = GENERATE(Case{R"({"force":"x"})", "force"}, Case{R"({"force":["a",1]})", "force[1]"},
                            Case{R"({"params":[]})", "params"}, Case{R"({"refresh":1})", "refresh"},
                            Case{R"([])", "table"}, Case{R"({"a)", "JSON"}, Case{"", "JSON"});
  CAPTURE(one.text);
  const auto read = from_json<RunRequest>(one.text);
  REQUIRE_FALSE(read);
  CHECK(read.error().code == ErrorCode::invalid);
  CHECK(read.error().message.find(one.expected) != std::string::npos);
}

TEST_CASE("protocol: deep nesting is refused, not recursed into", "[api][protocol]") {
  const std::string deep = "{\"params\":{\"x\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}}";
  CHECK_FALSE(from_json<RunRequest>(deep));
}

TEST_CASE("protocol: bytes that are no UTF-8 do not break the JSON", "[api][protocol]") {
  Done done;
  done.sentence = "a\xff z";
  const auto back = from_json<Done>(to_json(done));
  REQUIRE(back);
  CHECK(back->sentence == "a\xef\xbf\xbd z");
}

TEST_CASE("protocol: numbers that JSON cannot say are null and read as not a number",
          "[api][protocol]") {
  Step step;
  RunDetail detail;
  step.metrics = {{"auc", "", std::numeric_limits<double>::infinity()}};
  detail.steps = {step};
  const auto back = from_json<RunDetail>(to_json(detail));
  REQUIRE(back);
  CHECK(back->steps.front().metrics.front().value != back->steps.front().metrics.front().value);
}

TEST_CASE("protocol: base64 reads what it wrote and nothing malformed", "[api][protocol]") {
  CHECK(base64_encode("") == "");
  CHECK(base64_encode("f") == "Zg==");
  CHECK(base64_encode("fo") == "Zm8=");
  CHECK(base64_encode("foobar") == "Zm9vYmFy");
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    CHECK(base64_decode(base64_encode(bytes)) == bytes);
  }
  for (const char* text : {"Zg=", "Zg", "Z===", "====", "Z=g=", "Zg==Zg==", "Zm9\n", "Zm9*"}) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
}

TEST_CASE("protocol: UTF-8 is judged strictly", "[api][protocol]") {
  for (const char* good : {"", "plain", "ü", "€", "\xf0\x9f\x98\x80"}) CHECK(is_utf8(good));
  for (const char* bad : {"\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                          "\xf8\x88\x80\x80\x80", "\xe2\x82", "\xff"}) {
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("protocol: a schema names every field with its type", "[api][protocol]") {
  const std::string schema = json_schema<RunList>();
  CHECK(schema.find(R"("runs":{"type":"array")") != std::string::npos);
  CHECK(schema.find(R"("created_at":{"type":"string","format":"date-time")") != std::string::npos);
}
