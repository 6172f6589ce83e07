// Snapshots, trees, attempts' folders, reading and what a new start finds.
#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "daemon/posix/file_facts.h"
#include "tests/artifacts/artifacts_world.h"

using namespace pipelined;

namespace {

ArtifactRef ref_of(const Manifest& manifest) {
  return {manifest.digest(), manifest.type, manifest.size()};
}

/// Promotes attempt after attempt until it is killed; says on the pipe that it has begun.
void promote_for_ever(const std::string& folder, int pipe) {
  ArtifactsWorld world(folder);
  for (int i = 0;; ++i) {
    int finished = 0;
    for (int k = 0; k < 50; ++k) {
      const std::string name = "02A" + std::to_string(i * 50 + k);
      const AttemptPlan plan = world.begin(name);
      write_text(plan.folder + "/out/x/a", "a " + name);
      write_text(plan.folder + "/out/x/b", std::string(5000, 'b') + name);
      world.artifacts->promote(plan, ArtifactsWorld::specs({"x"}),
                               [&](Result<ArtifactPort::Promoted>) { ++finished; });
    }
    if (i == 1) static_cast<void>(::write(pipe, "x", 1) == 1);
    world.loop.run_until([&finished] { return finished == 50; });
    world.record();
  }
}

}  // namespace

TEST_CASE("snapshot: a delivered file is copied under its base name", "[artifacts][snapshot]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  write_text(folder.file("incoming/2013-10.csv"), "a,b\n1,2\n");
  const auto manifest = world.snapshot(folder.file("incoming/2013-10.csv"));
  REQUIRE(manifest);
  CHECK(*manifest == Manifest{"files/1", {{"2013-10.csv", sha256("a,b\n1,2\n"), 8, false}}});
  CHECK(read_text(folder.file("incoming/2013-10.csv")) == "a,b\n1,2\n");
  CHECK(world.artifacts->read_file(manifest->digest(), "").value() == "a,b\n1,2\n");
  write_text(folder.file("incoming/2013-10.csv"), "changed");
  CHECK(world.artifacts->read_file(manifest->digest(), "2013-10.csv").value() == "a,b\n1,2\n");
  CHECK(entries_of(world.folder() + "/tmp").empty());
}

TEST_CASE("snapshot: what is no regular file, or not there, is refused", "[artifacts][snapshot]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const std::string path = folder.file("x.csv");
  SECTION("missing") { CHECK(world.snapshot(path).error().code == ErrorCode::not_found); }
  SECTION("a pipe does not block") {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    CHECK(world.snapshot(path).error().code == ErrorCode::invalid);
  }
  SECTION("a symbolic link") {
    std::filesystem::create_symlink("/etc/passwd", path);
    CHECK_FALSE(world.snapshot(path));
  }
  SECTION("a folder") {
    std::filesystem::create_directory(path);
    CHECK(world.snapshot(path).error().code == ErrorCode::invalid);
  }
}

TEST_CASE("snapshot: only the file that came to rest is taken", "[artifacts][snapshot]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const std::string path = folder.file("x.csv");
  write_text(path, "a,b\n1,2\n");
  const auto look = [&path] {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return facts_of(status);
  };
  const FileFacts at_rest = look();
  SECTION("as it was") { CHECK(world.snapshot(path, at_rest)); }
  SECTION("cut since") { std::filesystem::resize_file(path, 4); }
  SECTION("another one in its place, of the same size and time") {
    write_text(folder.file("y.csv"), "a,b\n3,4\n");
    std::filesystem::last_write_time(folder.file("y.csv"), std::filesystem::last_write_time(path));
    std::filesystem::rename(folder.file("y.csv"), path);
  }
  if (look() == at_rest) return;
  const auto refused = world.snapshot(path, at_rest);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::conflict);
  CHECK(entries_of(world.folder() + "/tmp").empty());
  CHECK(world.snapshot(path, look()));
}

