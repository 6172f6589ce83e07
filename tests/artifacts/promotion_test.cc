// What attempts deliver: taken, refused, stored once, held on a full disk.
#include <catch2/catch.hpp>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "tests/artifacts/artifacts_world.h"

using namespace pipelined;

TEST_CASE("promotion: a file is stored under its port's name, a folder with its tree",
          "[artifacts][promotion]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const AttemptPlan plan = world.begin("01A");
  CHECK(plan.folder == folder.file("store/attempts/01A"));
  write_text(plan.folder + "/out/model", "a model");
  write_text(plan.folder + "/out/tree/b/part-1", "one");
  write_text(plan.folder + "/out/tree/a.txt", "two");
  write_text(plan.folder + "/out/tree/run.sh", "script");
  std::filesystem::create_directories(plan.folder + "/out/tree/empty");
  ::chmod((plan.folder + "/out/tree/run.sh").c_str(), 0755);

  const auto promoted = world.promote(plan, {"model", "tree", "absent"});
  REQUIRE(promoted);
  CHECK(promoted->refused.empty());
  REQUIRE(promoted->outputs.size() == 2);
  CHECK(promoted->outputs[0].port == "model");
  CHECK(promoted->outputs[0].artifact.size == 7);
  const Manifest tree{"examples/1", {{"a.txt", sha256("two"), 3, false},
                                     {"b/part-1", sha256("one"), 3, false},
                                     {"run.sh", sha256("script"), 6, true}}};
  CHECK(promoted->outputs[1].artifact.digest == tree.digest());
  REQUIRE(world.artifacts->find_unrecorded(tree.digest()) != nullptr);
  CHECK(*world.artifacts->find_unrecorded(tree.digest()) == tree);
  CHECK(read_text(world.object("one")) == "one");
  CHECK(mode_of(world.object("one")) == 0444);
  CHECK(mode_of(world.object("script", true)) == 0555);
  CHECK(world.artifacts->is_whole(tree));
  CHECK(world.artifacts->promotion_counts().files == 4);

  SECTION("a lost or shortened object is noticed") {
    std::filesystem::remove(world.object("one"));
    CHECK_FALSE(world.artifacts->is_whole(tree));
  }
  SECTION("its tree is given to the next attempt, read-only, with the same bytes") {
    world.record();
    const AttemptPlan next = world.begin("01B", {promoted->outputs[1].artifact});
    REQUIRE(next.inputs.size() == 1);
    const std::string root = next.inputs[0].at(0);
    CHECK(read_text(root + "/b/part-1") == "one");
    CHECK(mode_of(root) == 0555);
    CHECK(mode_of(root + "/b") == 0555);
    CHECK(mode_of(root + "/run.sh") == 0555);
    CHECK(mode_of(root + "/a.txt") == 0444);
  }
}

TEST_CASE("promotion: what is no plain file of ours refuses the outputs with a sentence",
          "[artifacts][promotion]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const AttemptPlan plan = world.begin("01A");
  const std::string out = plan.folder + "/out/";
  write_text(out + "good/file", "good");
  std::string expected;
  SECTION("a symbolic link") {
    std::filesystem::create_symlink("/etc/passwd", out + "bad");
    expected = "symbolic link";
  }
  SECTION("a symbolic link to a folder") {
    std::filesystem::create_directory_symlink("/etc", out + "bad");
    expected = "symbolic link";
  }
  SECTION("a symbolic link inside a folder") {
    write_text(out + "bad/a", "a");
    std::filesystem::create_symlink("a", out + "bad/b");
    expected = "\"b\" is a symbolic link";
  }
  SECTION("a named pipe") {
    REQUIRE(::mkfifo((out + "bad").c_str(), 0600) == 0);
    expected = "named pipe";
  }
  SECTION("a socket") {
    std::filesystem::create_directory(out + "bad");
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    REQUIRE(out.size() + 8 < sizeof address.sun_path);
    (out + "bad/s").copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    ::close(descriptor);
    expected = "a socket";
  }
  SECTION("a second name of another file") {
    write_text(folder.file("secret"), "secret");
    std::filesystem::create_hard_link(folder.file("secret"), out + "bad");
    expected = "2 names";
  }
  SECTION("a device") {
    if (::mknod((out + "bad").c_str(), S_IFCHR | 0600, makedev(1, 3)) != 0) {
      WARN("not possible here: only root makes a device");
      return;
    }
    expected = "a device";
  }
  SECTION("another user's file") {
    write_text(out + "bad", "x");
    if (::chown((out + "bad").c_str(), 65534, 65534) != 0) {
      WARN("not possible here: only root gives files away");
      return;
    }
    expected = "another user";
  }
  SECTION("a name that is no UTF-8") {
    write_text(out + "bad/\xff\xfe", "x");
    expected = "no UTF-8";
  }
  const auto promoted = world.promote(plan, {"good", "bad"});
  REQUIRE(promoted);
  CHECK(promoted->outputs.empty());
  CHECK(promoted->refused.find("output \"bad\"") != std::string::npos);
  CHECK(promoted->refused.find(expected) != std::string::npos);
  CHECK(world.artifacts->unrecorded().empty());
  CHECK_FALSE(std::filesystem::exists(world.object("good")));
}

