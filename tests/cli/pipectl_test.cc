// pipectl as a user sees it, against a server over a fake backend.
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/completions.h"
#include "cli/parse.h"
#include "tests/api/fake_backend.h"

using namespace pipelined;
using namespace pipelined::test;

namespace {

struct Output {
  int code = 0;
  std::string out, err;
};

Output pipectl(std::vector<std::string> words, const std::string& socket = {}, bool terminal = false) {
  std::ostringstream out, err;
  cli::Environment environment;
  environment.socket = socket;
  Output output;
  output.code = cli::run_pipectl(words, {out, err, terminal, terminal, terminal ? 80 : 0}, environment);
  output.out = out.str(), output.err = err.str();
  return output;
}

std::string text_of_file(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("pipectl: wrong usage ends with 2 and names the nearest verb", "[cli]") {
  CHECK(pipectl({}).code == 2);
  CHECK(pipectl({"run"}).code == 2);
  CHECK(pipectl({"runs", "--nothing"}).code == 2);
  CHECK(pipectl({"runs", "-o", "xml"}).code == 2);
  CHECK(pipectl({"span"}).code == 2);
  const Output output = pipectl({"statsu"});
  CHECK(output.code == 2);
  CHECK(output.err.find("did you mean 'status'?") != std::string::npos);
  CHECK(output.out.empty());
}

TEST_CASE("pipectl: every verb has help", "[cli]") {
  for (const cli::Verb& verb : cli::verbs()) {
    std::vector<std::string> words;
    std::istringstream name(verb.name);
    for (std::string word; name >> word;) words.push_back(word);
    words.push_back("--help");
    const Output output = pipectl(words);
    CAPTURE(verb.name);
    CHECK(output.code == 0);
    CHECK(output.out.find(verb.summary) != std::string::npos);
  }
}

TEST_CASE("pipectl: without a daemon it ends with 5 and says where it looked", "[cli]") {
  const Output output = pipectl({"runs"}, "/nonexistent/s.sock");
  CHECK(output.code == 5);
  CHECK(output.err.find("/nonexistent/s.sock") != std::string::npos);
  CHECK(output.out.empty());
}

TEST_CASE("pipectl: explain reads aloud what halted and how to go on", "[cli]") {
  TestDaemon daemon;
  const Output output = pipectl({"explain", "last", "validate"}, daemon.socket());
  CHECK(output.code == 0);
  const std::size_t table = output.out.find("SINCE");
  REQUIRE(table != std::string::npos);
  CHECK(output.out.substr(table).find("2013-12-02 16:00:00.400  halted") != std::string::npos);
  CHECK(output.out.substr(0, table) ==
        "validate/2013-12 halted: label late moved from 9.8 % to 21.1 % true (l_infinity 0.114 > 0.1) "
        "between 2013-11 and 2013-12, 27,020 rows; steps split and backtest wait.\n"
        "To go on: pipectl accept 4 validate/2013-12 --why …; pipectl span drop flights "
        "flights/2013-12 --why …; replace the file of 2013-12; or pipectl reject 4 validate/2013-12 "
        "--why …\n");
  const Output unknown = pipectl({"explain", "last", "validat"}, daemon.socket());
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("did you mean 'validate'?") != std::string::npos);
}

TEST_CASE("pipectl: runs as a table, as JSON and as YAML", "[cli]") {
  TestDaemon daemon;
  const Output table = pipectl({"runs"}, daemon.socket());
  CHECK(table.out.substr(0, 22) == "RUN  PIPELINE  STATE  ");
  CHECK(table.out.find("  4  flights   halted") != std::string::npos);
  const Output json = pipectl({"runs", "-o", "json", "--state", "halted"}, daemon.socket());
  const auto runs = nlohmann::json::parse(json.out);
  REQUIRE(runs["runs"].size() == 1);
  CHECK(runs["runs"][0]["number"] == 4);
  CHECK(std::count(json.out.begin(), json.out.end(), '\n') == 1);
  CHECK(pipectl({"runs", "-o", "yaml"}, daemon.socket()).out.find("  - number: 4\n") != std::string::npos);
  CHECK(pipectl({"runs", "--quiet"}, daemon.socket()).out.find("PIPELINE") == std::string::npos);
  const Output terminal = pipectl({"runs"}, daemon.socket(), true);
  CHECK(terminal.out.find("\x1b[33m") != std::string::npos);
}

TEST_CASE("pipectl: waiting ends with the code of the run's state", "[cli]") {
  struct Case { RunState state; int code; };
  const Case one = GENERATE(Case{RunState::succeeded, 0}, Case{RunState::failed, 1},
                            Case{RunState::halted, 3}, Case{RunState::in_review, 4},
                            Case{RunState::rejected, 6}, Case{RunState::cancelled, 8});
  TestDaemon daemon;
  daemon.on_loop([&](FakeBackend& backend) { backend.set_state(4, one.state); });
  CHECK(pipectl({"run", "flights", "--wait"}, daemon.socket()).code == one.code);
  CHECK(pipectl({"show", "4", "--wait"}, daemon.socket()).code == one.code);
  CHECK(pipectl({"run", "flights"}, daemon.socket()).code == 0);
}

TEST_CASE("pipectl: --wait=final waits through a halt, --timeout ends it with 124", "[cli]") {
  TestDaemon daemon;
  CHECK(pipectl({"show", "4", "--wait=final", "--timeout", "20ms"}, daemon.socket()).code == 124);
  CHECK(pipectl({"show", "4", "--wait=ever"}, daemon.socket()).code == 2);
  CHECK(pipectl({"show", "4", "--wait", "--timeout", "soon"}, daemon.socket()).code == 2);
}

TEST_CASE("pipectl: run sends parameters with their kinds", "[cli]") {
  TestDaemon daemon;
  const Output output = pipectl({"run", "--param", "depth=8", "--param", "rate=0.5", "--param",
                                 "name=x=y", "--force", "train", "flights", "--refresh"}, daemon.socket());
  CHECK(output.code == 0);
  CHECK(output.out == "run 4 goes on\n");
  daemon.on_loop([](FakeBackend& backend) {
    const auto& wish = std::get<event::RunRequested>(backend.submitted.at(0));
    CHECK(wish.options.params == ValueTable{{"depth", 8}, {"rate", 0.5}, {"name", "x=y"}});
    CHECK(wish.options.force == std::vector<std::string>{"train"});
    CHECK(wish.options.refresh);
  });
  CHECK(pipectl({"run", "flights", "--param", "depth"}, daemon.socket()).code == 2);
  const Output unknown = pipectl({"run", "flight"}, daemon.socket());
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("did you mean 'flights'?") != std::string::npos);
}

