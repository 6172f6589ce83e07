// Runs a part of a test as a user without privileges, who is nobody else on this machine.
#pragma once

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/host/worker_harness.h"

namespace pipelined::testing {

/// Runs `body` in a process of a user of its own, with copies of worker and plugin that it can read;
/// checks that it says true.  All processes of that user together are at most `processes_max`, so
/// that whatever they do hurts no machine.
inline void as_ordinary_user(const std::function<bool(WorkerHarness&)>& body,
                             const std::vector<std::string>& worker_words = {},
                             rlim_t processes_max = 64) {
  const uid_t user_id = ::geteuid() == 0 ? 20'000 + static_cast<uid_t>(::getpid()) % 40'000 : ::geteuid();
  const fs::path shared = fs::temp_directory_path() / ("worker_user_" + std::to_string(::getpid()));
  fs::create_directories(shared);
  fs::copy_file(WORKER_PATH, shared / "worker");
  fs::copy_file(HOSTILE_PLUGIN_PATH, shared / "hostile.so");
  for (const auto& entry : {shared, shared / "worker", shared / "hostile.so"}) {
    fs::permissions(entry, static_cast<fs::perms>(0755));
  }
  const TestGroup group(user_id);
  const pid_t user = ::fork();
  if (user == 0) {
    if (group.possible()) group.enter();
    const rlimit few{processes_max, processes_max};
    if (::geteuid() == 0 && (::setrlimit(RLIMIT_NPROC, &few) != 0 ||
                             ::setresgid(user_id, user_id, user_id) != 0 ||
                             ::setresuid(user_id, user_id, user_id) != 0)) {
      ::_exit(9);
    }
    bool good = false;
    {
      WorkerHarness worker("", shared / "worker", shared / "hostile.so");
      worker.options.extra_words = worker_words;
      if (group.possible()) worker.use_group(group.path());
      good = body(worker);
    }
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ::waitpid(user, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  fs::remove_all(shared);
}

}  // namespace pipelined::testing
