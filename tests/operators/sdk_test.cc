// What an operator written with the SDK sees and what becomes of what it says.
#include <catch2/catch.hpp>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "operators/testing/fake_context.h"

namespace {

namespace sdk = pipelined::sdk;
using pipelined::Error;
using pipelined::ErrorCode;
using pipelined::Outcome;
using pipelined::Result;
using pipelined::testing::FakeContext;
using pipelined::testing::metric;
namespace wire = pipelined::wire;

constexpr auto describe_all =
    sdk::describe("test.all", 3, "Takes everything")
        .input("files", "files/1", "many files", sdk::many)
        .input("extra", "report/1", "may be missing", sdk::optional)
        .output("report", "report/1", "what was seen", sdk::evidence)
        .output("more", "report/1", "may stay empty", sdk::optional)
        .pass("same", "report/1", "extra", "the input again")
        .param(sdk::text("format", "a choice").standard("auto").choices("auto|csv"))
        .param(sdk::integer("rounds", "a limit").standard("100").at_least(1).at_most(1000))
        .param(sdk::number("rate", "a number").standard("0.3"))
        .param(sdk::flag("fast", "a flag").standard("false"))
        .param(sdk::list("null", "words").standard(R"(["NA",""])"))
        .param(sdk::table("drift", "thresholds"))
        .param(sdk::text("label", "no default"))
        .library("nothing", "1.2.3")
        .resources(2, 1024);

Result<void> write_parameters(sdk::Context& context) {
  std::ofstream report(context.output_path("report") / "seen.txt");
  report << context.text("format") << ' ' << context.integer("rounds") << ' '
         << context.number("rate") << ' ' << context.flag("fast") << ' '
         << context.list("null").size() << ' ' << context.text("label", "none") << ' '
         << context.number("drift.late.l_infinity", 9) << '\n';
  for (const std::string& key : context.keys("drift")) report << key << '\n';
  return {};
}
using WriteParameters = sdk::Operator<describe_all, write_parameters>;

template <int kind>
Result<void> end_with(sdk::Context& context) {
  std::ofstream(context.output_path("report") / "x") << "x";
  switch (kind) {
    case 0: return Error{ErrorCode::invalid, "bad"};
    case 1: return Error{ErrorCode::unavailable, "bad"};
    case 2: return Error{ErrorCode::cancelled, "bad"};
    case 3: return Error{ErrorCode::unsupported, "bad"};
    case 4: return Error{ErrorCode::corrupt, "bad"};
    case 5: throw std::runtime_error("bad");
    case 6: throw 7;  // NOLINT: the point of the test
    case 7: context.halt("bad"); return {};
    case 8: return context.integer("label") > 0 ? Result<void>() : Error{ErrorCode::io, "zero"};
    default: return {};
  }
}

template <int kind>
wire::Ended ended_with(FakeContext& context) {
  return context.output("report", "report/1").run(end_with<kind>);
}

}  // namespace

TEST_CASE("sdk: what the step leaves out has the descriptor's default", "[operators][sdk]") {
  FakeContext context;
  const wire::Ended ended = context.run(WriteParameters::descriptor);
  CHECK(ended.outcome == Outcome::ok);
  CHECK(context.output_text("report", "seen.txt") == "auto 100 0.3 0 2 none 9\n");
}

TEST_CASE("sdk: dotted names lead into tables, also past keys with dots", "[operators][sdk]") {
  FakeContext context;
  context.params(R"({"format":"csv","rounds":5,"rate":2,"fast":true,"null":"x","label":"late",
                     "drift":{"late":{"l_infinity":0.1},"a.b":{"c":1}}})");
  const wire::Ended ended = context.run(WriteParameters::descriptor);
  CHECK(ended.error == "");
  CHECK(context.output_text("report", "seen.txt") == "csv 5 2 1 1 late 0.1\na.b\nlate\n");

  FakeContext bare;
  bare.params(R"({"drift":{"a.b":{"c":1},"a":{"d":2}}})");
  const wire::Ended found = bare.run([](sdk::Context& inner) -> Result<void> {
    const bool both = inner.number("drift.a.b.c") == 1 && inner.number("drift.a.d") == 2;
    return both ? Result<void>() : Error{ErrorCode::internal, "not found"};
  });
  CHECK(found.outcome == Outcome::ok);
}