TEST_CASE("snapshot: a file that is written meanwhile is never stored torn",
          "[artifacts][snapshot]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const std::string path = folder.file("big.csv");
  write_text(path, std::string(8 << 20, 'a'));
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    for (std::size_t i = 0; !stop; i = (i + 4099) % (8 << 20)) {
      file.seekp(static_cast<std::streamoff>(i));
      file.put('b').flush();
    }
  });
  const auto torn = world.snapshot(path);
  stop = true;
  writer.join();
  if (!torn) {
    CHECK(torn.error().code == ErrorCode::conflict);
    CHECK(torn.error().message.find("still changing") != std::string::npos);
    CHECK(entries_of(world.folder() + "/tmp").empty());
  } else {
    // The writer had not begun before the copy was finished: then the copy is the old content.
    CHECK(torn->files[0].digest == sha256(std::string(8 << 20, 'a')));
  }
  CHECK(world.snapshot(path));
}

TEST_CASE("artifacts: texts are stored as a tree and bad paths are refused", "[artifacts]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const auto put = [&world](Artifacts::TextFiles files) {
    return world.wait<Manifest>(
        [&](auto done) { world.artifacts->put_tree("bundle/1", files, done); });
  };
  const auto bundle = put({{"sql/join.sql", "SELECT 1"}, {"a.toml", ""}, {"copy", "SELECT 1"}});
  REQUIRE(bundle);
  REQUIRE(bundle->files.size() == 3);
  CHECK(bundle->files[0].path == "a.toml");
  const Digest digest = bundle->digest();
  CHECK(world.artifacts->read_file(digest, "sql/join.sql").value() == "SELECT 1");
  CHECK(world.artifacts->read_file(digest, "nothing").error().code == ErrorCode::not_found);
  CHECK(world.artifacts->read_file(digest, "").error().code == ErrorCode::not_found);
  CHECK(world.artifacts->read_file(digest, "copy", 3).error().code == ErrorCode::exhausted);
  CHECK(put({{"../x", "x"}}).error().code == ErrorCode::invalid);
  CHECK(put({{"x", "1"}, {"x", "2"}}).error().code == ErrorCode::invalid);
  CHECK(put({}).has_value());
}

TEST_CASE("artifacts: bytes are verified when they are first read after a start", "[artifacts]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const Manifest manifest = *world.put("a.txt", "content");
  world.begin("01A", {ref_of(manifest)});
  world.open_again();
  SECTION("a changed object is corrupt and names its artifact") {
    damage(world.object("content"), "cXntent");
    const auto refused = world.prepare("01B", {ref_of(manifest)});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::corrupt);
    CHECK(refused.error().message.find(manifest.digest().hex()) != std::string::npos);
    CHECK_FALSE(world.artifacts->is_whole(manifest));
    SECTION("stored again, the tree is built from the good object") {
      REQUIRE(world.put("a.txt", "content"));
      const AttemptPlan plan = world.begin("01C", {ref_of(manifest)});
      CHECK(read_text(plan.inputs[0][0] + "/a.txt") == "content");
    }
  }
  SECTION("a missing object is not found") {
    std::filesystem::remove(world.object("content"));
    CHECK(world.prepare("01B", {ref_of(manifest)}).error().code == ErrorCode::not_found);
  }
  SECTION("a tree that lost a file is built anew") {
    const std::string tree = world.folder() + "/trees/" + manifest.digest().hex();
    ::chmod(tree.c_str(), 0700);
    std::filesystem::remove(tree + "/a.txt");
    const AttemptPlan plan = world.begin("01B", {ref_of(manifest)});
    CHECK(read_text(plan.inputs[0][0] + "/a.txt") == "content");
  }
  SECTION("an artifact that nobody recorded is not found") {
    CHECK(world.prepare("01B", {artifact("nobody")}).error().code == ErrorCode::not_found);
  }
  SECTION("a scrub finds damage that came later") {
    REQUIRE(world.prepare("01B", {ref_of(manifest)}));
    CHECK(world.verify(manifest.digest())->whole);
    damage(world.object("content"), "cXntent");
    const auto verdict = world.verify(manifest.digest());
    CHECK_FALSE(verdict->whole);
    REQUIRE(verdict->bad.size() == 1);
    CHECK(world.prepare("01C", {ref_of(manifest)}).error().code == ErrorCode::not_found);
  }
}

