// Every invariant: clean on a good state, violated with the affected run when it is broken.
#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "daemon/keeping/offline.h"
#include "daemon/posix/state_folder.h"
#include "daemon/store/removal.h"
#include "tests/keeping/keeping_world.h"

using namespace pipelined;

namespace {

/// Changes the records behind the back of everybody.
void spoil(KeepingWorld& world, const std::string& sql) {
  REQUIRE(world.store->database().execute("PRAGMA foreign_keys=OFF"));
  REQUIRE(world.store->database().execute(sql));
}

/// Rows that a statement violates, on a state with three runs.
std::string violated_by(const std::string& sql) {
  KeepingWorld world;
  for (int i = 0; i < 3; ++i) world.add_run(1000);
  spoil(world, sql);
  return violated(world.look());
}

}  // namespace

TEST_CASE("fsck: a good state has one row for each of the 17 invariants, none violated",
          "[keeping][fsck]") {
  KeepingWorld world;
  for (int i = 0; i < 3; ++i) world.add_run(1000);
  for (const bool deep : {false, true}) {
    const Report report = world.look(deep);
    REQUIRE(report.size() == 17);
    for (std::size_t i = 0; i < report.size(); ++i) {
      CAPTURE(report[i].findings);
      CHECK(report[i].name == "I" + std::to_string(i + 1));
      CHECK(report[i].verdict != RowVerdict::violated);
      const bool possible = report[i].verdict == RowVerdict::ok;
      CHECK((possible || !report[i].sentence.empty()));
    }
    CHECK(row_of(report, "I2").checked == 7);
    CHECK(row_of(report, "I3").checked == 7);
  }
}

TEST_CASE("fsck: I1 sees rows that name nothing, a wrong counter and a wrong version",
          "[keeping][fsck]") {
  CHECK(violated_by("UPDATE arrivals SET artifact = 999 WHERE number = 2").find("I1") == 0);
  CHECK(violated_by("UPDATE counters SET value = 1") == "I1");
  CHECK(violated_by("PRAGMA user_version = 1") == "I1");
}

TEST_CASE("fsck: I2 names the runs that hang on lost bytes", "[keeping][fsck]") {
  KeepingWorld world;
  for (int i = 0; i < 3; ++i) world.add_run(1000);
  REQUIRE(::unlink(world.object_of("run 2 out").c_str()) == 0);
  const Report report = world.look();
  CHECK(violated(report) == "I2");
  CHECK(row_of(report, "I2").runs == std::set<RunNumber>{2});
  CHECK(row_of(report, "I2").found == 1);
}

TEST_CASE("fsck: wrong bytes of the right size are found by reading all", "[keeping][fsck]") {
  KeepingWorld world;
  for (int i = 0; i < 3; ++i) world.add_run(1000);
  const std::string object = world.object_of("run 2 out");
  REQUIRE(::chmod(object.c_str(), 0644) == 0);
  write_text(object, "run 2 0ut");
  REQUIRE(::chmod(object.c_str(), 0444) == 0);
  CHECK(violated(world.look()).empty());
  const Report report = world.look(true);
  CHECK(violated(report) == "I2 I3");
  CHECK(row_of(report, "I2").runs == std::set<RunNumber>{2});
}

TEST_CASE("fsck: I3 sees names, modes and kinds that are none of ours", "[keeping][fsck]") {
  KeepingWorld world;
  world.add_run(1000);
  write_text(world.store_folder() + "/objects/ab/note.txt", "x");
  CHECK(row_of(world.look(), "I3").found == 1);
  REQUIRE(::chmod(world.object_of("run 1 out").c_str(), 0644) == 0);
  CHECK(row_of(world.look(), "I3").found == 2);
  std::filesystem::create_directory(world.store_folder() + "/objects/ab/" + std::string(62, '0'));
  CHECK(row_of(world.look(), "I3").found == 3);
}

