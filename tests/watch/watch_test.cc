#include "daemon/watch/watch.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "tests/watch/watch_support.h"

using namespace pipelined;
namespace fs = std::filesystem;
using Catch::Matchers::Contains;

TEST_CASE("watch: files that lie there at the start are handed over in span order", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  for (const char* name : {"2014-01", "2013-02", "2013-11", "2013-01"}) {
    folder.write(std::string("incoming/") + name + ".csv", name);
  }
  WatchBench bench;
  bench.watch.set_sources({months_in(folder)});
  REQUIRE(bench.run_until_settled(4));
  CHECK(bench.spans() == std::vector<std::string>{"2013-01", "2013-02", "2013-11", "2014-01"});
  CHECK(bench.settled[0].path == folder.at("incoming/2013-01.csv"));
  CHECK(bench.settled[0].facts.size == 7);
  CHECK(bench.settled[0].pipeline == "flights");
  CHECK(bench.troubles.empty());
}

TEST_CASE("watch: a file renamed into place is handed over once, soon after its settle time",
          "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.make("elsewhere");
  folder.write("elsewhere/x", "a,b\n1,2\n");
  WatchBench bench;
  bench.watch.set_sources({months_in(folder, 100)});
  REQUIRE(bench.run_until([&] { return bench.watch.watched_folders() > 0; }));
  folder.rename("elsewhere/x", "incoming/2013-10.csv");
  const auto start = std::chrono::steady_clock::now();
  REQUIRE(bench.run_until_settled(1));
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(took >= std::chrono::milliseconds(99));
  CHECK(took < std::chrono::milliseconds(1000));  // minutes of rescans would be another matter
  bench.run_for(150);
  bench.watch.rescan();
  bench.run_for(150);
  CHECK(bench.settled.size() == 1);
}

TEST_CASE("watch: a file that is still being written is not handed over", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  WatchBench bench;
  bench.watch.set_sources({months_in(folder, 80)});
  REQUIRE(bench.run_until([&] { return bench.watch.watched_folders() > 0; }));
  std::ofstream file(folder.at("incoming/2013-10.csv"));
  for (int piece = 0; piece < 12; ++piece) {  // never at rest as long as the settle time
    file << "half a line";
    file.flush();
    bench.run_for(20);
    CHECK(bench.settled.empty());
  }
  file << "\n";
  file.close();
  REQUIRE(bench.run_until_settled(1));
  CHECK(bench.settled[0].facts.size == 12 * 11 + 1);
  bench.run_for(200);
  CHECK(bench.settled.size() == 1);
}

TEST_CASE("watch: a hard link into the folder is a delivery", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.write("whole", "complete");
  WatchBench bench;
  bench.watch.set_sources({months_in(folder)});
  REQUIRE(bench.run_until([&] { return bench.watch.watched_folders() > 0; }));
  fs::create_hard_link(folder.at("whole"), folder.at("incoming/2013-10.csv"));
  REQUIRE(bench.run_until_settled(1));
  CHECK(bench.settled[0].span == "2013-10");
}

TEST_CASE("watch: a write through a memory map is seen by the next full look", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  const std::string path = folder.at("incoming/2013-10.csv");
  folder.write("incoming/2013-10.csv", std::string(4096, 'a'));
  WatchBench bench;
  bench.watch.set_sources({months_in(folder)});
  REQUIRE(bench.run_until_settled(1));
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  REQUIRE(descriptor >= 0);
  void* memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  REQUIRE(memory != MAP_FAILED);
  static_cast<char*>(memory)[7] = 'b';
  REQUIRE(::msync(memory, 4096, MS_SYNC) == 0);  // no event tells of this
  bench.watch.rescan();
  CHECK(bench.run_until_settled(2));
  ::munmap(memory, 4096);
  ::close(descriptor);
}

TEST_CASE("watch: changed content and a replaced file are handed over again", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.write("incoming/2013-10.csv", "one");
  WatchBench bench;
  bench.watch.set_sources({months_in(folder)});
  REQUIRE(bench.run_until_settled(1));
  folder.write("incoming/2013-10.csv", "one and two");
  REQUIRE(bench.run_until_settled(2));
  CHECK(bench.settled[1].facts.size == 11);
  folder.write("other", "one and two");  // the same bytes, another file
  folder.rename("other", "incoming/2013-10.csv");
  REQUIRE(bench.run_until_settled(3));
  CHECK(bench.settled[2].facts.inode != bench.settled[1].facts.inode);
}

