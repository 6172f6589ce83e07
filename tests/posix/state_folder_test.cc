#include "daemon/posix/state_folder.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include <catch2/catch.hpp>

namespace pipelined {
namespace {

struct Folder {
  Folder() {
    char name[] = "/tmp/state-folder-test-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

unsigned mode_of(const std::string& path) {
  struct stat facts{};
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_mode & 07777 : 0;
}

}  // namespace

TEST_CASE("state folder: it is made with its parents for its owner alone", "[posix]") {
  Folder folder;
  const std::string path = folder.path + "/a/b/state";
  auto state = StateFolder::take(path);
  REQUIRE(state);
  CHECK(state->path() == path);
  CHECK(mode_of(path) == 0700);
  CHECK(mode_of(folder.path + "/a") == 0700);
  CHECK(mode_of(path + "/lock") == 0600);
}

TEST_CASE("state folder: a second instance is refused and told who has it", "[posix]") {
  Folder folder;
  auto first = StateFolder::take(folder.path);
  REQUIRE(first);
  const auto second = StateFolder::take(folder.path);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::conflict);
  CHECK(second.error().message.find(std::to_string(::getpid())) != std::string::npos);
  CHECK(second.error().message.find("--state") != std::string::npos);
}

TEST_CASE("state folder: the lock ends with its holder, however it dies", "[posix]") {
  Folder folder;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto taken = StateFolder::take(folder.path);
    ::_exit(taken ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  CHECK(std::filesystem::exists(folder.path + "/lock"));
  CHECK(StateFolder::take(folder.path));
}

TEST_CASE("state folder: one that others may write to is refused", "[posix]") {
  Folder folder;
  REQUIRE(::chmod(folder.path.c_str(), 0770) == 0);
  const auto taken = StateFolder::take(folder.path);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == ErrorCode::denied);
}

TEST_CASE("state folder: a file in its place is an error", "[posix]") {
  Folder folder;
  const std::string path = folder.path + "/lock-me";
  { auto taken = StateFolder::take(folder.path); }
  const auto taken = StateFolder::take(folder.path + "/lock");
  REQUIRE_FALSE(taken);
}

TEST_CASE("state folder: network file systems have names, local ones none", "[posix]") {
  CHECK(network_file_system(0x6969) == "NFS");
  CHECK(network_file_system(0x517b) == "SMB");
  CHECK(network_file_system(static_cast<long>(0xff534d42)) == "CIFS");
  CHECK(network_file_system(0xef53).empty());      // ext4
  CHECK(network_file_system(0x01021994).empty());  // tmpfs
  CHECK(network_file_system(0x794c7630).empty());  // overlayfs
}

}  // namespace pipelined