TEST_CASE("fsck: I5 and I6 see attempts that nobody runs and that run twice", "[keeping][fsck]") {
  CHECK(violated_by("UPDATE attempts SET running = 1 WHERE run = 2") == "I5");
  CHECK(violated_by("CREATE TEMP TABLE twin AS SELECT * FROM attempts WHERE run = 2;"
                    "UPDATE twin SET id = '01K', fence = 'f'; "
                    "INSERT INTO attempts SELECT * FROM twin") == "I6");
}

TEST_CASE("fsck: I7 sees results that are missing or stand on missing inputs", "[keeping][fsck]") {
  CHECK(violated_by("DELETE FROM results WHERE id = 2").find("I7") != std::string::npos);
  CHECK(violated_by("DELETE FROM bindings WHERE result = 2 AND output = 0") == "I7");
  CHECK(violated_by("UPDATE steps SET key = zeroblob(32) WHERE run = 2") == "I7");
}

TEST_CASE("fsck: I8 sees runs that ended before their steps", "[keeping][fsck]") {
  CHECK(violated_by("UPDATE steps SET state = 'running', result = 0 WHERE run = 2") == "I7 I8");
  CHECK(violated_by("UPDATE steps SET state = 'halted' WHERE run = 2") == "I8");
  CHECK(violated_by("UPDATE runs SET ended_at = 0 WHERE number = 2") == "I8");
}

TEST_CASE("fsck: I9 sees deliveries that count twice or not at all", "[keeping][fsck]") {
  CHECK(violated_by("DELETE FROM spans WHERE span = '2'") == "I9");
  CHECK(violated_by("DELETE FROM arrivals WHERE span = '2'") == "I9");
  CHECK(violated_by("UPDATE arrivals SET run = 99 WHERE number = 2") == "I9");
  CHECK(violated_by("UPDATE spans SET artifact = 1 WHERE span = '2'") == "I9");
}

TEST_CASE("fsck: I4 sees runs, pipelines and tokens that were promised and are not recorded",
          "[keeping][fsck]") {
  KeepingWorld world;
  for (int i = 0; i < 3; ++i) world.add_run(1000);
  const auto answered = [&world](const std::string& outcome) {
    AuditRow row;
    row.who = "mia", row.outcome = outcome;
    REQUIRE(world.store->record_audit(row));
  };
  answered("done: run 3 of flights");
  answered("refused: run 9 of flights");
  CHECK(violated(world.look()).empty());
  CHECK(row_of(world.look(), "I4").checked == 1);
  SECTION("a run") {
    answered("done: run 4 of flights");
    CHECK(violated(world.look()) == "I4");
    CHECK(row_of(world.look(), "I4").runs == std::set<RunNumber>{4});
  }
  SECTION("a run that a collection has removed was recorded") {
    REQUIRE(remove_run(*world.store, 2, 1000));
    answered("done: run 2 of flights");
    CHECK(violated(world.look()).empty());
    spoil(world, "DELETE FROM meta WHERE key = 'runs_removed_to'");
    CHECK(violated(world.look()) == "I4");
  }
  SECTION("a pipeline") {
    answered("done: pipeline other is in force, version 0123456789ab");
    CHECK(violated(world.look()) == "I4");
  }
  SECTION("a token") {
    answered("done: token ci with role viewer");
    CHECK(violated(world.look()) == "I4");
  }
  SECTION("a run that a caller noted") {
    FsckOptions options;
    options.store = world.store_folder();
    options.promised = {1, 2, 3};
    CHECK(violated(fsck(world.store->database(), options)).empty());
    options.promised.push_back(77);
    CHECK(violated(fsck(world.store->database(), options)) == "I4");
  }
}

TEST_CASE("fsck: I11 sees a pipeline that is not what was applied last", "[keeping][fsck]") {
  KeepingWorld world;
  for (const char* text : {"v1", "v2"}) {
    PipelineRow row;
    row.name = "flights", row.version = sha256(text), row.current = true;
    row.seq = world.next_seq();
    REQUIRE(put_all(*world.store, row));
    AuditRow answer;
    answer.outcome = "done: pipeline flights is in force, version " + row.version.brief();
    REQUIRE(world.store->record_audit(answer));
  }
  CHECK(violated(world.look()).empty());
  CHECK(row_of(world.look(), "I11").checked == 1);
  SECTION("an older one") {
    spoil(world, "UPDATE pipelines SET current = 1 - current");
    CHECK(violated(world.look()) == "I11");
  }
  SECTION("both, or none") {
    spoil(world, "UPDATE pipelines SET current = 1");
    CHECK(violated(world.look()) == "I11");
    spoil(world, "UPDATE pipelines SET current = 0");
    CHECK(violated(world.look()) == "I11");
  }
}

