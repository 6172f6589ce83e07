// Frames: what one side writes the other reads, in whatever pieces it comes; nonsense is refused.
#include <catch2/catch.hpp>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "operators/wire.h"

namespace {

using Catch::Contains;
using pipelined::Outcome;
using pipelined::Value;
using pipelined::ValueTable;
namespace wire = pipelined::wire;

wire::Run full_run() {
  wire::Run run;
  run.attempt = "01J";
  run.fence = "ab";
  run.operator_id = "data.validate";
  run.parameters = ValueTable{{"drift", ValueTable{{"late", 0.1}}}, {"argv", "x"}};
  run.inputs["examples"] = {{"7be1", "examples/1", "trees/7be1"}, {"00", "examples/1", "t/00"}};
  run.inputs["empty"] = {{"1", "report/1", ""}};
  run.outputs["anomalies"] = {"anomalies/1", "attempts/01J/out/anomalies"};
  run.folder = "attempts/01J";
  run.scratch = "attempts/01J/scratch";
  run.log = "attempts/01J/log";
  run.seed = -3;
  run.limits = {2.5, 4294967296, 1800000, 1073741824, {0, 3}, {2}};
  run.network = true;
  run.secrets = {"shop"};
  run.readable = {"/srv/shop"};
  return run;
}

wire::Ended full_ended() {
  wire::Ended ended;
  ended.attempt = "01J";
  ended.fence = "ab";
  ended.outcome = Outcome::halt;
  ended.error = "label moved";
  ended.notes = ValueTable{{"verdict", "halt"}};
  ended.metrics = {{"l_infinity", "late", 0.1137}, {"inf", "", HUGE_VAL}};
  ended.outputs = {"anomalies", "examples"};
  ended.requests = {Value(ValueTable{{"kind", "register"}})};
  ended.cpu_ms = 412;
  ended.memory_peak_bytes = 96468992;
  ended.scratch_bytes = 4096;
  ended.failure_class = "exit";
  ended.exit_code = 3;
  ended.signal = 11;
  ended.lost = true;
  ended.retryable = true;
  return ended;
}

std::vector<wire::Message> all_messages() {
  return {full_run(),
          wire::Run{"a", "f", "command.run", {}, {}, {}, "", "s", "", 0, {}, false, {}},
          wire::Cancel{"01J", 10000},
          wire::Ready{"data", "1.0"},
          wire::Refused{"no"},
          wire::Started{"01J"},
          wire::Progress{"01J", 5, 10},
          full_ended(),
          wire::Ended{}};
}

std::string error_of(const std::string& json) {
  const auto message = wire::from_json(json);
  INFO(json);
  REQUIRE_FALSE(message.has_value());
  return message.error().message;
}

std::string frame_of(const std::string& json) {
  std::string frame(4, '\0');
  for (int i = 0; i < 4; ++i) frame[3 - i] = static_cast<char>(json.size() >> (8 * i) & 0xFF);
  return frame + json;
}

}  // namespace

TEST_CASE("wire: every message is read as it was written", "[operators][wire]") {
  for (const wire::Message& message : all_messages()) {
    const auto read = wire::from_json(wire::to_json(message));
    INFO(wire::to_json(message));
    REQUIRE(read.has_value());
    CHECK(*read == message);
  }
}

TEST_CASE("wire: the text of a result is the documented one", "[operators][wire]") {
  wire::Ended ended;
  ended.attempt = "01J";
  ended.fence = "f";
  ended.outcome = Outcome::ok;
  ended.metrics = {{"auc", "", 0.5}};
  CHECK(wire::to_json(ended) ==
        R"({"ended":{"attempt":"01J","error":null,"fence":"f","metrics":[{"name":"auc",)"
        R"("slice":"","value":0.5}],"notes":{},"outcome":"OK","outputs":[],"requests":[],)"
        R"("usage":{"cpu_ms":0,"memory_peak_bytes":0}}})");
  CHECK(wire::to_json(wire::Started{"01J"}) == R"({"started":{"attempt":"01J"}})");
}

TEST_CASE("wire: a metric may be nan", "[operators][wire]") {
  wire::Ended ended = full_ended();
  ended.metrics = {{"auc", "", std::nan("")}};
  const auto read = wire::from_json(wire::to_json(ended));
  REQUIRE(read.has_value());
  CHECK(std::isnan(std::get<wire::Ended>(*read).metrics.at(0).value));
}