TEST_CASE("sdk: bad parameters end the attempt before the operator runs", "[operators][sdk]") {
  const auto error_of = [](const std::string& params) {
    FakeContext context;
    context.params(params);
    const wire::Ended ended = context.run(WriteParameters::descriptor);
    CHECK(ended.outcome == Outcome::invalid);
    CHECK_FALSE(std::filesystem::exists(context.output_path("report") / "seen.txt"));
    return ended.error;
  };
  using Catch::Contains;
  CHECK_THAT(error_of(R"({"rounds":0})"), Contains("\"rounds\" is below 1"));
  CHECK_THAT(error_of(R"({"rounds":1001})"), Contains("\"rounds\" is above 1000"));
  CHECK_THAT(error_of(R"({"rounds":1.5})"), Contains("is a float where a int is wanted"));
  CHECK_THAT(error_of(R"({"format":"tsv"})"), Contains("where one of auto csv is wanted"));
  CHECK_THAT(error_of(R"({"round":7})"), Contains("did you mean \"rounds\"?"));
}

TEST_CASE("sdk: errors, exceptions and verdicts become outcomes", "[operators][sdk]") {
  FakeContext context;
  CHECK(ended_with<0>(context).outcome == Outcome::invalid);
  const wire::Ended retry = ended_with<1>(context);
  CHECK(retry.outcome == Outcome::retry);
  CHECK(retry.retryable);
  CHECK(ended_with<2>(context).outcome == Outcome::cancelled);
  CHECK(ended_with<3>(context).outcome == Outcome::unsupported);
  const wire::Ended failed = ended_with<4>(context);
  CHECK(failed.outcome == Outcome::failed);
  CHECK(failed.error == "bad");
  CHECK(failed.outputs.empty());
  CHECK_FALSE(failed.retryable);
  CHECK(ended_with<5>(context).outcome == Outcome::failed);
  CHECK(ended_with<6>(context).error == "the operator threw something that is no std::exception");
  const wire::Ended halt = ended_with<7>(context);
  CHECK(halt.outcome == Outcome::halt);
  CHECK(halt.error == "bad");
  CHECK((halt.outputs == std::vector<std::string>{"report"}));
  const wire::Ended ok = ended_with<9>(context);
  CHECK(ok.outcome == Outcome::ok);
  CHECK(ok.error == "");
}

Result<void> name_two(sdk::Context& context) {
  if (context.more()) return Error{ErrorCode::internal, "nothing was named yet"};
  TRY_VOID(context.generate(R"({"x": 1, "kind": "plain"})"));
  return context.generate(R"({"x": 2.5})");
}

TEST_CASE("sdk: a generator that names elements ends as MORE, in their order", "[operators][sdk]") {
  FakeContext context;
  context.output("report", "report/1");
  const wire::Ended ended = context.run(name_two);
  CHECK(ended.outcome == Outcome::more);
  CHECK(ended.outputs.empty());
  CHECK((context.generated() == std::vector<std::string>{R"({"kind":"plain","x":1})", R"({"x":2.5})"}));
  CHECK(ended_with<9>(context).outcome == Outcome::ok);
  CHECK(context.generated().empty());  // those of the last run
}

TEST_CASE("sdk: a getter of another kind ends the attempt as invalid", "[operators][sdk]") {
  FakeContext context;
  context.params(R"({"label":"late"})");
  const wire::Ended ended = ended_with<8>(context);
  CHECK(ended.outcome == Outcome::invalid);
  CHECK(ended.error == "parameter \"label\" is not an integer");
}

TEST_CASE("sdk: an empty output was not delivered, a passed input was", "[operators][sdk]") {
  FakeContext context;
  context.input_file("extra", "report/1", "a.txt", "a");
  const wire::Ended ended = context.run(WriteParameters::descriptor);
  CHECK((ended.outputs == std::vector<std::string>{"report", "same"}));
  FakeContext without;
  CHECK((without.run(WriteParameters::descriptor).outputs == std::vector<std::string>{"report"}));
}