TEST_CASE("pipectl: decisions need a reason and go to the named element", "[cli]") {
  TestDaemon daemon;
  CHECK(pipectl({"accept", "4", "validate/2013-12"}, daemon.socket()).code == 2);
  CHECK(pipectl({"accept", "4", "validate/2013-12", "--why", "holidays"}, daemon.socket()).code == 0);
  CHECK(pipectl({"reject", "last", "validate/2013-12", "--why", "broken"}, daemon.socket()).code == 0);
  CHECK(pipectl({"span", "drop", "flights", "2013-12", "--why", "x"}, daemon.socket()).code == 2);
  CHECK(pipectl({"span", "drop", "flights", "flights/2013-12", "--why", "x"}, daemon.socket()).code == 0);
  CHECK(pipectl({"cancel", "4"}, daemon.socket()).code == 0);
  CHECK(pipectl({"cancel", "99"}, daemon.socket()).code == 2);
  CHECK(pipectl({"pause", "flights"}, daemon.socket()).code == 0);
  daemon.on_loop([](FakeBackend& backend) {
    REQUIRE(backend.submitted.size() == 5);
    CHECK(std::get<event::AcceptRequested>(backend.submitted[0]).element == "2013-12");
    CHECK(std::get<event::RejectRequested>(backend.submitted[1]).why == "broken");
    CHECK(std::get<event::SpanRequested>(backend.submitted[2]).span == "2013-12");
    CHECK(std::get<event::CancelRequested>(backend.submitted[3]).run == 4);
    CHECK(std::get<event::PauseRequested>(backend.submitted[4]).paused);
  });
}