TEST_CASE("artifacts: an export is verified and never overwrites", "[artifacts]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const Manifest manifest = *world.put("a.txt", "content");
  const auto export_to = [&](const std::string& name) {
    return world.wait<void>(
        [&](auto done) { world.artifacts->export_to(manifest.digest(), folder.file(name), done); });
  };
  REQUIRE(export_to("copy"));
  CHECK(read_text(folder.file("copy/a.txt")) == "content");
  CHECK(export_to("copy").error().code == ErrorCode::conflict);
  damage(world.object("content"), "cXntent");
  CHECK(export_to("again").error().code == ErrorCode::corrupt);
  CHECK_FALSE(std::filesystem::exists(folder.file("again/a.txt")));
  CHECK(world.artifacts->read_file(manifest.digest(), "").error().code == ErrorCode::corrupt);
}

TEST_CASE("artifacts: discarding an attempt keeps its log and removes whatever else it left",
          "[artifacts]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const AttemptPlan plan = world.begin("01A");
  write_text(plan.folder + "/log", "what it said");
  write_text(plan.folder + "/scratch/deep/er/file", "x");
  const std::string elsewhere = folder.file("elsewhere");
  write_text(elsewhere + "/file", "kept");
  ::chmod(elsewhere.c_str(), 0755);
  std::filesystem::create_directory_symlink(elsewhere, plan.folder + "/scratch/link");
  std::string deep = plan.folder + "/scratch";
  for (int i = 0; i < 300; ++i) deep += "/dddddd";
  std::filesystem::create_directories(deep);
  ::chmod((plan.folder + "/scratch/deep").c_str(), 0);
  CHECK(read_text(world.artifacts->log_path("01A")) == "what it said");
  SECTION("when asked") {
    world.artifacts->discard("01A", true);
    world.settle();
  }
  SECTION("at the next start") { world.open_again(); }
  CHECK(entries_of(world.folder() + "/attempts").empty());
  CHECK(read_text(world.artifacts->log_path("01A")) == "what it said");
  CHECK(read_text(elsewhere + "/file") == "kept");
  CHECK(mode_of(elsewhere) == 0755);
  world.artifacts->discard("../objects", true);
  world.artifacts->discard("01A", true);
  world.settle();
  CHECK(std::filesystem::exists(world.folder() + "/objects"));
}

TEST_CASE("artifacts: an empty folder is used again and one with anything in it is not",
          "[artifacts]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const AttemptPlan first = world.begin("01A");
  write_text(first.folder + "/log", "said");
  SECTION("empty") {}
  SECTION("a hidden file in scratch") { write_text(first.folder + "/scratch/.left", "x"); }
  SECTION("a stray folder") { write_text(first.folder + "/more/x", "x"); }
  const std::string elsewhere = folder.file("elsewhere");
  std::filesystem::create_directory(elsewhere);
  ::chmod(elsewhere.c_str(), 0755);
  SECTION("out was replaced by a link") {
    std::filesystem::remove(first.folder + "/out");
    std::filesystem::create_directory_symlink(elsewhere, first.folder + "/out");
  }
  world.artifacts->discard("01A", true);
  world.settle();
  CHECK_FALSE(std::filesystem::exists(first.folder));
  const AttemptPlan second = world.begin("01B");
  CHECK(entries_of(second.folder).size() == 2);
  CHECK(entries_of(second.folder + "/out").empty());
  CHECK(entries_of(second.folder + "/scratch").empty());
  CHECK_FALSE(std::filesystem::is_symlink(second.folder + "/out"));
  CHECK(mode_of(second.folder + "/out") == 0700);
  CHECK(read_text(world.artifacts->log_path("01A")) == "said");
  CHECK(std::filesystem::exists(elsewhere));
  CHECK(mode_of(elsewhere) == 0755);
}