TEST_CASE("fsck: I12 sees slots that fired twice, early or unrecorded", "[keeping][fsck]") {
  const auto slot = [](const char* text, const char* run, const char* at) {
    return "INSERT INTO slots VALUES ('flights', 'schedule 0 6 * * *', '" + std::string(text) +
           "', 'fired', '', " + run + ", 1700000000000, " + at + ", 1);";
  };
  const std::string first = slot("2023-11-14T22:13:20Z", "1", "1700000000500");
  CHECK(violated_by(first).empty());
  CHECK(violated_by(first + slot("2023-11-14T22:13:21Z", "2", "1700000001000")).empty());
  CHECK(violated_by("UPDATE runs SET reason_code = 'schedule' WHERE number = 2") == "I12");
  CHECK(violated_by(slot("2023-11-14T22:13:20Z", "1", "1699999999999")) == "I12");
  CHECK(violated_by(first + slot("2023-11-14T22:13:21Z", "1", "1700000001000")) == "I12");
  // The same moment in other digits would be another row.
  CHECK(violated_by(first + slot("2023-11-14T22:13:20Z ", "2", "1700000000500")).empty());
}

TEST_CASE("fsck: I15 sees a run at rest without a way out", "[keeping][fsck]") {
  CHECK(violated_by("UPDATE runs SET state = 'halted' WHERE number = 2") == "I15");
  CHECK(violated_by("UPDATE steps SET state = 'halted' WHERE run = 2; UPDATE runs SET "
                    "state = 'halted', end_reason = '' WHERE number = 2") == "I15");
  CHECK(violated_by("UPDATE steps SET state = 'halted' WHERE run = 2; UPDATE runs SET "
                    "state = 'halted', end_reason = 'ingest halted' WHERE number = 2").empty());
}

TEST_CASE("fsck: I13 sees a process in an attempt's folder that is no child of the daemon",
          "[keeping][fsck]") {
  KeepingWorld world;
  world.add_run(1000);
  const std::string folder = world.store_folder() + "/attempts/01K";
  std::filesystem::create_directory(folder);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (::chdir(folder.c_str()) == 0) ::raise(SIGSTOP);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
  CHECK(violated(world.look()).empty());
  FsckOptions options;
  options.store = world.store_folder();
  options.live = LiveFacts{1, {}};  // another daemon's child
  options.live->process = child;    // its own process counts as its own
  CHECK(violated(fsck(world.store->database(), options)).empty());
  options.live.reset();
  CHECK(violated(fsck(world.store->database(), options)) == "I13");
  ::kill(child, SIGKILL);
  REQUIRE(::waitpid(child, &status, 0) == child);
}

TEST_CASE("fsck: I14 sees what dead processes left", "[keeping][fsck]") {
  KeepingWorld world;
  write_text(world.store_folder() + "/tmp/999999999-1", "x");
  CHECK(violated(world.look()) == "I14");
}

TEST_CASE("fsck: I17 finds a secret in records, logs and artifacts", "[keeping][fsck][security]") {
  KeepingWorld world;
  world.add_run(1000);
  FsckOptions options;
  options.store = world.store_folder();
  options.secrets = {"canary-4711-secret", "short"};
  CHECK(violated(fsck(world.store->database(), options)).empty());
  CHECK(row_of(fsck(world.store->database(), options), "I17").verdict == RowVerdict::ok);
  write_text(world.store_folder() + "/logs/01K", std::string(65530, ' ') + "canary-4711-secret");
  CHECK(violated(fsck(world.store->database(), options)) == "I17");
  std::filesystem::remove(world.store_folder() + "/logs/01K");
  world.put("the canary-4711-secret is in an artifact");
  CHECK(violated(fsck(world.store->database(), options)).empty());
  options.deep = true;
  CHECK(violated(fsck(world.store->database(), options)) == "I17");
  options.deep = false;
  REQUIRE(world.store->set_meta("note", "canary-4711-secret"));
  CHECK(violated(fsck(world.store->database(), options)) == "I17");
}