TEST_CASE("pipectl: retry names steps, migrate shows before it does", "[cli]") {
  TestDaemon daemon;
  CHECK(pipectl({"retry", "4", "validate/2013-12", "train", "--why", "mended"}, daemon.socket()).code == 0);
  CHECK(pipectl({"retry", "4", "--select", "train+"}, daemon.socket()).code == 0);
  CHECK(pipectl({"resume", "4"}, daemon.socket()).code == 0);
  const Output plan = pipectl({"migrate", "4"}, daemon.socket());
  CHECK(plan.code == 0);
  CHECK(plan.out.find("train           run   defined otherwise") != std::string::npos);
  CHECK(plan.err.find("1 drop, 1 keep and 1 run; nothing has changed, --yes does it") !=
        std::string::npos);
  CHECK(pipectl({"migrate", "3"}, daemon.socket()).code == 1);
  daemon.on_loop([](FakeBackend& backend) {
    REQUIRE(backend.submitted.size() == 3);
    const auto& named = std::get<event::RetryRequested>(backend.submitted[0]);
    CHECK(named.steps == std::vector<std::string>{"validate/2013-12", "train"});
    CHECK(named.why == "mended");
    CHECK(std::get<event::RetryRequested>(backend.submitted[1]).select == "train+");
    CHECK(std::get<event::ResumeRequested>(backend.submitted[2]).run == 4);
  });
  CHECK(pipectl({"migrate", "4", "--yes"}, daemon.socket()).code == 0);
  daemon.on_loop([](FakeBackend& backend) {
    CHECK(std::get<event::MigrateRequested>(backend.submitted.back()).run == 4);
  });
}

TEST_CASE("pipectl: backfill is a verb and has verbs below it", "[cli]") {
  TestDaemon daemon;
  CHECK(pipectl({"backfill", "flights"}, daemon.socket()).code == 2);
  CHECK(pipectl({"backfill", "flights", "--spans", "all", "--chunk", "x"}, daemon.socket()).code == 2);
  const std::vector<std::string> wish = {"backfill", "flights", "--spans", "2013-01..2013-06",
                                         "--reprocess", "failed", "--order", "newest",
                                         "--max-active", "2", "--param", "depth=3"};
  std::vector<std::string> dry = wish;
  dry.push_back("--dry-run");
  const Output plan = pipectl(dry, daemon.socket());
  CHECK(plan.code == 0);
  CHECK(plan.out.find("2013-12  failed    run        3       1  failed at validate") !=
        std::string::npos);
  CHECK(plan.err.find("1 of 2 spans would run; nothing was started") != std::string::npos);
  daemon.on_loop([](FakeBackend& backend) { CHECK(backend.submitted.empty()); });
  CHECK(pipectl(wish, daemon.socket()).code == 0);
  CHECK(pipectl({"backfill", "cancel", "7", "--why", "enough"}, daemon.socket()).code == 0);
  CHECK(pipectl({"backfill", "cancel", "x"}, daemon.socket()).code == 2);
  CHECK(pipectl({"backfill", "list"}, daemon.socket()).code == 0);
  CHECK(pipectl({"backfill", "nobody", "--spans", "all"}, daemon.socket()).code == 2);
  daemon.on_loop([](FakeBackend& backend) {
    REQUIRE(backend.submitted.size() == 2);
    const BackfillRow& asked = std::get<event::BackfillRequested>(backend.submitted[0]).wish;
    CHECK((asked.asked == "2013-01..2013-06" && asked.reprocess == "failed"));
    CHECK((asked.order == "newest" && asked.max_active == 2 && asked.chunk == 1));
    CHECK(asked.options.params.at("depth") == Value(3));
    CHECK(std::get<event::BackfillCancelRequested>(backend.submitted[1]).backfill == 7);
  });
}

