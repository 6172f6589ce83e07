#include "daemon/posix/fault.h"

#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

namespace pipelined {
namespace {

using fault::Place;

/// Faults are armed once a process, so each case has a process of its own.  Its exit status, or
/// minus the signal that ended it.
int status_of(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

TEST_CASE("faults: a place that nothing is armed at says go on") {
  CHECK(fault::at(Place::turn_commit) == 0);
  CHECK_FALSE(fault::remembers_unsynced());
}

TEST_CASE("faults: an error comes at the visit that was named, and lasts if it shall") {
  CHECK(status_of([] {
    if (!fault::arm("file.write:enospc:2,file.read:eio:2+", "", 0)) return 1;
    if (fault::at(Place::file_write) != 0) return 2;
    if (fault::at(Place::file_write) != ENOSPC) return 3;
    if (fault::at(Place::file_write) != 0) return 4;
    if (fault::at(Place::file_read) != 0) return 5;
    if (fault::at(Place::file_read) != EIO || fault::at(Place::file_read) != EIO) return 6;
    // What is only a moment cannot fail.
    return fault::at(Place::turn_committed) == 0 ? 0 : 7;
  }) == 0);
}

TEST_CASE("faults: a kill ends the process at once, a star counts every place") {
  CHECK(status_of([] {
    if (!fault::arm("*:kill:3", "", 0)) return 1;
    fault::at(Place::file_write);
    fault::at(Place::file_sync);
    fault::at(Place::turn_committed);
    return 2;
  }) == -SIGKILL);
}

TEST_CASE("faults: a power cut does its damage before the process is gone") {
  char name[] = "/tmp/pipelined-fault-XXXXXX";
  const int file = ::mkstemp(name);
  REQUIRE(file >= 0);
  CHECK(status_of([file] {
    if (!fault::arm("turn.committed:tear", "", 5) || !fault::remembers_unsynced()) return 1;
    fault::on_power_cut([file](bool torn, std::uint64_t seed) {
      if (torn && seed == 5 && ::write(file, "cut", 3) != 3) ::_exit(4);
    });
    fault::at(Place::turn_committed);
    return 2;
  }) == -SIGKILL);
  std::stringstream text;
  text << std::ifstream(name).rdbuf();
  CHECK(text.str() == "cut");
  ::close(file);
  ::unlink(name);
}

TEST_CASE("faults: the list has at least sixty places with names of their own") {
  std::stringstream lines(fault::list());
  std::set<std::string> names;
  std::string line;
  int count = 0;
  while (std::getline(lines, line)) {
    names.insert(line.substr(0, line.find(' ')));
    ++count;
  }
  CHECK(count >= 60);
  CHECK(names.size() == static_cast<std::size_t>(count));
}

TEST_CASE("faults: what is not understood is refused with the reason") {
  for (const char* wrong : {"nowhere:kill", "file.write", "file.write:burn", "file.write:kill:0",
                            "file.write:kill:x"}) {
    const auto armed = fault::arm(wrong, "", 0);
    REQUIRE_FALSE(armed);
    CHECK(armed.error().message.find("--list-failpoints") != std::string::npos);
  }
}

}  // namespace pipelined
