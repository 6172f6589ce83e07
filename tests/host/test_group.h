// A folder of the machine's cgroup v2 for one test, where that can be had.
//
// The test's process moves into it and back.  On machines without a cgroup v2 that it may write,
// `possible` is false, and who needs one says so and is not counted as passed.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "daemon/exec/cgroups.h"

namespace pipelined::testing {

class TestGroup {
 public:
  /// `owner`: the user to whom the folder is given.
  explicit TestGroup(uid_t owner = ::geteuid()) {
    static int made = 0;
    home_ = group_folder(text_of("/proc/self/cgroup"), text_of("/proc/self/mountinfo"));
    if (home_.empty() || ::access((home_ + "/cgroup.procs").c_str(), W_OK) != 0) return;
    path_ = home_ + "/pipelined_test_" + std::to_string(::getpid()) + "_" + std::to_string(++made);
    std::error_code error;
    if (!std::filesystem::create_directory(path_, error)) {
      path_.clear();
      return;
    }
    for (const char* file : {"", "/cgroup.procs", "/cgroup.subtree_control"}) {
      if (::chown((path_ + file).c_str(), owner, owner) != 0) return;
    }
  }
  ~TestGroup() {
    if (path_.empty()) return;
    std::ofstream(home_ + "/cgroup.procs") << "0";
    std::ofstream(path_ + "/cgroup.kill") << "1";
    // The kernel takes a moment to bury the last process.
    for (int i = 0; i < 1000 && !remove_groups(); ++i) ::usleep(1000);
  }
  TestGroup(const TestGroup&) = delete;
  TestGroup& operator=(const TestGroup&) = delete;

  bool possible() const { return !path_.empty(); }
  const std::string& path() const { return path_; }
  /// Moves the calling process in, so that a user who owns the folder may make groups below it.
  void enter() const { std::ofstream(path_ + "/cgroup.procs") << "0"; }

 private:
  bool remove_groups() const {
    std::error_code error;
    std::vector<std::filesystem::path> folders{path_};
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_, error)) {
      if (entry.is_directory(error)) folders.push_back(entry.path());
    }
    bool gone = false;
    for (auto at = folders.rbegin(); at != folders.rend(); ++at) gone = ::rmdir(at->c_str()) == 0;
    return gone;
  }
  static std::string text_of(const char* path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }

  std::string home_, path_;
};

}  // namespace pipelined::testing
