// Texts that want out of a folder, in every place that takes a name or a path.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>

#include "daemon/api/protocol.h"
#include "daemon/api/routes.h"
#include "tests/api/fake_backend.h"
#include "tests/api/raw_client.h"

using namespace pipelined;
using namespace pipelined::test;

namespace {

/// What may stand for "one folder up", as decoders of every kind have been made to take it.
const std::vector<std::string>& ups() {
  static const std::vector<std::string> all = {
      "..",           "%2e%2e",       "%2E%2E",     ".%2e",       "%2e.",        "%252e%252e",
      "%25252e%2e",   "..%00",        "%00..",      "..;",        "..%3b",       "...",
      "....",         "..%20",        "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "%uff0e%uff0e",
      "..%0a",        "..%0d",        "%u002e%u002e"};
  return all;
}

/// What may stand for a slash.
const std::vector<std::string>& slashes() {
  static const std::vector<std::string> all = {"/",       "%2f",   "%2F",    "%252f",  "\\",
                                               "%5c",     "%5C",   "%255c",  "//",     "/./",
                                               "%c0%af",  "%2f%2f", "%u2215", "%e0%80%af"};
  return all;
}

std::vector<std::string> corpus() {
  std::vector<std::string> all = {
      "/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "file:///etc/passwd", "#../", "..#",
      "?/../x", "%23../secret", "%3f../secret", "C:\\x", "C:%5cx", "~/x", "~root/x", "|id", "`id`",
      "$(id)", "secret%00.csv", "%00", "%", "%2", "%zz", "%%32%65", "CON", "NUL", "./secret",
      "././secret", ".", "-rf", "--", "data.csv/../../secret", "data.csv/..", "data.csv/.",
      "data.csv/", "data.csv%2f..%2f..%2fsecret", "data.csv%00", "DATA.CSV", "data.csv%20"};
  for (const std::string& up : ups()) {
    for (const std::string& slash : slashes()) {
      all.push_back(up + slash + up + slash + "secret");
    }
  }
  return all;
}

std::string ask(const TestDaemon& daemon, const std::string& method, const std::string& target,
                const std::string& body) {
  RawConnection connection(daemon.socket());
  std::string text = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
  if (!body.empty()) {
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n";
  }
  connection.send(text + "Connection: close\r\n\r\n" + body);
  return connection.rest();
}

/// Every place of a route that takes text: captures and parameters, one at a time.
std::vector<std::string> targets_of(const api::Route& route, const std::string& hostile) {
  std::vector<std::string> targets;
  const std::string path = route.path;
  for (std::size_t open = path.find('{'); open != std::string::npos;
       open = path.find('{', open + 1)) {
    std::string made = path;
    made.replace(open, path.find('}', open) - open + 1, hostile);
    for (std::size_t other = made.find('{'); other != std::string::npos; other = made.find('{')) {
      made.replace(other, made.find('}', other) - other + 1, "1");
    }
    targets.push_back(std::move(made));
  }
  std::string plain = path;
  for (std::size_t open = plain.find('{'); open != std::string::npos; open = plain.find('{')) {
    plain.replace(open, plain.find('}', open) - open + 1, "1");
  }
  for (const api::QueryParameter& parameter : route.query) {
    targets.push_back(plain + "?" + parameter.name + "=" + hostile);
  }
  return targets;
}

}  // namespace

TEST_CASE("traversal: no text leads out of the folder that it is looked for in",
          "[api][server][security]") {
  TestDaemon daemon;
  // It lies above the folders that the daemon reads, and beside them.
  for (const char* name : {"/secret", "/logs/secret", "/../pipelined-secret"}) {
    std::error_code ignored;
    std::filesystem::create_directories(daemon.folder() + "/logs", ignored);
    std::ofstream(daemon.folder() + name) << "the canary sings";
  }
  const std::vector<std::string> hostile = corpus();
  REQUIRE(std::set<std::string>(hostile.begin(), hostile.end()).size() >= 200);
  std::size_t asked = 0, leaked = 0, failed = 0;
  for (const api::Route& route : api::make_routes()) {
    const std::string path = route.path;
    if (path == "/api/v1/events" || path.find("/wait") != std::string::npos) continue;
    for (const std::string& text : hostile) {
      for (const std::string& target : targets_of(route, text)) {
        const std::string reply = ask(daemon, route.method, target, "");
        ++asked;
        const bool leak = reply.find("canary") != std::string::npos ||
                          reply.find("root:x:0") != std::string::npos;
        const int status = status_of(reply);
        if (leak) ++leaked, UNSCOPED_INFO("leaked by " << route.method << " " << target);
        if (status >= 500 && status != 501) {
          ++failed;
          UNSCOPED_INFO(status << " for " << route.method << " " << target);
        }
      }
    }
  }
  CHECK(leaked == 0);
  CHECK(failed == 0);
  CHECK(asked > 2000);
  std::filesystem::remove(daemon.folder() + "/../pipelined-secret");
}