TEST_CASE("pipectl: invalidate needs a reason, and lists what hangs on it before", "[cli]") {
  TestDaemon daemon;
  CHECK(pipectl({"invalidate", "validate", "--why", "x"}, daemon.socket()).code == 2);
  CHECK(pipectl({"invalidate", "validate", "--pipeline", "flights"}, daemon.socket()).code == 2);
  const Output list = pipectl({"invalidate", "validate/2013-12", "--pipeline", "flights", "--dry-run"},
                              daemon.socket());
  CHECK(list.code == 0);
  CHECK(list.out.find("train") != std::string::npos);
  CHECK(list.out.find("model/1") != std::string::npos);
  CHECK(pipectl({"invalidate", "nothing", "--pipeline", "flights", "--dry-run"}, daemon.socket()).code == 2);
  const std::string key(64, 'a');
  CHECK(pipectl({"invalidate", key, "--below", "--why", "broken"}, daemon.socket()).code == 0);
  CHECK(pipectl({"invalidate", "train", "--pipeline", "flights", "--why", "x"}, daemon.socket()).code == 0);
  daemon.on_loop([&](FakeBackend& backend) {
    REQUIRE(backend.submitted.size() == 2);
    const auto& by_key = std::get<event::InvalidateRequested>(backend.submitted[0]);
    CHECK((by_key.key && by_key.key->hex() == key && by_key.below && by_key.why == "broken"));
    CHECK(std::get<event::InvalidateRequested>(backend.submitted[1]).step == "train");
  });
}

TEST_CASE("pipectl: check prints every error with its place", "[cli]") {
  TestDaemon daemon;
  TemporaryFolder folder;
  const std::string file = folder.write(
      "p.toml", "name = \"p\"\n[step.a]\noperator = \"test.cpy\"\n[step.b]\noperator = \"test.copy\"\n"
                "in.from = \"aa\"\n");
  const Output output = pipectl({"check", file}, daemon.socket());
  CHECK(output.code == 1);
  CHECK(output.out.find("p.toml:3:") != std::string::npos);
  CHECK(output.out.find("test.copy") != std::string::npos);
  CHECK(output.out.find("p.toml:6:") != std::string::npos);
  const Output json = pipectl({"check", file, "-o", "json"}, daemon.socket());
  CHECK(nlohmann::json::parse(json.out)["ok"] == false);
  CHECK(pipectl({"check", folder.write("pipeline.toml", flights_toml)}, daemon.socket()).code == 0);
  CHECK(pipectl({"check", folder.path()}, daemon.socket()).code == 0);
  CHECK(pipectl({"check", folder.path() + "/absent.toml"}, daemon.socket()).code == 2);
}

TEST_CASE("pipectl: apply uploads the files that the pipeline names, and none from elsewhere",
          "[cli][security]") {
  TestDaemon daemon;
  TemporaryFolder folder;
  folder.write("secret.txt", "secret");
  const auto pipeline = [&](const std::string& name) {
    return folder.write("p/flights.toml", "name = \"p\"\n[step.a]\noperator = \"test.copy\"\n"
                                          "in.from = { file = \"" + name + "\" }\n");
  };
  folder.write("p/sub/query.sql", "select 1");
  REQUIRE(pipectl({"apply", pipeline("sub/query.sql")}, daemon.socket()).code == 0);
  daemon.on_loop([&](FakeBackend& backend) {
    const PipelineUpload& upload = backend.uploads.at(0);
    CHECK(upload.files.at("sub/query.sql") == "select 1");
    CHECK(upload.files.count("pipeline.toml") == 1);
    CHECK(upload.file == "flights.toml");
    CHECK(upload.folder == std::filesystem::canonical(folder.path() + "/p").string());
  });
  std::filesystem::create_symlink(folder.path() + "/secret.txt", folder.path() + "/p/link.txt");
  for (const char* name : {"../secret.txt", "/etc/passwd", "link.txt", "sub/../../secret.txt", "absent"}) {
    CAPTURE(name);
    CHECK(pipectl({"apply", pipeline(name)}, daemon.socket()).code == 1);
  }
  daemon.on_loop([](FakeBackend& backend) { CHECK(backend.uploads.size() == 1); });
}