TEST_CASE("sdk: inputs come in order with type, digest and sorted files", "[operators][sdk]") {
  FakeContext context;
  context.input_file("files", "files/1", "b.csv", "first");
  context.input_file("files", "files/1", "a.csv", "");
  context.input_file("other", "report/1", "deep/er.txt", "x");
  const wire::Ended ended = context.run([](sdk::Context& inner) -> Result<void> {
    CHECK((inner.input_ports() == std::vector<std::string>{"files", "other"}));
    CHECK(inner.input_count("files") == 2);
    CHECK(inner.input_count("none") == 0);
    CHECK(inner.input_type("other") == "report/1");
    CHECK(inner.input_digest("files", 0).size() == 64);
    CHECK(inner.input_files("files", 0).at(0).filename() == "b.csv");
    CHECK(inner.input_files("files", 1).at(0).filename() == "a.csv");
    CHECK(inner.input_files("other").at(0).filename() == "er.txt");
    CHECK_FALSE(inner.wants_output("report"));
    CHECK(inner.output_ports().empty());
    CHECK(std::filesystem::is_directory(inner.scratch_path()));
    inner.input_path("files", 2);
    return {};
  });
  CHECK(ended.outcome == Outcome::failed);
  CHECK(ended.error == "no input at port \"files\"");
}

TEST_CASE("sdk: metrics, notes, logs and progress are reported", "[operators][sdk]") {
  FakeContext context;
  const wire::Ended ended = context.seed(41).cpus(2.5).memory_bytes(7).run(
      [](sdk::Context& inner) -> Result<void> {
        inner.metric("auc", 0.5);
        inner.metric("auc", 0.7);
        inner.metric("auc", std::nan(""), "origin=EWR");
        inner.note("verdict", R"({"pass":true})");
        inner.note("plain", "not json");
        inner.log(sdk::Level::warning, "a \xFF byte");
        inner.progress(3, 4);
        CHECK(inner.seed() == 41);
        CHECK(inner.threads() == 2);
        CHECK(inner.memory_bytes() == 7);
        CHECK(inner.deadline_ms() == -1);
        CHECK_FALSE(inner.cancelled());
        return {};
      });
  CHECK(metric(ended, "auc") == 0.7);
  CHECK(std::isnan(metric(ended, "auc", "origin=EWR").value()));
  CHECK(ended.metrics.size() == 2);
  CHECK(*ended.notes.at("verdict").as_table()->at("pass").as_bool());
  CHECK(*ended.notes.at("plain").as_text() == "not json");
  REQUIRE(context.log().size() == 1);
  CHECK(context.log()[0].text == "a \xEF\xBF\xBD byte");
  CHECK((context.progress() == wire::Progress{"test", 3, 4}));
}

TEST_CASE("sdk: reports beyond the bound are dropped with one warning", "[operators][sdk]") {
  FakeContext context;
  const wire::Ended ended = context.run([](sdk::Context& inner) -> Result<void> {
    for (int i = 0; i < 20000; ++i) inner.note("n" + std::to_string(i), std::string(100, '1'));
    return {};
  });
  CHECK(ended.notes.size() > 1000);
  CHECK(ended.notes.size() < 6000);
  CHECK(context.log().size() == 1);
  CHECK(wire::encode(ended).has_value());
}

TEST_CASE("sdk: callbacks may come from several threads", "[operators][sdk]") {
  FakeContext context;
  context.params(R"({"a":[1,2,3]})");
  const wire::Ended ended = context.run([](sdk::Context& inner) -> Result<void> {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&inner, t] {
        for (int i = 0; i < 100; ++i) {
          inner.metric("m" + std::to_string(t), i);
          inner.progress(i, 100);
          if (inner.list("a").size() != 3) inner.note("wrong", "true");
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    return {};
  });
  CHECK(ended.metrics.size() == 4);
  CHECK(ended.notes.empty());
}

TEST_CASE("sdk: a cancelled operator sees it", "[operators][sdk]") {
  FakeContext context;
  const wire::Ended ended = context.cancel(3).run([](sdk::Context& inner) -> Result<void> {
    for (int i = 1;; ++i) {
      if (inner.cancelled()) return Error{ErrorCode::cancelled, "at " + std::to_string(i)};
      inner.progress(i);
    }
  });
  CHECK(ended.outcome == Outcome::cancelled);
  CHECK(ended.error == "at 4");
}

TEST_CASE("sdk: text that is too long for an error is cut at a character", "[operators][sdk]") {
  pl_error_t error{};
  error.struct_size = sizeof error;
  std::string text(sizeof error.message - 2, 'a');
  text += "\xC3\xA4\xC3\xA4";
  sdk::fill(&error, text);
  CHECK(std::string(error.message) == std::string(sizeof error.message - 2, 'a'));
  pl_error_t small{};
  small.struct_size = 16;
  sdk::fill(&small, "nothing");
  CHECK(small.message[0] == 0);
}
