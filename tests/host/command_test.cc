// command.run: templates expanded, exit statuses read, outputs found.
#include <catch2/catch.hpp>

#include "operators/command_template.h"
#include "tests/host/worker_harness.h"

using namespace pipelined;
namespace fs = std::filesystem;
using pipelined::testing::WorkerHarness;
using pipelined::testing::read_text;
using Catch::Matchers::Contains;
using Words = std::vector<std::string>;

namespace {

const CommandPaths paths{{{"one", {"/t/1/a.csv"}}, {"two", {"/t/2", "/t/3"}}, {"none", {}}},
                         {{"copy", "/a/out/copy"}},
                         {},
                         "/a/scratch"};

}  // namespace

TEST_CASE("command template: placeholders become paths", "[host][command]") {
  CHECK(*expand_command({"cp", "{in.one}", "{out.copy}"}, paths) ==
        Words{"cp", "/t/1/a.csv", "/a/out/copy"});
  CHECK(*expand_command({"x", "--in={in.one}:{scratch}/t"}, paths) ==
        Words{"x", "--in=/t/1/a.csv:/a/scratch/t"});
}

TEST_CASE("command template: a port of many stands alone and expands", "[host][command]") {
  CHECK(*expand_command({"cat", "{in.two}", "-"}, paths) == Words{"cat", "/t/2", "/t/3", "-"});
  CHECK_THAT(expand_command({"cat", "x{in.two}"}, paths).error().message,
             Contains("has 2 artifacts"));
}

TEST_CASE("command template: an absent input disappears only where it stands alone",
          "[host][command]") {
  CHECK(*expand_command({"x", "{in.none}", "{in.unknown}", "y"}, paths) == Words{"x", "y"});
  CHECK_THAT(expand_command({"x", "--a={in.none}"}, paths).error().message, Contains("is absent"));
}

TEST_CASE("command template: doubled braces and dollar braces are literal", "[host][command]") {
  CHECK(*expand_command({"awk", "{{print $1}}", "${HOME}/{scratch}"}, paths) ==
        Words{"awk", "{print $1}", "${HOME}//a/scratch"});
}

TEST_CASE("command template: what is wrong is said with the word", "[host][command]") {
  CHECK_THAT(parse_template_word("a{b}c").error().message,
             Contains("\"a{b}c\"") && Contains("{b} is not {in.PORT}"));
  CHECK_THAT(parse_template_word("a{in.x").error().message, Contains("never closed"));
  CHECK_THAT(parse_template_word("a}").error().message, Contains("closes nothing"));
  CHECK_THAT(parse_template_word("{in.}").error().message, Contains("is not"));
  CHECK_FALSE(expand_command({}, paths).has_value());
  CHECK_FALSE(expand_command({"{in.none}"}, paths).has_value());
}

TEST_CASE("command template: a check names every fault at once", "[host][command]") {
  const CommandPorts ports{{"a", "b", "c"}, {"b"}, {"c"}, {"y"}, {}};
  CHECK(check_command({"x", "{in.a}", "-{in.a}-", "{in.b}", "{in.c}", "{out.y}"}, ports).empty());
  const auto found =
      check_command({"{in.d}", "-{in.b}", "-{in.c}", "{out.z}", "{", "{out.y}"}, ports);
  REQUIRE(found.size() == 5);
  CHECK_THAT(found[0], Contains("no input \"d\""));
  CHECK_THAT(found[1], Contains("may be absent"));
  CHECK_THAT(found[2], Contains("several paths"));
  CHECK_THAT(found[3], Contains("no output \"z\""));
  CHECK_THAT(found[4], Contains("never closed"));
  CHECK(check_command({}, ports).size() == 1);
}

TEST_CASE("command: copies a file to an output", "[host][command]") {
  WorkerHarness worker;
  AttemptPlan plan = worker.command({"cp", "{in.files}", "{out.copy}"});
  worker.add_input(plan, "files", {{"a.csv", "1,2\n"}});
  worker.add_output(plan, "copy");
  worker.add_output(plan, "other");
  const AttemptReport report = worker.run(plan);
  CHECK(report.error == "");
  CHECK(report.outcome == Outcome::ok);
  CHECK(report.outputs == Words{"copy"});
  CHECK(read_text(worker.folder(plan) / "out/copy") == "1,2\n");
}