TEST_CASE("watch: a file that the reader found changing settles anew", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.write("incoming/2013-10.csv", "one");
  WatchBench bench;
  bench.also = [&](const SettledFile& file) {
    if (bench.settled.size() < 3) bench.watch.unsettle("flights", "flights", file.path);
  };
  bench.watch.set_sources({months_in(folder)});
  REQUIRE(bench.run_until_settled(3));
  bench.run_for(120);
  CHECK(bench.settled.size() == 3);
}

TEST_CASE("watch: what was taken in an earlier life is not handed over", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.write("incoming/2013-10.csv", "one");
  folder.write("incoming/2013-11.csv", "two");
  WatchBench first;
  first.watch.set_sources({months_in(folder)});
  REQUIRE(first.run_until_settled(2));
  const FileFacts october = first.settled[0].facts;
  WatchBench second;
  second.known = [&](const SettledFile& file) { return file.facts == october; };
  second.watch.set_sources({months_in(folder)});
  REQUIRE(second.run_until_settled(1));
  CHECK(second.spans() == std::vector<std::string>{"2013-11"});
  folder.write("incoming/2013-10.csv", "changed");
  REQUIRE(second.run_until_settled(2));
  CHECK(second.settled[1].span == "2013-10");
}

TEST_CASE("watch: hidden and unfinished files are left alone, others that match nothing are told "
          "once",
          "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  for (const char* name : {".2013-10.csv", "2013-10.csv.tmp", "2013-10.csv.PART", "notes.txt"}) {
    folder.write(std::string("incoming/") + name, "x");
  }
  WatchBench bench;
  bench.watch.set_sources({months_in(folder)});
  REQUIRE(bench.run_until([&] { return !bench.unmatched.empty(); }));
  bench.watch.rescan();
  folder.write("incoming/notes.txt", "longer");
  bench.run_for(150);
  REQUIRE(bench.unmatched.size() == 1);
  CHECK_THAT(bench.unmatched[0], Contains("incoming/notes.txt does not match the path"));
  CHECK(bench.settled.empty());
  folder.rename("incoming/2013-10.csv.tmp", "incoming/2013-10.csv");
  CHECK(bench.run_until_settled(1));
}

TEST_CASE("watch: links and pipes are not taken, and told", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.write("secret", "not for you");
  fs::create_symlink(folder.at("secret"), folder.at("incoming/2013-10.csv"));
  REQUIRE(::mkfifo(folder.at("incoming/2013-11.csv").c_str(), 0600) == 0);
  folder.make("incoming/2013-12.csv");
  WatchBench bench;
  bench.watch.set_sources({months_in(folder)});
  REQUIRE(bench.run_until([&] { return bench.unmatched.size() >= 3; }));
  CHECK_THAT(bench.unmatched[0], Contains("2013-10.csv is a link, a pipe or a device"));
  CHECK_THAT(bench.unmatched[1], Contains("2013-11.csv is a link, a pipe or a device"));
  CHECK_THAT(bench.unmatched[2], Contains("2013-12.csv is a folder"));
  CHECK(bench.settled.empty());
}

TEST_CASE("watch: a missing folder is told once and taken up when it comes", "[watch]") {
  OwnFolder folder;
  // The retry is far away, so that only the event of the parent can be what wakes it.
  WatchBench bench({60'000, 60'000});
  bench.watch.set_sources({months_in(folder)});
  REQUIRE(bench.run_until([&] { return !bench.troubles.empty(); }));
  CHECK_THAT(bench.troubles[0], Contains("incoming does not exist"));
  folder.make("incoming");
  folder.write("incoming/2013-10.csv", "one");
  REQUIRE(bench.run_until_settled(1));
  CHECK(bench.troubles.size() == 1);
  CHECK(bench.recovered == std::vector<std::string>{"flights"});
}

