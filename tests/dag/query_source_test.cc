// What a query source asks, what its spans are called, and how the engine goes on from poll to poll.
#include "dag/query_source.h"
#include "dag/span_pattern.h"
#include "tests/support/engine_world.h"

namespace {

using namespace pipelined;

constexpr const char* orders = R"(
name = "shop"
[source.orders]
kind = "query"
database = "sqlite"
path = "shop.db"
query = "SELECT * FROM orders"
watermark = "id"
every = "10s"
[[trigger]]
arrival = ["orders"]
coalesce = "1s"
[step.look]
foreach = "source.orders"
operator = "look"
in.examples = "each"
)";

/// An engine with a database that a test speaks for.
struct Shop : EngineWorld {
  Shop() {
    OperatorInfo asks = fake_operator("ingest.query", {}, {port("examples", "examples/1")});
    asks.plugin = "ingest";
    operators["ingest.query"] = asks;
    operators["look"] = fake_operator("look", {port("examples", "examples/1")}, {port("out")});
  }

  static std::string with(const std::string& more) {
    std::string text = orders;
    const std::string at = "every = \"10s\"\n";
    return text.replace(text.find(at), at.size(), at + more + "\n");
  }
  const effect::StartPoll* asked() const {
    for (const Effect& e : effects) {
      if (const auto* start = std::get_if<effect::StartPoll>(&e)) return start;
    }
    return nullptr;
  }
  std::string param(const effect::StartPoll& poll, const std::string& name) const {
    const auto found = poll.start.params.find(name);
    if (found == poll.start.params.end()) return "none";
    return found->second.as_text() != nullptr ? *found->second.as_text() : canonical(found->second);
  }
  static Value notes(int rows, const std::string& first, const std::string& last,
                     const std::string& seen, const std::string& type = "int") {
    return Value(ValueTable{{"rows", rows}, {"first", first}, {"last", last}, {"seen", seen},
                            {"type", type}});
  }
  void answer(const std::string& poll, const Value& told) {
    event::PollEnded ended;
    ended.poll = poll;
    ended.outcome = Outcome::ok;
    ended.notes = told;
    const std::string rows = canonical(told);
    if (read_poll_notes(told).rows > 0) {
      ended.snapshot = ArtifactRef{sha256(rows), "examples/1", 10};
    }
    turn(ended);
  }
  void fail(const std::string& poll, const std::string& why, bool retryable) {
    event::PollEnded ended;
    ended.poll = poll;
    ended.error = why;
    ended.retryable = retryable;
    turn(ended);
  }
  /// Lets time pass and returns the poll that it started.
  std::string next(std::int64_t ms) {
    wait(ms);
    return asked() == nullptr ? "" : asked()->poll;
  }
  const PollRow& row() { return ledger.polls.at({"shop", "orders"}); }
};

}  // namespace

TEST_CASE("query: the first poll is due at once and takes everything", "[dag][query]") {
  Shop world;
  world.apply(orders);
  REQUIRE(world.asked() != nullptr);
  const effect::StartPoll poll = *world.asked();
  CHECK(poll.start.operator_id == "ingest.query");
  CHECK(poll.start.plugin == "ingest");
  CHECK(world.param(poll, "path") == "/data/shop.db");
  CHECK(world.param(poll, "watermark") == "id");
  CHECK(world.param(poll, "after") == "none");
  CHECK(poll.start.readable == std::vector<std::string>{"/data/"});
  CHECK_FALSE(poll.start.network);
  world.answer(poll.poll, Shop::notes(3, "1", "3", "3"));
  CHECK(world.span_state("shop", "orders", "1-3") == SpanState::open);
  CHECK(world.row().watermark == "3");
  CHECK(world.row().sentence == "3 rows, id 1 to 3");
  world.wait(1000);  // the arrival starts a run as any other
  REQUIRE(world.started.size() == 1);
  CHECK(world.started[0].element == "1-3");
}

