// A folder of one's own and a watch whose callbacks are written down.
//
// Tests never sleep: they run the loop until what they wait for was called, or a deadline passes.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "daemon/watch/watch.h"

namespace pipelined {

/// A fresh folder, removed with all that is in it.
class OwnFolder {
 public:
  OwnFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "watch-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~OwnFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string at(const std::string& name) const { return path_ + '/' + name; }
  const std::string& path() const { return path_; }
  void make(const std::string& folder) const { std::filesystem::create_directories(at(folder)); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(at(name), std::ios::binary) << text;
  }
  void rename(const std::string& from, const std::string& to) const {
    std::filesystem::rename(at(from), at(to));
  }

 private:
  std::string path_;
};

/// While it lives, files are reached as a user without rights, if this process may choose.
class AsNobody {
 public:
  AsNobody() {
    if (::geteuid() == 0) switched_ = ::seteuid(65534) == 0;
  }
  ~AsNobody() {
    if (switched_) (void)!::seteuid(0);
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  bool switched_ = false;
};

/// A watch and everything that it said, in order.
class WatchBench {
 public:
  explicit WatchBench(WatchSettings settings = {60'000, 20}) : watch(loop, callbacks(), settings) {}

  boost::asio::io_context loop;
  std::vector<SettledFile> settled;
  std::vector<std::string> unmatched, troubles, recovered;
  std::function<bool(const SettledFile&)> known;
  std::function<void(const SettledFile&)> also;
  Watch watch;

  /// Runs the loop until `done`; false when that took longer than `limit_ms`.
  bool run_until(const std::function<bool()>& done, int limit_ms = 10'000) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
    while (!done()) {
      loop.restart();
      if (std::chrono::steady_clock::now() >= deadline) return false;
      loop.run_one_until(deadline);
    }
    return true;
  }
  /// Runs the loop for a while: for what must not happen.
  void run_for(int time_ms) {
    run_until([] { return false; }, time_ms);
  }
  bool run_until_settled(std::size_t count) {
    return run_until([&] { return settled.size() >= count; });
  }
  std::vector<std::string> spans() const {
    std::vector<std::string> all;
    for (const SettledFile& file : settled) all.push_back(file.span);
    return all;
  }

 private:
  WatchCallbacks callbacks() {
    WatchCallbacks calls;
    calls.on_settled = [this](const SettledFile& file) {
      settled.push_back(file);
      if (also) also(file);
    };
    calls.already_known = [this](const SettledFile& file) { return known && known(file); };
    calls.on_unmatched = [this](const auto&, const auto&, const auto&, const std::string& sentence) {
      unmatched.push_back(sentence);
    };
    calls.on_trouble = [this](const auto&, const auto&, const std::string& sentence) {
      troubles.push_back(sentence);
    };
    calls.on_recovered = [this](const auto&, const std::string& source) {
      recovered.push_back(source);
    };
    return calls;
  }
};

/// The source that most tests watch: months in incoming/.
inline WatchedSource months_in(const OwnFolder& folder, std::int64_t settle_ms = 30) {
  return {"flights", "flights", folder.path(), "incoming/{YYYY}-{MM}.csv", settle_ms};
}

}  // namespace pipelined