TEST_CASE("command: a folder with several files is one path, and outputs may be folders",
          "[host][command]") {
  WorkerHarness worker;
  AttemptPlan plan = worker.command({"cp", "-r", "{in.files}", "{out.copy}"});
  worker.add_input(plan, "files", {{"a", "1"}, {"b", "2"}});
  worker.add_output(plan, "copy");
  CHECK(worker.run(plan).outcome == Outcome::ok);
  CHECK(read_text(worker.folder(plan) / "out/copy/b") == "2");
}

TEST_CASE("command: reads the input that stdin names, else nothing", "[host][command]") {
  WorkerHarness worker;
  AttemptPlan plan = worker.command({"sh", "-c", "wc -c"}, {{"stdin", "files"}});
  worker.add_input(plan, "files", {{"a", "12345"}});
  CHECK(worker.run(plan).outcome == Outcome::ok);
  CHECK_THAT(read_text(worker.folder(plan) / "log"), Contains("5"));
  plan = worker.shell("wc -c");
  CHECK(worker.run(plan).outcome == Outcome::ok);
  CHECK_THAT(read_text(worker.folder(plan) / "log"), Contains("0"));
}

TEST_CASE("python.call: a script gets what the step names and makes its outputs", "[host][command]") {
  WorkerHarness worker;
  AttemptPlan plan = worker.command({});
  plan.start.operator_id = "python.call";
  plan.start.params = {{"arguments", Value(ValueTable{{"by", Value(3)}})},
                       {"env", Value(ValueTable{{"PIECE", Value("x")}})}};
  worker.add_input(plan, "code", {{"step.py", R"(
import json, os, sys
words = dict(word.split(":=", 1) for word in sys.argv if ":=" in word)
rows = open(sys.argv[sys.argv.index("rows=") + 1]).read()
place = next(word for word in sys.argv if word.startswith("made>"))[5:]
if os.environ["PYTHONHASHSEED"] != "0": sys.exit("hashes differ from run to run")
open(place, "w").write(rows.strip() * json.loads(words["by"]) + os.environ["PIECE"])
)"}});
  worker.add_input(plan, "rows", {{"a.csv", "12\n"}});
  worker.add_output(plan, "made");
  const AttemptReport report = worker.run(plan);
  CHECK(report.error == "");
  CHECK(report.outcome == Outcome::ok);
  CHECK(report.outputs == Words{"made"});
  CHECK(read_text(worker.folder(plan) / "out/made") == "121212x");
}

TEST_CASE("python.call: a script that ends badly is told like any program", "[host][command]") {
  WorkerHarness worker;
  for (const auto& [end, outcome] : {std::pair{"65", Outcome::halt}, {"75", Outcome::retry},
                                     {"'no such column'", Outcome::failed}}) {
    AttemptPlan plan = worker.command({});
    plan.start.operator_id = "python.call";
    plan.start.params = {};
    worker.add_input(plan, "code", {{"step.py", "import sys; sys.exit(" + std::string(end) + ")"}});
    const AttemptReport report = worker.run(plan);
    CHECK(report.outcome == outcome);
    if (outcome == Outcome::failed) CHECK_THAT(report.error, Contains("no such column"));
  }
}

TEST_CASE("command: exit statuses are outcomes", "[host][command]") {
  WorkerHarness worker;
  CHECK(worker.run(worker.shell("exit 0")).outcome == Outcome::ok);
  const AttemptReport retry = worker.run(worker.shell("exit 75"));
  CHECK(retry.outcome == Outcome::retry);
  CHECK(retry.retryable);
  const AttemptReport halt = worker.run(worker.shell("echo the data is wrong; exit 65"));
  CHECK(halt.outcome == Outcome::halt);
  CHECK(halt.error == "exit status 65; last lines: the data is wrong");
  const AttemptReport failed = worker.run(worker.shell("echo one; echo two >&2; exit 3"));
  CHECK(failed.outcome == Outcome::failed);
  CHECK(failed.error == "exit status 3; last lines: one | two");
  CHECK(failed.failure_class == "exit");
  CHECK_FALSE(failed.retryable);
}

TEST_CASE("command: a crash of the program is named, a kill from outside is not its fault",
          "[host][command]") {
  WorkerHarness worker;
  const AttemptReport crash = worker.run(worker.shell("kill -SEGV $$"));
  CHECK_THAT(crash.error, Contains("operator command.run crashed with SIGSEGV"));
  CHECK(crash.retryable);
  const AttemptReport killed = worker.run(worker.shell("kill -KILL $$"));
  CHECK(killed.lost);
}

TEST_CASE("command: a cancel reaches the program and its children", "[host][command]") {
  WorkerHarness worker;
  const AttemptPlan plan = worker.shell("(sleep 1000 & sleep 1000) & touch here; wait");
  worker.executor().start(plan);
  REQUIRE(worker.wait_for_file(worker.folder(plan) / "scratch/here"));
  worker.executor().kill(plan.start.attempt, 3000, "");
  REQUIRE(worker.run_until([&] { return !worker.reports.empty(); }));
  CHECK(worker.reports[0].outcome == Outcome::cancelled);
  CHECK(worker.reports[0].error == "cancelled");
  CHECK(worker.survivors() == 0);
}

TEST_CASE("command: works in scratch with the system's PATH and its own environment",
          "[host][command]") {
  WorkerHarness worker;
  const AttemptPlan plan =
      worker.command({"env"}, {{"env", ValueTable{{"MODE", "fast"}, {"LANG", "C"}}}});
  CHECK(worker.run(plan).outcome == Outcome::ok);
  const std::string scratch = plan.folder + "/scratch";
  CHECK(read_text(worker.folder(plan) / "log") ==
        "CUDA_VISIBLE_DEVICES=\nHOME=" + scratch + "\nLANG=C\nMODE=fast\nOMP_NUM_THREADS=1\n" +
            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n" +
            "TMPDIR=" + scratch + "\n");
  const AttemptPlan where = worker.shell("pwd");
  CHECK(worker.run(where).outcome == Outcome::ok);
  CHECK(read_text(worker.folder(where) / "log") == where.folder + "/scratch\n");
}

TEST_CASE("command: sees the graphics processors that are its own", "[host][command]") {
  WorkerHarness worker;
  AttemptPlan plan = worker.shell("echo $CUDA_VISIBLE_DEVICES $CUDA_DEVICE_ORDER");
  plan.start.gpus = {1, 3};
  CHECK(worker.run(plan).outcome == Outcome::ok);
  CHECK(read_text(worker.folder(plan) / "log") == "1,3 PCI_BUS_ID\n");
}

TEST_CASE("command: wrong parameters are invalid, with a sentence", "[host][command]") {
  WorkerHarness worker;
  const AttemptReport unknown = worker.run(worker.command({"no-such-program-here"}));
  CHECK(unknown.outcome == Outcome::invalid);
  CHECK_THAT(unknown.error, Contains("no program \"no-such-program-here\""));
  CHECK(worker.run(worker.command({Value(3)})).outcome == Outcome::invalid);
  CHECK(worker.run(worker.command({"cat", "{in"})).outcome == Outcome::invalid);
}

TEST_CASE("command: the walls stand around programs too", "[host][command][sandbox]") {
  WorkerHarness worker;
  std::ofstream(worker.root() / "secret") << "secret";
  const AttemptPlan plan = worker.shell("cat " + (worker.root() / "secret").string());
  CHECK(worker.run(plan).outcome == Outcome::failed);
  CHECK_THAT(read_text(worker.folder(plan) / "log"), Contains("Permission denied"));
  const AttemptPlan links = worker.shell("ln -s /etc/shadow ../log2 || exit 3");
  CHECK(worker.run(links).outcome == Outcome::failed);
}

TEST_CASE("command: ten thousand inputs at one port reach the program", "[host][command]") {
  WorkerHarness worker;
  AttemptPlan plan = worker.command({"sh", "-c", "echo $#; cat \"$1\"", "sh", "{in.files}"});
  worker.add_input(plan, "files", {{"a.txt", "first\n"}});
  const auto one = plan.start.inputs[0].artifacts[0];
  const std::string path = plan.inputs[0][0];
  while (plan.inputs[0].size() < 10'000) {
    plan.start.inputs[0].artifacts.push_back(one);
    plan.inputs[0].push_back(path);
  }
  const AttemptReport report = worker.run(plan);
  CHECK(report.error == "");
  CHECK(report.outcome == Outcome::ok);
  CHECK(read_text(worker.folder(plan) / "log") == "10000\nfirst\n");
}

TEST_CASE("command: a description that is too large fails that attempt alone", "[host][command]") {
  WorkerHarness worker;
  const AttemptReport report = worker.run(worker.command({"true", std::string(2 << 20, 'x')}));
  CHECK(report.outcome == Outcome::failed);
  CHECK_THAT(report.error, Contains("cannot be described to its worker"));
  CHECK(worker.run(worker.shell("true")).outcome == Outcome::ok);
}