TEST_CASE("pipectl: an export holds the stored bytes; changed ones are refused", "[cli]") {
  TestDaemon daemon;
  std::string digest;
  daemon.on_loop([&](FakeBackend& backend) { digest = backend.december.digest.hex(); });
  const std::string target = daemon.folder() + "/export";
  const std::string brief = digest.substr(0, 10);
  CHECK(pipectl({"artifact", "export", brief, target}, daemon.socket()).code == 0);
  CHECK(text_of_file(target + "/2013-12.csv") == "december\n");
  CHECK(pipectl({"artifact", "export", brief, target}, daemon.socket()).code == 1);  // is there already
  std::ofstream(daemon.folder() + "/" + digest + "-2013-12.csv") << "decembeR\n";
  const Output spoilt = pipectl({"artifact", "export", brief, target + "2"}, daemon.socket());
  CHECK(spoilt.code == 1);
  CHECK_FALSE(std::filesystem::exists(target + "2"));
}

TEST_CASE("pipectl: head shows the first lines, logs what was printed", "[cli]") {
  TestDaemon daemon;
  std::string digest;
  daemon.on_loop([&](FakeBackend& backend) {
    digest = backend.store().find_result_by_id(3)->outputs.front().artifact.digest.hex();
  });
  CHECK(pipectl({"artifact", "head", digest, "--lines", "2"}, daemon.socket()).out == "line 1\nline 2\n");
  CHECK(pipectl({"artifact", "head", digest, "--file", "no"}, daemon.socket()).code == 2);
  CHECK(pipectl({"logs", "4", "validate/2013-12"}, daemon.socket()).out == "first line\nsecond line\n");
  CHECK(pipectl({"logs", "4", "split"}, daemon.socket()).code == 2);
}

TEST_CASE("pipectl: every read verb answers in every format", "[cli]") {
  TestDaemon daemon;
  std::string digest;
  daemon.on_loop([&](FakeBackend& backend) { digest = backend.anomalies.digest.hex(); });
  const std::vector<std::vector<std::string>> reads = {
      {"status"}, {"runs"}, {"show"}, {"show", "last"}, {"explain"}, {"reviews"}, {"alerts"},
      {"span", "list"}, {"artifacts"}, {"artifact", "show", digest}, {"lineage", digest},
      {"lineage", "flights/2013-12", "--down"}, {"sources"},
      {"operators"}, {"operators", "test.copy"}, {"doctor"}, {"version"}, {"plan", "flights"},
      {"suggest", "flights"}};
  for (std::vector<std::string> words : reads) {
    CAPTURE(words);
    for (const char* format : {"table", "wide", "json", "yaml"}) {
      std::vector<std::string> all = words;
      all.insert(all.end(), {"-o", format});
      const Output output = pipectl(all, daemon.socket());
      CHECK(output.code == 0);
      CHECK_FALSE(output.out.empty());
      if (std::string(format) == "json") CHECK(nlohmann::json::accept(output.out));
    }
  }
}

TEST_CASE("pipectl: a token that does not suffice ends with 7", "[cli][security]") {
  TestDaemon daemon;
  std::ostringstream out, err;
  cli::Environment environment;
  environment.url = "http://127.0.0.1:" + std::to_string(daemon.port());
  environment.token = reader_token;
  CHECK(cli::run_pipectl({"runs"}, {out, err}, environment) == 0);
  CHECK(cli::run_pipectl({"pause", "flights"}, {out, err}, environment) == 7);
  environment.token = "wrong";
  CHECK(cli::run_pipectl({"runs"}, {out, err}, environment) == 7);
  environment.url = "ftp://x";
  CHECK(cli::run_pipectl({"runs"}, {out, err}, environment) == 2);
}

TEST_CASE("pipectl: init writes a pipeline that can be read", "[cli]") {
  TemporaryFolder folder;
  const Output output = pipectl({"init", folder.path() + "/My First"});
  REQUIRE(output.code == 0);
  const std::string text = text_of_file(folder.path() + "/My First/pipeline.toml");
  const ParsedPipeline parsed = parse_pipeline(text, "pipeline.toml");
  REQUIRE(parsed.spec);
  CHECK(parsed.problems.empty());
  CHECK(parsed.spec->name == "myfirst");
  CHECK(parsed.spec->steps.size() == 2);
  const ParsedPipeline other = parse_pipeline(text, "pipeline.toml", {}, "prod");
  REQUIRE(other.spec);
  CHECK(other.spec->name == "myfirst-prod");
  CHECK(*other.spec->params.at("words").as_int() == 10);
  CHECK(text_of_file(folder.path() + "/My First/count.sh").find("uniq -c") != std::string::npos);
  CHECK(pipectl({"init", folder.path() + "/My First"}).code == 1);
}