TEST_CASE("watch: a folder deep below a missing one is taken up", "[watch]") {
  OwnFolder folder;
  WatchBench bench;
  bench.watch.set_sources({{"p", "s", folder.path(), "a/b/c/{YYYY}.csv", 10}});
  REQUIRE(bench.run_until([&] { return !bench.troubles.empty(); }));
  folder.make("a");
  bench.run_for(50);
  CHECK(bench.recovered.empty());
  folder.make("a/b/c");
  folder.write("a/b/c/2013.csv", "x");
  REQUIRE(bench.run_until_settled(1));
  CHECK(bench.troubles.size() == 1);
}

TEST_CASE("watch: a folder that is removed and made again is watched again", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.write("incoming/2013-10.csv", "one");
  WatchBench bench;
  bench.watch.set_sources({months_in(folder)});
  REQUIRE(bench.run_until_settled(1));
  fs::remove_all(folder.at("incoming"));
  REQUIRE(bench.run_until([&] { return bench.troubles.size() == 1; }));
  folder.make("incoming");
  REQUIRE(bench.run_until([&] { return bench.recovered.size() == 1; }));
  folder.write("incoming/2013-11.csv", "two");
  REQUIRE(bench.run_until_settled(2));
  CHECK(bench.settled[1].span == "2013-11");
}

TEST_CASE("watch: a folder that is moved away is no longer the source's", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  WatchBench bench;
  bench.watch.set_sources({months_in(folder)});
  REQUIRE(bench.run_until([&] { return bench.watch.watched_folders() > 0; }));
  folder.rename("incoming", "archive");
  REQUIRE(bench.run_until([&] { return bench.troubles.size() == 1; }));
  folder.write("archive/2013-10.csv", "not delivered");
  folder.make("incoming");
  folder.write("incoming/2013-11.csv", "delivered");
  REQUIRE(bench.run_until_settled(1));
  bench.run_for(100);
  CHECK(bench.spans() == std::vector<std::string>{"2013-11"});
}

TEST_CASE("watch: folders that a pattern leads into are watched when they appear", "[watch]") {
  OwnFolder folder;
  folder.make("in");
  WatchBench bench;
  bench.watch.set_sources({{"p", "s", folder.path(), "in/{YYYY}/{MM}/part-*.csv", 10}});
  REQUIRE(bench.run_until([&] { return bench.watch.watched_folders() > 0; }));
  folder.make("in/2013/10");
  folder.write("in/2013/10/part-a.csv", "x");
  REQUIRE(bench.run_until_settled(1));
  CHECK(bench.settled[0].span == "2013-10");
  folder.write("in/2013/10/part-b.csv", "x");
  REQUIRE(bench.run_until_settled(2));
  folder.make("in/wrong");
  REQUIRE(bench.run_until([&] { return bench.unmatched.size() == 1; }));
  CHECK_THAT(bench.unmatched[0], Contains("in/wrong is a folder"));
}

TEST_CASE("watch: two sources share a folder without calling each other's files strays",
          "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.write("incoming/2013-10.csv", "x");
  folder.write("incoming/weather.csv", "x");
  folder.write("incoming/odd", "x");
  WatchBench bench;
  bench.watch.set_sources({months_in(folder),
                           {"flights", "weather", folder.path(), "incoming/weather.csv", 30}});
  REQUIRE(bench.run_until([&] { return bench.settled.size() == 2 && !bench.unmatched.empty(); }));
  bench.run_for(60);
  CHECK(bench.spans() == std::vector<std::string>{"2013-10", "all"});
  REQUIRE(bench.unmatched.size() == 1);
  CHECK_THAT(bench.unmatched[0], Contains("incoming/odd"));
}

TEST_CASE("watch: a pattern in the pipeline's own folder calls nothing there a stray", "[watch]") {
  OwnFolder folder;
  folder.write("pipeline.toml", "name = 'p'");
  folder.write("2013.csv", "x");
  WatchBench bench;
  bench.watch.set_sources({{"p", "s", folder.path(), "{YYYY}.csv", 10}});
  REQUIRE(bench.run_until_settled(1));
  bench.run_for(60);
  CHECK(bench.unmatched.empty());
}

TEST_CASE("watch: a settle time of nothing hands over at the first look", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.write("ready", "x");
  WatchBench bench;
  bench.watch.set_sources({months_in(folder, 0)});
  REQUIRE(bench.run_until([&] { return bench.watch.watched_folders() > 0; }));
  folder.rename("ready", "incoming/2013-10.csv");
  REQUIRE(bench.run_until_settled(1));
  CHECK(bench.settled[0].span == "2013-10");
}