TEST_CASE("promotion: the same content of many attempts is stored once", "[artifacts][promotion]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  std::vector<AttemptPlan> plans;
  for (int i = 0; i < 10; ++i) {
    plans.push_back(world.begin("01A" + std::to_string(i)));
    write_text(plans.back().folder + "/out/same", "the same");
    write_text(plans.back().folder + "/out/own", "own " + std::to_string(i));
  }
  int finished = 0;
  std::vector<Digest> same;
  for (const AttemptPlan& plan : plans) {
    world.artifacts->promote(plan, ArtifactsWorld::specs({"same", "own"}),
                             [&](Result<ArtifactPort::Promoted> promoted) {
                               ++finished;
                               if (promoted) same.push_back(promoted->outputs.at(0).artifact.digest);
                             });
  }
  world.loop.run_until([&finished] { return finished == 10; });
  REQUIRE(same.size() == 10);
  CHECK(std::count(same.begin(), same.end(), same[0]) == 10);
  CHECK(world.artifacts->unrecorded().size() == 11);
  CHECK(world.artifacts->promotion_counts().files == 11);
  CHECK(world.artifacts->promotion_counts().deduplicated == 9);
  CHECK(world.artifacts->promotion_counts().batches <= 10);
}

TEST_CASE("promotion: a wrong object at the place of a good one goes to quarantine",
          "[artifacts][promotion]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  REQUIRE(world.put("a.txt", "content"));
  damage(world.object("content"), "cXntent");
  SECTION("right after it was stored") {}
  SECTION("after a new start") { world.open_again(); }
  const AttemptPlan plan = world.begin("01A");
  write_text(plan.folder + "/out/copy", "content");
  const auto promoted = world.promote(plan, {"copy"});
  REQUIRE(promoted);
  REQUIRE(promoted->outputs.size() == 1);
  CHECK(read_text(world.object("content")) == "content");
  const auto kept = entries_of(world.folder() + "/quarantine");
  REQUIRE(kept.size() == 1);
  CHECK(read_text(world.folder() + "/quarantine/" + kept[0]) == "cXntent");
  CHECK(world.artifacts->promotion_counts().quarantined == 1);
}

TEST_CASE("artifacts: a full disk is told apart, and there is no trace when there is space again",
          "[artifacts][full][root]") {
  const TestFolder folder;
  if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=4m") != 0) {
    WARN("not possible here: this test mounts a small file system");
    return;
  }
  {
    ArtifactsWorld world(folder.file("store"));
    const AttemptPlan plan = world.begin("01A");
    write_text(plan.folder + "/out/small", "small");
    {
      std::ofstream rest(folder.file("rest"));
      const std::string block(4096, 'r');
      while (rest.write(block.data(), 4096).flush()) {
      }
    }
    const auto refused = world.put("big", std::string(100000, 'b'));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::exhausted);
    CHECK(entries_of(world.folder() + "/tmp").empty());
    std::filesystem::remove(folder.file("rest"));
    CHECK(world.put("big", std::string(100000, 'b')));
    CHECK(world.promote(plan, {"small"}));
  }
  ::umount2(folder.path().c_str(), MNT_DETACH);
}

TEST_CASE("promotion: outputs that cannot all be moved are all given back and can be moved later",
          "[artifacts][promotion]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const AttemptPlan plan = world.begin("01A");
  for (int i = 0; i < 20; ++i) {
    write_text(plan.folder + "/out/x/" + std::to_string(i), "content " + std::to_string(i));
  }
  // The place of the last file cannot be entered, as when its folder cannot grow on a full disk.
  const std::string part = std::filesystem::path(world.object("content 9")).parent_path().string();
  std::filesystem::remove(part);
  write_text(part, "in the way");
  CHECK_FALSE(world.promote(plan, {"x"}));
  CHECK(entries_of(plan.folder + "/out/x").size() == 20);
  CHECK_FALSE(std::filesystem::exists(world.object("content 1")));
  CHECK(world.artifacts->unrecorded().empty());
  std::filesystem::remove(part);
  std::filesystem::create_directory(part);
  const auto promoted = world.promote(plan, {"x"});
  REQUIRE(promoted);
  CHECK(promoted->outputs.at(0).artifact.size == 190);
  CHECK(std::filesystem::exists(world.object("content 9")));
}

TEST_CASE("promotion: an attempt whose folder is gone is an error, the others of the batch go on",
          "[artifacts][promotion]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const AttemptPlan gone = world.begin("01A"), good = world.begin("01B");
  write_text(good.folder + "/out/x", "x");
  std::filesystem::remove_all(gone.folder);
  CHECK_FALSE(world.promote(gone, {"x"}));
  CHECK(world.promote(good, {"x"}));
}