TEST_CASE("pipectl: runs are shown by columns and sorted by what they measured", "[cli]") {
  TestDaemon daemon;
  const Output plain = pipectl({"runs", "--columns", "run,params.depth,metrics.l_infinity"},
                               daemon.socket());
  REQUIRE(plain.code == 0);
  CHECK(plain.out.find("params.depth") != std::string::npos);
  CHECK(plain.out.find("4             6") != std::string::npos);
  const Output sorted = pipectl({"runs", "--columns", "run", "--sort", "run"}, daemon.socket());
  CHECK(sorted.out == "RUN\n  3\n  4\n");
  CHECK(pipectl({"runs", "--columns", "run", "--sort", "run", "--desc"}, daemon.socket()).out ==
        "RUN\n  4\n  3\n");
  CHECK(pipectl({"runs", "--columns", "colour"}, daemon.socket()).code == 2);
}

TEST_CASE("pipectl: history, diff and single steps are asked for by run", "[cli]") {
  TestDaemon daemon;
  const Output history = pipectl({"history", "4"}, daemon.socket());
  REQUIRE(history.code == 0);
  CHECK(history.out.find("validate/2013-12") != std::string::npos);
  CHECK(history.out.find("halted") != std::string::npos);
  const Output events = pipectl({"history", "4", "--events"}, daemon.socket());
  CHECK(nlohmann::json::parse(events.out)["format"] == 1);
  CHECK(pipectl({"runs", "diff", "3", "4"}, daemon.socket()).out.find("succeeded") !=
        std::string::npos);
  CHECK(pipectl({"runs", "diff", "3", "77"}, daemon.socket()).code == 2);
  CHECK(pipectl({"show", "4", "--stuck"}, daemon.socket()).out.find("ingest") == std::string::npos);
  const Output head = pipectl({"artifact", "head", "4", "ingest/2013-12.to", "-n", "2"},
                              daemon.socket());
  CHECK(head.out == "line 1\nline 2\n");
  const Output unknown = pipectl({"artifact", "head", "4", "ingest/2013-12.too"}, daemon.socket());
  CHECK(unknown.code == 2);
  CHECK(unknown.err.find("to") != std::string::npos);
  const Output sql = pipectl({"artifact", "sql", "4", "ingest/2013-12", "SELECT 1", "--lines", "7"},
                             daemon.socket());
  CHECK(sql.out.find("SELECT 1") != std::string::npos);
  CHECK(sql.err.find("more rows") != std::string::npos);
  CHECK(pipectl({"artifact", "sql", "4", "ingest/2013-12", "nonsense"}, daemon.socket()).code == 2);
}

TEST_CASE("pipectl: try sends the file and the step, and tells what came of it", "[cli]") {
  TestDaemon daemon;
  TemporaryFolder folder;
  const std::string file = folder.write("pipeline.toml", flights_toml);
  const Output tried = pipectl({"try", file, "--step", "ingest/2013-12", "--sample", "1%",
                                "--param", "depth=8"}, daemon.socket());
  CHECK(tried.code == 0);
  CHECK(tried.out.find("ended ok after 1.2 s") != std::string::npos);
  CHECK(tried.out.find("hello\n") != std::string::npos);
  daemon.on_loop([](FakeBackend& backend) {
    REQUIRE(backend.trials.size() == 1);
    CHECK(backend.trials[0].element == "2013-12");
    CHECK(backend.trials[0].sample == 0.01);
    CHECK(*backend.trials[0].params.at("depth").as_int() == 8);
  });
  CHECK(pipectl({"try", file}, daemon.socket()).code == 2);
  CHECK(pipectl({"try", file, "--step", "ingest", "--sample", "all"}, daemon.socket()).code == 2);
}