TEST_CASE("artifacts: a folder whose outputs were promoted is used again, with no trace of them",
          "[artifacts]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const AttemptPlan first = world.begin("01A");
  write_text(first.folder + "/out/a/file", "one");
  write_text(first.folder + "/out/b", "two");
  const std::string elsewhere = folder.file("elsewhere");
  std::filesystem::create_directories(elsewhere + "/empty");
  struct stat before {}, after {};
  REQUIRE(::stat(first.folder.c_str(), &before) == 0);
  bool used_again = true;
  SECTION("nothing else") {}
  SECTION("an output that nobody asked for") {
    write_text(first.folder + "/out/more/file", "three");
    used_again = false;
  }
  SECTION("a link to a folder with an empty one") {
    std::filesystem::create_directory_symlink(elsewhere, first.folder + "/out/link");
    used_again = false;
  }
  REQUIRE(world.promote(first, {"a", "b"}));
  world.artifacts->discard("01A", true);
  world.settle();
  CHECK_FALSE(std::filesystem::exists(first.folder));
  const AttemptPlan second = world.begin("01B");
  REQUIRE(::stat(second.folder.c_str(), &after) == 0);
  if (used_again) CHECK(after.st_ino == before.st_ino);
  CHECK(entries_of(second.folder).size() == 2);
  CHECK(entries_of(second.folder + "/out").empty());
  CHECK(entries_of(elsewhere).size() == 1);
  CHECK(read_text(world.object("one")) == "one");
}

TEST_CASE("artifacts: a process killed while promoting leaves whole objects only",
          "[artifacts][crash]") {
  const TestFolder folder;
  for (int round = 0; round < 3; ++round) {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) promote_for_ever(folder.file("store"), pipe[1]);
    char begun = 0;
    REQUIRE(::read(pipe[0], &begun, 1) == 1);
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    ::close(pipe[0]);
    ::close(pipe[1]);

    const ArtifactsWorld world(folder.file("store"));
    CHECK(entries_of(folder.file("store/tmp")).empty());
    CHECK(entries_of(folder.file("store/attempts")).empty());
    CHECK(entries_of(folder.file("store/quarantine")).empty());
    std::size_t objects = 0;
    for (const auto& part : std::filesystem::directory_iterator(folder.file("store/objects"))) {
      for (const auto& object : std::filesystem::directory_iterator(part)) {
        const std::string name =
            part.path().filename().string() + object.path().filename().string();
        CHECK(sha256(read_text(object.path().string())).hex() == name);
        ++objects;
      }
    }
    CHECK(objects >= 100);
  }
}

TEST_CASE("snapshot: several delivered files are one artifact under their names",
          "[artifacts][snapshot]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  write_text(folder.file("in/b.csv"), "2\n");
  write_text(folder.file("in/sub/a.csv"), "1\n");
  const auto take = [&world](std::vector<IntakeFile> files) {
    std::optional<Result<Manifest>> made;
    world.artifacts->snapshot_set(std::move(files), "files/1",
                                  [&made](Result<Manifest> stored) { made = std::move(stored); });
    world.loop.run_until([&made] { return made.has_value(); });
    return *made;
  };
  const auto manifest = take({{folder.file("in/sub/a.csv"), "sub/a.csv", sha256("1\n")},
                              {folder.file("in/b.csv"), "b.csv", std::nullopt}});
  REQUIRE(manifest);
  CHECK(*manifest == Manifest{"files/1", {{"b.csv", sha256("2\n"), 2, false},
                                          {"sub/a.csv", sha256("1\n"), 2, false}}});
  CHECK(world.artifacts->read_file(manifest->digest(), "sub/a.csv").value() == "1\n");
  const auto other = take({{folder.file("in/b.csv"), "b.csv", sha256("3\n")}});
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::invalid);
  CHECK_THAT(other.error().message, Catch::Contains("is not what its manifest states"));
  CHECK(take({{folder.file("in/none.csv"), "none.csv", std::nullopt}}).error().code ==
        ErrorCode::not_found);
  CHECK(entries_of(world.folder() + "/tmp").empty());
}