TEST_CASE("query: the next poll asks for what is greater; without new rows there is no span",
          "[dag][query]") {
  Shop world;
  world.apply(orders);
  world.answer(world.asked()->poll, Shop::notes(3, "1", "3", "3"));
  CHECK(world.next(9'999).empty());
  const std::string second = world.next(1);
  REQUIRE_FALSE(second.empty());
  CHECK(world.param(*world.asked(), "after") == "3");
  CHECK(world.param(*world.asked(), "after_type") == "int");
  world.answer(second, Shop::notes(0, "", "", ""));
  CHECK(world.ledger.arrivals.size() == 1);
  CHECK(world.row().polls == 2);
  CHECK(world.row().sentence == "no new row");
  world.answer(world.next(10'000), Shop::notes(1, "7", "7", "7"));
  CHECK(world.span_state("shop", "orders", "7") == SpanState::open);
}

TEST_CASE("query: an end that is not of the poll under way changes nothing", "[dag][query]") {
  Shop world;
  world.apply(orders);
  const std::string first = world.asked()->poll;
  world.apply(Shop::with("timeout = \"1m\""));  // another version asks anew
  REQUIRE(world.asked() != nullptr);
  const std::string second = world.asked()->poll;
  world.answer(first, Shop::notes(3, "1", "3", "3"));
  CHECK(world.ledger.arrivals.empty());
  world.answer(second, Shop::notes(4, "1", "4", "4"));
  world.answer(second, Shop::notes(4, "1", "4", "4"));  // said twice
  CHECK(world.ledger.arrivals.size() == 1);
  CHECK(world.row().rows == 4);
}

TEST_CASE("query: a daemon that starts again goes on from the recorded watermark", "[dag][query]") {
  Shop world;
  world.apply(orders);
  world.answer(world.asked()->poll, Shop::notes(3, "1", "3", "3"));
  const std::string lost = world.next(10'000);
  REQUIRE_FALSE(lost.empty());
  world.restart();  // in the midst of the second poll
  REQUIRE(world.asked() != nullptr);
  const std::string again = world.asked()->poll;
  CHECK(world.param(*world.asked(), "after") == "3");
  world.answer(lost, Shop::notes(2, "4", "5", "5"));
  CHECK(world.ledger.arrivals.size() == 1);
  world.answer(again, Shop::notes(2, "4", "5", "5"));
  CHECK(world.ledger.arrivals.size() == 2);
}

TEST_CASE("query: with a lag rows are taken up to what was seen that long ago", "[dag][query]") {
  Shop world;
  world.apply(Shop::with("lag = \"4s\""));
  CHECK(world.param(*world.asked(), "take") == "false");
  world.answer(world.asked()->poll, Shop::notes(0, "", "", "5"));
  CHECK(world.ledger.arrivals.empty());
  const std::string take = world.next(4'000);
  REQUIRE_FALSE(take.empty());
  CHECK(world.param(*world.asked(), "upto") == "5");
  CHECK(world.param(*world.asked(), "take") == "none");
  world.answer(take, Shop::notes(5, "1", "5", "9"));  // 6 to 9 came meanwhile
  CHECK(world.row().watermark == "5");
  const std::string more = world.next(10'000);
  REQUIRE_FALSE(more.empty());
  CHECK(world.param(*world.asked(), "upto") == "9");
  world.answer(more, Shop::notes(4, "6", "9", "9"));
  CHECK(world.row().watermark == "9");
  CHECK(world.ledger.arrivals.size() == 2);
}

TEST_CASE("query: whatever ends, dies or comes twice, each row is in one span", "[dag][query]") {
  std::uint64_t random = 12345;
  const auto below = [&random](std::uint64_t bound) {
    random = random * 6364136223846793005ull + 1442695040888963407ull;
    return (random >> 33) % bound;
  };
  for (int seed = 0; seed < 60; ++seed) {
    Shop world;
    const bool lags = seed % 2 == 1;
    world.apply(lags ? Shop::with("lag = \"3s\"") : orders);
    std::int64_t there = 0;                       // ids 1 to there are committed
    std::vector<effect::StartPoll> asked;         // also those that died with their engine
    std::vector<std::pair<std::string, Value>> said;
    const auto look = [&] {
      for (const Effect& e : world.effects) {
        if (const auto* start = std::get_if<effect::StartPoll>(&e)) asked.push_back(*start);
      }
    };
    const auto number = [&](const effect::StartPoll& poll, const std::string& name) {
      const std::string text = world.param(poll, name);
      return text == "none" ? std::int64_t{0} : std::stoll(text);
    };
    look();
    for (int round = 0; round < 120; ++round) {
      const auto what = below(10);
      if (what < 3) there += static_cast<std::int64_t>(below(4));
      if (what == 3) world.restart(), look();
      if (what == 4 && !said.empty()) {           // an answer that was given before
        const auto& again = said[below(said.size())];
        world.answer(again.first, again.second), look();
      }
      if (what >= 5 && what < 8 && !asked.empty()) {
        const effect::StartPoll poll = asked[below(asked.size())];
        const std::int64_t after = number(poll, "after");
        std::int64_t upto = number(poll, "upto");
        if (upto == 0) upto = world.param(poll, "take") == "false" ? after : there;
        const std::int64_t rows = upto - after;
        const Value told = Shop::notes(
            static_cast<int>(rows), rows > 0 ? std::to_string(after + 1) : "",
            rows > 0 ? std::to_string(upto) : "", there > after ? std::to_string(there) : "");
        if (below(5) == 0) {
          world.fail(poll.poll, "the server is not there", true);
        } else {
          said.emplace_back(poll.poll, told);
          world.answer(poll.poll, told);
        }
        look();
      }
      if (what >= 8) world.wait(static_cast<std::int64_t>(below(6000))), look();
    }
    std::vector<std::int64_t> taken;
    for (const auto& [arrival, row] : world.ledger.arrivals) {
      CHECK(row.version == 1);
      const std::size_t dash = row.span.find('-');
      const std::int64_t first = std::stoll(row.span.substr(0, dash));
      const std::int64_t last = dash == std::string::npos ? first : std::stoll(row.span.substr(dash + 1));
      for (std::int64_t id = first; id <= last; ++id) taken.push_back(id);
    }
    INFO("seed " << seed);
    CHECK(std::to_string(taken.size()) == (taken.empty() ? "0" : world.row().watermark));
    for (std::size_t i = 0; i < taken.size(); ++i) CHECK(taken[i] == static_cast<std::int64_t>(i + 1));
  }
}

TEST_CASE("query: without a watermark each other answer is a version of one span", "[dag][query]") {
  Shop world;
  std::string text = orders;
  text.replace(text.find("watermark"), std::string("watermark = \"id\"\n").size(), "");
  world.apply(text);
  world.answer(world.asked()->poll, Shop::notes(3, "", "", "", ""));
  world.answer(world.next(10'000), Shop::notes(3, "", "", "", ""));
  CHECK(world.ledger.arrivals.size() == 1);
  CHECK_THAT(world.row().sentence, Catch::Contains("the same 3 rows as before"));
  world.answer(world.next(10'000), Shop::notes(4, "", "", "", ""));
  REQUIRE(world.ledger.arrivals.size() == 2);
  CHECK(world.ledger.arrivals.at(2).span == "all");
  CHECK(world.ledger.arrivals.at(2).version == 2);
}

TEST_CASE("query: a failure is tried again ever later; people hear of it once an episode",
          "[dag][query]") {
  Shop world;
  world.apply(orders);
  const auto alerts = [&world](const std::string& severity) {
    return std::count_if(world.ledger.alerts.begin(), world.ledger.alerts.end(),
                         [&](const auto& one) { return one.second.severity == severity; });
  };
  world.fail(world.asked()->poll, "the server is not there", true);
  CHECK(world.next(999).empty());
  world.fail(world.next(1), "the server is not there", true);
  CHECK(alerts("error") == 0);  // it may pass by itself
  CHECK(world.next(1'999).empty());
  world.fail(world.next(1), "the server is not there", true);
  CHECK(alerts("error") == 1);
  world.fail(world.next(4'000), "the server is not there", true);
  CHECK(alerts("error") == 1);
  CHECK(world.row().failures == 4);
  CHECK(world.row().watermark.empty());
  world.answer(world.next(8'000), Shop::notes(2, "1", "2", "2"));
  CHECK(alerts("info") == 1);
  CHECK(world.row().failures == 0);
  world.fail(world.next(10'000), "there is no table orders", false);
  CHECK(alerts("error") == 2);  // another episode, and this one does not pass
}

TEST_CASE("query: asking works and no row comes: what is expected says so", "[dag][query]") {
  Shop world;  // it begins on 2023-11-14 at 22:13:20 UTC
  world.apply(Shop::with("expect = { schedule = \"0 23 * * *\", within = \"10m\" }"));
  world.answer(world.asked()->poll, Shop::notes(0, "", "", ""));
  world.wait(3'600'000);
  const auto late = std::find_if(world.ledger.alerts.begin(), world.ledger.alerts.end(),
                                 [](const auto& one) { return one.second.severity == "warning"; });
  REQUIRE(late != world.ledger.alerts.end());
  CHECK(late->second.sentence ==
        "source orders: a span was due at 2023-11-14T23:00:00+00:00 and has not come; none has ever come");
}

TEST_CASE("query: values that cannot name a span, or come again, take nothing", "[dag][query]") {
  Shop world;
  world.apply(orders);
  world.answer(world.asked()->poll, Shop::notes(1, "-4", "-4", "-4"));
  CHECK(world.ledger.arrivals.empty());
  CHECK_THAT(world.row().sentence, Catch::Contains("whole numbers from 0 on"));
  CHECK(world.row().watermark.empty());
  world.answer(world.next(1'000), Shop::notes(1, "4", "4", "4"));
  world.answer(world.next(10'000), Shop::notes(2, "4", "4", "4"));
  CHECK(world.ledger.arrivals.size() == 1);
  CHECK_THAT(world.row().sentence, Catch::Contains("does not only grow"));
}

TEST_CASE("query: another watermark is refused, since nothing can be gone on from", "[dag][query]") {
  Shop world;
  world.apply(orders);
  world.answer(world.asked()->poll, Shop::notes(1, "4", "4", "4"));
  std::string text = orders;
  text.replace(text.find("\"id\""), 4, "\"at\"");
  world.apply(text);
  CHECK(world.asked() == nullptr);
  CHECK_THAT(world.row().sentence, Catch::Contains("give it another name to begin anew"));
}

TEST_CASE("query: two polls at once at most, the longest waiting first", "[dag][query]") {
  Shop world;
  std::string text = "name = \"many\"\n";
  for (const char* name : {"a", "b", "c"}) {
    text += std::string("[source.") + name +
            "]\nkind = \"query\"\ndatabase = \"postgresql\"\nsecret = \"shop\"\n"
            "query = \"SELECT 1 AS x\"\nevery = \"10s\"\n";
  }
  text += "[step.one]\noperator = \"one\"\nparams.p = 1\n";
  world.apply(text);
  std::vector<effect::StartPoll> asked;
  const auto look = [&] {
    for (const Effect& e : world.effects) {
      if (const auto* start = std::get_if<effect::StartPoll>(&e)) asked.push_back(*start);
    }
  };
  look();
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].start.secrets == std::vector<std::string>{"shop"});
  CHECK(asked[0].start.network);
  world.answer(asked[0].poll, Shop::notes(0, "", "", "", ""));
  look();
  REQUIRE(asked.size() == 3);
  CHECK(asked[2].start.element == "c");
}

TEST_CASE("query: spans are called by the range of their watermarks, in its order", "[dag][query]") {
  const auto span = [](const char* type, const char* first, const char* last) {
    const auto named = span_of_range(type, first, last);
    return named ? *named : named.error().message;
  };
  CHECK(span("int", "1", "250") == "1-250");
  CHECK(span("int", "7", "7") == "7");
  CHECK(span("date", "2024-01-05", "2024-02-01") == "20240105-20240201");
  CHECK(span("time", "2024-01-05 08:30:00.250000", "2024-01-05 09:15:00Z") ==
        "20240105T083000.25-20240105T091500");
  CHECK(span("time", "2024-01-05T08:30", "2024-01-05T08:30") == "20240105T083000");
  CHECK(span("string", "01HZX_a.b", "01HZY") == "01HZX_a.b-01HZY");
  for (const auto& [type, value] : std::vector<std::pair<const char*, const char*>>{
           {"int", "-1"}, {"int", ""}, {"date", "infinity"}, {"time", "12:00"},
           {"time", "2024-01-05 08:30:00.x"}, {"string", "a b"}, {"string", "a-b"}, {"float", "1.5"}}) {
    INFO(type << " " << value);
    CHECK_THAT(span(type, value, value), Catch::Contains("cannot name a span"));
  }
  CHECK(span_before("9-20", "21-100"));
  CHECK(span_before("20240105T083000", "20240105T083000.25"));
  CHECK(span_before("20240105T083000.25", "20240105T083001"));
}

TEST_CASE("query: what is wrong with the source is said when the pipeline is checked",
          "[dag][query]") {
  const auto problems = [](const std::string& source) {
    const ParsedPipeline parsed = parse_pipeline(
        "name = \"p\"\n[source.s]\nkind = \"query\"\n" + source +
            "[step.one]\noperator = \"one\"\nparams.p = 1\n", "pipeline.toml");
    std::string all;
    for (const Diagnostic& one : parsed.problems) all += one.message + "\n";
    if (!parsed.spec) return all;
    Shop world;
    for (const Diagnostic& one : check(*parsed.spec, world.operators, {{"q.sql", "SELECT 1"}},
                                       "pipeline.toml")) {
      if (!one.warning) all += one.message + "\n";
    }
    return all;
  };
  using Catch::Contains;
  CHECK(problems("database = \"sqlite\"\npath = \"a.db\"\nquery = { file = \"q.sql\" }\n").empty());
  CHECK(problems("database = \"postgresql\"\nsecret = \"s\"\nquery = \"SELECT 1\"\n").empty());
  CHECK_THAT(problems("path = \"a.db\"\nquery = \"SELECT 1\"\n"), Contains("has no database"));
  CHECK_THAT(problems("database = \"sqlite\"\nquery = \"SELECT 1\"\n"), Contains("has no path"));
  CHECK_THAT(problems("database = \"postgresql\"\nquery = \"SELECT 1\"\n"),
             Contains("has no secret"));
  CHECK_THAT(problems("database = \"sqlite\"\npath = \"a.db\"\n"), Contains("has no query"));
  CHECK_THAT(problems("database = \"sqlite\"\npath = \"a.db\"\nquery = { file = \"z.sql\" }\n"),
             Contains("which is not beside the pipeline"));
  CHECK_THAT(problems("database = \"sqlite\"\npath = \"a.db\"\nquery = \"SELECT 1\"\nevery = \"1ms\"\n"),
             Contains("at least 100 ms"));
  CHECK_THAT(problems("database = \"sqlite\"\npath = \"a.db\"\nquery = \"SELECT 1\"\n"
                      "expect = { schedule = \"0 6 * * *\" }\n"),
             Contains("expects new spans and has no watermark"));
  CHECK_THAT(problems("database = \"oracle\"\nquery = \"SELECT 1\"\n"), Contains("must be one of"));
  CHECK_THAT(problems("database = \"sqlite\"\npath = \"a.db\"\nquery = 3\n"),
             Contains("a string or { file"));
  CHECK_THAT(problems("database = \"sqlite\"\npath = \"a.db\"\nquery = \"SELECT 1\"\nsettle = \"1s\"\n"),
             Contains("is not for a source of kind query"));
}

TEST_CASE("query: waiting grows to a minute or the source's pace", "[dag][query]") {
  CHECK(poll_backoff_ms(1, 1'000) == 1'000);
  CHECK(poll_backoff_ms(4, 1'000) == 8'000);
  CHECK(poll_backoff_ms(60, 1'000) == 60'000);
  CHECK(poll_backoff_ms(60, 300'000) == 300'000);
}

TEST_CASE("source: a marker has the words of its path, and there is one of it", "[dag][delivery]") {
  const auto problems = [](const std::string& source) {
    const ParsedPipeline parsed = parse_pipeline(
        "name = \"p\"\n[source.s]\n" + source + "[step.one]\noperator = \"one\"\nparams.p = 1\n",
        "pipeline.toml");
    std::string all;
    for (const Diagnostic& one : parsed.problems) all += one.message + "\n";
    if (!parsed.spec) return all;
    for (const Diagnostic& one : check(*parsed.spec, fake_operators(), {}, "pipeline.toml")) {
      if (!one.warning) all += one.message + "\n";
    }
    return all;
  };
  using Catch::Contains;
  const std::string path = "path = \"in/{YYYY}-{MM}/part-*.csv\"\n";
  CHECK(problems(path + "complete = \"in/{YYYY}-{MM}/_SUCCESS\"\n").empty());
  CHECK(problems(path + "manifest = \"in/{YYYY}{MM}.list\"\n").empty());
  CHECK_THAT(problems(path + "complete = \"in/{YYYY}/_SUCCESS\"\n"),
             Contains("'complete' and 'path' must have the same words"));
  CHECK_THAT(problems(path + "manifest = \"in/{XX}\"\n"), Contains("manifest: "));
  CHECK_THAT(problems(path + "complete = \"a\"\nmanifest = \"b\"\n"),
             Contains("both 'complete' and 'manifest'"));
  CHECK_THAT(problems(path + "every = \"5m\"\n"), Contains("is not for a source of kind files"));
}