TEST_CASE("wire: frames arrive in any pieces", "[operators][wire]") {
  const std::vector<wire::Message> messages = all_messages();
  std::string stream;
  for (int round = 0; round < 20; ++round) {
    for (const wire::Message& message : messages) stream += *wire::encode(message);
  }
  std::mt19937 random(7);
  wire::Decoder decoder;
  std::size_t read = 0;
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t size = std::min<std::size_t>(random() % 97, stream.size() - at);
    decoder.feed(std::string_view(stream).substr(at, size));
    at += size;
    for (;;) {
      const auto next = decoder.next();
      REQUIRE(next.has_value());
      if (!next->has_value()) break;
      CHECK(**next == messages[read++ % messages.size()]);
    }
  }
  CHECK(read == 20 * messages.size());
  CHECK_FALSE(decoder.unfinished());
  decoder.feed("\x01");
  CHECK(decoder.unfinished());
}

TEST_CASE("wire: a frame that is too large is neither sent nor awaited", "[operators][wire]") {
  wire::Refused refused{std::string(wire::frame_bytes_max, 'x')};
  const auto encoded = wire::encode(refused);
  REQUIRE_FALSE(encoded.has_value());
  CHECK(encoded.error().code == pipelined::ErrorCode::exhausted);

  wire::Decoder decoder;
  decoder.feed(std::string("\xFF\xFF\xFF\xFF", 4));
  CHECK_FALSE(decoder.next().has_value());
  decoder.feed(*wire::encode(wire::Started{"a"}));
  CHECK_FALSE(decoder.next().has_value());  // the stream is lost
}

TEST_CASE("wire: a broken frame ends the stream", "[operators][wire]") {
  wire::Decoder decoder;
  decoder.feed(frame_of("{}") + *wire::encode(wire::Started{"a"}));
  CHECK_FALSE(decoder.next().has_value());
  CHECK_FALSE(decoder.next().has_value());
}

TEST_CASE("wire: what is missing or of another kind is named", "[operators][wire]") {
  CHECK_THAT(error_of("[]"), Contains("one table with one key"));
  CHECK_THAT(error_of(R"({"started":{},"ended":{}})"), Contains("one table with one key"));
  CHECK_THAT(error_of(R"({"begun":{}})"), Contains("its kind \"begun\" is unknown"));
  CHECK_THAT(error_of(R"({"started":{}})"), Contains("\"attempt\" is missing"));
  CHECK_THAT(error_of(R"({"started":{"attempt":7}})"), Contains("is not a string but a int"));
  CHECK_THAT(error_of(R"({"run":{"attempt":"a","fence":"f","operator":"o","scratch":"s",
                         "inputs":{"x":{}}}})"), Contains("\"inputs.x\" is not a list"));
  CHECK_THAT(error_of(R"({"run":{"attempt":"a","fence":"f","operator":"o","scratch":"s",
                         "outputs":{"x":{"type":"t/1"}}}})"), Contains("\"path\" is missing"));
  CHECK_THAT(error_of(R"({"ended":{"attempt":"a","fence":"f","outcome":"FINE"}})"),
             Contains("is no outcome but \"FINE\""));
  CHECK_THAT(error_of(R"({"ended":{"attempt":"a","fence":"f","outcome":"OK",
                         "metrics":[{"name":"m","value":"big"}]}})"), Contains("is no number"));
}

TEST_CASE("wire: unknown fields are passed over", "[operators][wire]") {
  const auto message = wire::from_json(R"({"started":{"attempt":"a","since":"2013"}})");
  REQUIRE(message.has_value());
  CHECK(std::get<wire::Started>(*message).attempt == "a");
}

TEST_CASE("wire: damaged frames never do more than fail", "[operators][wire]") {
  const std::string frame = *wire::encode(full_run());
  std::mt19937 random(11);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = frame;
    for (int hits = 0; hits < 3; ++hits) {
      damaged[4 + random() % (damaged.size() - 4)] = static_cast<char>(random() % 256);
    }
    wire::Decoder decoder;
    decoder.feed(damaged);
    if (!decoder.next().has_value()) ++refused;
  }
  CHECK(refused > 1000);
}

TEST_CASE("wire: inputs that are too many for a frame are read back from their text",
          "[operators][wire]") {
  wire::Run run = full_run();
  const auto inputs = run.inputs;
  const auto text = wire::inputs_text(run);
  REQUIRE(text);
  run.inputs.clear();
  run.inputs_file = "attempts/01J/inputs.json";
  const auto sent = wire::from_json(wire::to_json(run));
  REQUIRE(sent);
  wire::Run arrived = std::get<wire::Run>(*sent);
  CHECK(arrived.inputs.empty());
  CHECK(arrived.inputs_file == run.inputs_file);
  REQUIRE(wire::read_inputs(arrived, *text));
  CHECK(arrived.inputs == inputs);
  CHECK_FALSE(wire::read_inputs(arrived, "[]"));
  CHECK_FALSE(wire::read_inputs(arrived, "{\"a\":[{\"digest\":\"1\"}]}"));
}