TEST_CASE("fsck: it goes on past what cannot be read and says so", "[keeping][fsck]") {
  KeepingWorld world;
  world.add_run(1000);
  spoil(world, "ALTER TABLE metrics RENAME TO gone; DROP TABLE spans");
  const Report report = world.look();
  CHECK(report.size() == 17);
  CHECK(violated(report).find("I9") != std::string::npos);
  std::filesystem::remove_all(world.store_folder() + "/objects/ab");
  CHECK(violated(world.look()).find("I3") != std::string::npos);
}

TEST_CASE("fsck: the report as JSON is what scripts read", "[keeping][fsck]") {
  KeepingWorld world;
  world.add_run(1000);
  REQUIRE(::unlink(world.object_of("run 1 out").c_str()) == 0);
  const auto json = nlohmann::json::parse(json_of(world.look()));
  CHECK(json["ok"] == false);
  REQUIRE(json["rows"].size() == 17);
  CHECK(json["rows"][1]["name"] == "I2");
  CHECK(json["rows"][1]["verdict"] == "violated");
  CHECK(json["rows"][1]["runs"] == nlohmann::json::array({1}));
  CHECK(text_of(world.look()).find("affected runs: 1") != std::string::npos);
}

TEST_CASE("fsck: a running daemon's records are copied and looked at beside its work",
          "[keeping][fsck]") {
  KeepingWorld world;
  for (int i = 0; i < 10; ++i) world.add_run(1000);
  REQUIRE(world.store->set_meta("filler", std::string(4 << 20, 'x')));
  Keeper& keeper = world.make_keeper();
  const auto number = keeper.start({"fsck", false, false, {}, {}, "mia"});
  REQUIRE(number);
  CHECK(keeper.start({"fsck", false, false, {}, {}, "mia"}).error().code == ErrorCode::conflict);
  // The engine goes on writing while the copy is made.
  RunRow later = run_row(11);
  later.created_seq = world.next_seq();
  REQUIRE(put_all(*world.store, later));
  world.loop.run_until([&] { return keeper.find_job(*number)->ended(); });
  const Job job = *keeper.find_job(*number);
  CHECK(job.done());
  CHECK(violated(job.report).empty());
  CHECK(row_of(job.report, "I8").checked == 11);
  for (const auto& entry : std::filesystem::directory_iterator(world.state.path())) {
    CHECK(entry.path().filename().string().rfind("copy-", 0) != 0);
  }
}

TEST_CASE("fsck: a job that is under way when the daemon ends leaves nothing behind",
          "[keeping][fsck]") {
  KeepingWorld world;
  for (int i = 0; i < 5; ++i) world.add_run(1000);
  REQUIRE(world.make_keeper().start({"fsck", true, false, {}, {}, "mia"}));
  world.close();
  for (const auto& entry : std::filesystem::directory_iterator(world.state.path())) {
    CHECK(entry.path().filename().string().rfind("copy-", 0) != 0);
  }
}

TEST_CASE("fsck: a stopped state is looked at under the daemon's own lock", "[keeping][fsck]") {
  KeepingWorld world;
  for (int i = 0; i < 3; ++i) world.add_run(1000);
  world.close();
  const OfflineOptions options{world.state.path(), world.store_folder(), true, {}, {}};
  {
    const auto held = StateFolder::take(world.state.path());
    REQUIRE(held);
    CHECK(fsck_offline(options).error().code == ErrorCode::conflict);
  }
  const auto report = fsck_offline(options);
  REQUIRE(report);
  CHECK(violated(*report).empty());
  CHECK(fsck_offline({world.state.path() + "/no", "", false, {}, {}}).error().code ==
        ErrorCode::not_found);
  world.open();
}
