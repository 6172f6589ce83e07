// `pipelined-worker run`: one attempt from a command line, behind the walls of all others.
#include <sys/wait.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>

#include "operators/value_json.h"
#include "tests/host/worker_harness.h"

using namespace pipelined;
namespace fs = std::filesystem;
using pipelined::testing::read_text;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

struct Answer {
  int status = 0;
  std::string out, err;
  /// A field of the answer on standard output.
  Value field(const std::string& name) const {
    const auto value = value_from_json(out);
    return value && value->as_table() ? value->as_table()->at(name) : Value();
  }
};

/// A folder for one test, and the program in it.
class Alone {
 public:
  Alone() {
    std::string pattern = (fs::temp_directory_path() / "run_alone_XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
  }
  ~Alone() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  Answer run(const std::string& words) const {
    const std::string errors = (folder / "stderr").string();
    const std::string command = "cd " + folder.string() + " && " + std::string(WORKER_PATH) +
                                " run " + words + " 2>" + errors + " </dev/null";
    Answer answer;
    FILE* pipe = ::popen(command.c_str(), "r");
    std::array<char, 4096> piece{};
    for (std::size_t got = 0; (got = ::fread(piece.data(), 1, piece.size(), pipe)) > 0;) {
      answer.out.append(piece.data(), got);
    }
    const int status = ::pclose(pipe);
    answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    answer.err = read_text(errors);
    fs::remove(errors);
    return answer;
  }
  Answer hostile(const std::string& params, const std::string& words = {}) const {
    return run(std::string(HOSTILE_PLUGIN_PATH) + " hostile.act --params '" + params + "' " + words);
  }
  /// What lies in the folder, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder)) {
      found.push_back(entry.path().filename().string());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  fs::path folder;
};

}  // namespace

TEST_CASE("worker run: outputs end in the folders that were named", "[host][plain]") {
  const Alone alone;
  const Answer answer = alone.hostile(R"({"what":"output"})", "--output report=report/1:made");
  CHECK(answer.status == 0);
  CHECK(answer.err == "");
  CHECK(answer.field("outcome") == Value("OK"));
  CHECK(answer.field("outputs") == Value(ValueList{"report"}));
  CHECK(read_text(alone.folder / "made/report.txt") == "made");
  CHECK(alone.names() == std::vector<std::string>{"made"});
}

TEST_CASE("worker run: what stands there already is never written over", "[host]") {
  const Alone alone;
  fs::create_directories(alone.folder / "made");
  std::ofstream(alone.folder / "made/kept") << "mine";
  const Answer answer = alone.hostile(R"({"what":"output"})", "--output report=report/1:made");
  CHECK(answer.status == 1);
  CHECK_THAT(answer.err, Contains("is there already; name a new folder"));
  CHECK(read_text(alone.folder / "made/kept") == "mine");
}

TEST_CASE("worker run: the walls of attempts stand here too", "[host]") {
  const Alone alone;
  const std::string target = (alone.folder / "beside").string();
  CHECK(alone.hostile(R"({"what":"write","path":")" + target + R"("})").status == 1);
  CHECK_FALSE(fs::exists(target));
  std::ofstream(target) << "text";
  const std::string read = R"({"what":"read","path":")" + target + R"("})";
  CHECK(alone.hostile(read).status == 1);
  CHECK(alone.hostile(read, "--read " + target).status == 0);
  CHECK(alone.hostile(R"({"what":"socket"})").status == 1);
}

TEST_CASE("worker run: a crash is told and leaves nothing behind", "[host][plain]") {
  const Alone alone;
  const Answer answer = alone.hostile(R"({"what":"segv"})", "--output report=report/1:made");
  CHECK(answer.status == 1);
  CHECK(answer.field("outcome") == Value("FAILED"));
  REQUIRE(answer.field("error").as_text() != nullptr);
  CHECK_THAT(*answer.field("error").as_text(), StartsWith("operator hostile.act crashed with SIGSEGV"));
  CHECK(alone.names().empty());
}

TEST_CASE("worker run: a halt has a status of its own and commands run too", "[host][plain]") {
  const Alone alone;
  CHECK(alone.run(R"(--builtin command.run --params '{"argv":["sh","-c","exit 65"]}')").status == 3);
  const Answer answer = alone.run(
      R"(--builtin command.run --params '{"argv":["sh","-c","echo said; echo made > {out.text}"]}' )"
      "--output text=files/1:text");
  CHECK(answer.status == 0);
  CHECK(answer.err == "said\n");
  CHECK(alone.names() == std::vector<std::string>{"text"});
}

TEST_CASE("worker run: asked to end, it ends the attempt and cleans up", "[host]") {
  const Alone alone;
  const std::string command = std::string("cd ") + alone.folder.string() + " && exec " + WORKER_PATH +
                              " run " + HOSTILE_PLUGIN_PATH + R"( hostile.act --params '{"what":"wait"}')" +
                              " --output report=report/1:" + (alone.folder / "made").string() +
                              " >answer 2>/dev/null";
  const pid_t child = ::fork();
  if (child == 0) ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  // Its own folder is made once it listens to signals.
  while (alone.names().size() < 2) ::usleep(1000);
  ::kill(child, SIGTERM);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WEXITSTATUS(status) == 8);
  CHECK_THAT(read_text(alone.folder / "answer"), Contains("CANCELLED"));
  CHECK(alone.names() == std::vector<std::string>{"answer"});
}

TEST_CASE("worker run: a command line that cannot be meant is refused with a sentence", "[host]") {
  const Alone alone;
  const auto [words, sentence] = GENERATE(table<std::string, std::string>(
      {{"", "name a plugin's file"},
       {"a.so", "name a plugin's file"},
       {"a.so b --input x", "PORT=TYPE:FOLDER"},
       {"a.so b --input x=files/1:nowhere", "there is no folder"},
       {"a.so b --params []", "one JSON object"},
       {"a.so b --params {", "--params"},
       {"a.so b --cpus two", "wants a number"},
       {"a.so b --seed", "wants a value"}}));
  const Answer answer = alone.run(words);
  CHECK(answer.status == 2);
  CHECK_THAT(answer.err, Contains(sentence));
  CHECK(answer.out.empty());
}

TEST_CASE("worker run: an unknown operator or plugin is an answer, not silence", "[host]") {
  const Alone alone;
  const Answer none = alone.run(std::string(HOSTILE_PLUGIN_PATH) + " hostile.rest");
  CHECK(none.status == 1);
  CHECK(none.field("outcome") == Value("INVALID"));
  CHECK_THAT(alone.run("nothing.so hostile.act").err, Contains("there is no such file"));
}