TEST_CASE("pipectl: operators new writes the example plugin under another name", "[cli]") {
  TemporaryFolder folder;
  const std::string made = folder.path() + "/words";
  REQUIRE(pipectl({"operators", "new", "words", made}).code == 0);
  std::string example = text_of_file(std::string(PIPELINED_SOURCE_DIR) + "/plugins/example/plugin.cc");
  std::string source = text_of_file(made + "/plugin.cc");
  example.erase(0, example.find('\n')), source.erase(0, source.find('\n'));
  for (std::size_t at = source.find("\"words"); at != std::string::npos; at = source.find("\"words")) {
    source.replace(at, 6, "\"example");
  }
  CHECK(source == example);
  CHECK(parse_pipeline(text_of_file(made + "/pipeline.toml"), "pipeline.toml").spec);
  CHECK(pipectl({"operators", "new", "words", made}).code == 1);
  CHECK(pipectl({"operators", "new", "Words"}).code == 2);
}

TEST_CASE("pipectl: completions hold every verb", "[cli]") {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = cli::completion_script(shell);
    for (const cli::Verb& verb : cli::verbs()) {
      std::istringstream words(verb.name);
      for (std::string word; words >> word;) CHECK(script.find(word) != std::string::npos);
    }
  }
  CHECK(pipectl({"completions", "csh"}).code == 2);
}

TEST_CASE("pipectl: the documentation has every verb once, with its usage and summary",
          "[cli][docs]") {
  const std::string text = text_of_file(std::string(PIPELINED_SOURCE_DIR) + "/docs/pipectl.md");
  std::size_t headings = 0;
  for (std::size_t at = text.find("\n### `"); at != std::string::npos; at = text.find("\n### `", at + 1)) {
    ++headings;
  }
  CHECK(headings == cli::verbs().size());
  for (const cli::Verb& verb : cli::verbs()) {
    const std::string entry = "\n### `pipectl " + cli::usage_of(verb) + "`\n\n" + verb.summary;
    CAPTURE(entry);
    const std::size_t at = text.find(entry);
    CHECK(at != std::string::npos);
    CHECK(text.find(entry, at + 1) == std::string::npos);
  }
}

TEST_CASE("pipectl: versions of a pipeline are listed, shown and compared", "[cli]") {
  TestDaemon daemon;
  Digest now, old;
  std::string text = flights_toml;
  text.replace(text.find("depth = 6"), 9, "depth = 5");
  daemon.on_loop([&](FakeBackend& backend) {
    old = backend.record_version({{bundle_pipeline_file, text}, {"notes.txt", "x\n"}}, 1);
    now = backend.record_version({{bundle_pipeline_file, flights_toml}}, 2, true);
  });
  const Output list = pipectl({"pipeline", "versions", "flights"}, daemon.socket());
  CHECK(list.code == 0);
  CHECK(list.out.find(now.hex().substr(0, 12) + "  yes") != std::string::npos);
  CHECK(list.out.find(old.hex().substr(0, 12) + "  no") != std::string::npos);
  CHECK(pipectl({"pipeline", "versions", "flihgts"}, daemon.socket()).code == 2);

  const Output shown = pipectl({"pipeline", "show", "flights@previous"}, daemon.socket());
  CHECK(shown.out.find("# with notes.txt\n" + text) != std::string::npos);
  CHECK(pipectl({"pipeline", "show", "flights", "--file", "pipeline.toml"}, daemon.socket()).out ==
        flights_toml);
  const Output missing = pipectl({"pipeline", "show", "flights", "--file", "x"}, daemon.socket());
  CHECK(missing.code == 2);
  CHECK(missing.err.find("has no file 'x'") != std::string::npos);

  const Output diff = pipectl({"pipeline", "diff", "flights", "previous"}, daemon.socket());
  CHECK(diff.code == 0);
  CHECK(diff.out.find("--- a/pipeline.toml\n+++ b/pipeline.toml\n@@ ") != std::string::npos);
  CHECK(diff.out.find("\n-depth = 5\n+depth = 6\n") != std::string::npos);
  CHECK(diff.out.find("--- a/notes.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n") != std::string::npos);
  const Output json =
      pipectl({"pipeline", "diff", "flights", "previous", "current", "-o", "json"}, daemon.socket());
  CHECK(nlohmann::json::parse(json.out)["files"].size() == 2);
  const Output same = pipectl({"pipeline", "diff", "flights", "current"}, daemon.socket());
  CHECK(same.err.find("do not differ") != std::string::npos);
}
