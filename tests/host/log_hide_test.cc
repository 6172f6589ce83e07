#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "operators/host/log_capture.h"

using pipelined::host::LogCapture;

namespace {

std::string logged(const std::vector<std::string>& secrets, const std::vector<std::string>& pieces) {
  std::string name = (std::filesystem::temp_directory_path() / "log-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  std::ostringstream text;
  {
    LogCapture log(name + "/log", {1 << 16, 1 << 16});
    log.hide(secrets);
    for (const std::string& piece : pieces) log.append(piece);
    log.end();
    log.flush();
    CHECK(log.last_lines().find("swordfish") == std::string::npos);
  }
  std::ifstream file(name + "/log");
  text << file.rdbuf();
  std::filesystem::remove_all(name);
  return text.str();
}

}  // namespace

TEST_CASE("log: a secret is hidden however the pieces cut it", "[host][security]") {
  const std::string text = "password=swordfish; swordfisswordfish and sword";
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); second += 3) {
      const std::string found = logged({"swordfish"}, {text.substr(0, first),
                                                       text.substr(first, second - first),
                                                       text.substr(second)});
      CAPTURE(first, second);
      REQUIRE(found == "password=***; swordfis*** and sword");
    }
  }
}

TEST_CASE("log: of two secrets the longer is hidden whole", "[host][security]") {
  CHECK(logged({"fish", "swordfish"}, {"a swordfish, a fish"}) == "a ***, a ***");
  CHECK(logged({"abc", ""}, {"abc"}) == "abc");  // too short to hide: it would tear every text
}