TEST_CASE("watch: sources that stay keep what they know, others go", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.make("more");
  folder.write("incoming/2013-10.csv", "x");
  folder.write("more/2013.csv", "x");
  const WatchedSource more = {"p", "more", folder.path(), "more/{YYYY}.csv", 10};
  WatchBench bench;
  bench.watch.set_sources({months_in(folder)});
  REQUIRE(bench.run_until_settled(1));
  bench.watch.set_sources({months_in(folder), more});
  REQUIRE(bench.run_until_settled(2));
  CHECK(bench.settled[1].source == "more");
  bench.watch.set_sources({more});
  REQUIRE(bench.run_until([&] { return bench.watch.watched_folders() == 1; }));
  folder.write("incoming/2013-11.csv", "x");
  bench.run_for(100);
  CHECK(bench.settled.size() == 2);
}

TEST_CASE("watch: many files at once all arrive, also when events are lost", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  WatchBench bench;
  bench.watch.set_sources({{"p", "s", folder.path(), "incoming/{SPAN}.csv", 30}});
  REQUIRE(bench.run_until([&] { return bench.watch.watched_folders() > 0; }));
  // Three events a file: more than the queue's usual 16,384.
  constexpr int count = 6000;
  for (int i = 0; i < count; ++i) folder.write("incoming/" + std::to_string(i) + ".csv", "x");
  REQUIRE(bench.run_until_settled(count));
  bench.run_for(100);
  REQUIRE(bench.settled.size() == count);
  std::set<std::string> spans;
  for (const SettledFile& file : bench.settled) spans.insert(file.span);
  CHECK(spans.size() == count);
}

TEST_CASE("watch: a watch may be destroyed while a file settles", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.write("incoming/2013-10.csv", "x");
  boost::asio::io_context loop;
  bool called = false;
  {
    WatchCallbacks calls;
    calls.on_settled = [&](const SettledFile&) { called = true; };
    Watch watch(loop, calls);
    watch.set_sources({months_in(folder, 5)});
    loop.poll();
  }
  loop.restart();
  loop.run();  // comes to an end, since nothing is watched any more
  CHECK_FALSE(called);
}

TEST_CASE("watch: a folder that may not be read is told, and taken up when it may", "[watch]") {
  OwnFolder folder;
  folder.make("incoming");
  folder.write("incoming/2013-10.csv", "x");
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  REQUIRE(::chmod(folder.at("incoming").c_str(), 0) == 0);
  WatchBench bench;
  {
    const AsNobody nobody;  // the superuser reads every folder
    bench.watch.set_sources({months_in(folder)});
    REQUIRE(bench.run_until([&] { return !bench.troubles.empty(); }));
  }
  CHECK_THAT(bench.troubles[0], Contains("allow it to read"));
  REQUIRE(::chmod(folder.at("incoming").c_str(), 0755) == 0);
  {
    const AsNobody nobody;
    CHECK(bench.run_until_settled(1));
  }
  CHECK(bench.troubles.size() == 1);
  CHECK(bench.recovered.size() == 1);
}

TEST_CASE("watch: of a source with markers these are handed over, and its files are no strays",
          "[watch]") {
  OwnFolder folder;
  folder.make("in/2024-01-05");
  folder.write("in/2024-01-05/part-0.csv", "1");
  folder.write("in/2024-01-05/readme.txt", "?");
  WatchedSource source{"shop", "days", folder.path(), "in/{YYYY}-{MM}-{DD}/_SUCCESS", 0};
  source.files = "in/{YYYY}-{MM}-{DD}/part-*.csv";
  WatchBench bench;
  bench.watch.set_sources({source});
  REQUIRE(bench.run_until([&] { return bench.unmatched.size() == 1; }));
  CHECK_THAT(bench.unmatched[0], Contains("readme.txt"));
  CHECK(bench.settled.empty());
  folder.write("in/2024-01-05/part-1.csv", "2");
  folder.write("in/2024-01-05/_SUCCESS", "");
  REQUIRE(bench.run_until_settled(1));
  CHECK(bench.settled[0].span == "2024-01-05");
  CHECK(bench.settled[0].path == folder.at("in/2024-01-05/_SUCCESS"));
  bench.run_for(50);
  CHECK(bench.unmatched.size() == 1);
}
