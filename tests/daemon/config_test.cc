#include "daemon/config.h"

#include <fstream>
#include <regex>
#include <sstream>

#include <catch2/catch.hpp>

#include "dag/spec_words.h"

namespace pipelined {
namespace {

Surroundings someone() {
  Surroundings around;
  around.home = "/home/ann";
  around.current_folder = "/current";
  around.worker = "/opt/bin/pipelined-worker";
  around.plugins = "/opt/plugins";
  around.cpus = 4;
  return around;
}

std::string said(const std::string& text) {
  std::string all;
  for (const Diagnostic& problem : parse_config(text, "/etc/p/pipelined.toml").problems) {
    all += text_of(problem) + "\n";
  }
  return all;
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("config: without file and options it works on the user's own folder", "[daemon][config]") {
  Surroundings around = someone();
  auto config = settle_config({}, {}, around);
  REQUIRE(config);
  CHECK(config->state == "/home/ann/.local/state/pipelined");
  CHECK(config->store == "/home/ann/.local/state/pipelined/store");
  CHECK(config->socket == "/home/ann/.local/state/pipelined/pipelined.sock");
  CHECK(config->worker == "/opt/bin/pipelined-worker");
  CHECK(config->plugins == std::vector<std::string>{"/opt/plugins"});
  CHECK(config->capacity.cpus == 4);
  CHECK(config->listen.empty());
  CHECK(config->alerts.empty());

  around.state_home = "/state";
  around.runtime_dir = "/run/user/7";
  config = settle_config({}, {}, around);
  REQUIRE(config);
  CHECK(config->state == "/state/pipelined");
  CHECK(config->socket == "/run/user/7/pipelined.sock");
}

TEST_CASE("config: a state folder of its own takes the socket along", "[daemon][config]") {
  Surroundings around = someone();
  around.runtime_dir = "/run/user/7";
  CommandLine line;
  line.state = "here/state";
  const auto config = settle_config({}, line, around);
  REQUIRE(config);
  CHECK(config->state == "/current/here/state");
  CHECK(config->store == "/current/here/state/store");
  CHECK(config->socket == "/current/here/state/pipelined.sock");
}

TEST_CASE("config: without any home there is a sentence, not a guess", "[daemon][config]") {
  const auto config = settle_config({}, {}, {});
  REQUIRE_FALSE(config);
  CHECK(config.error().message.find("--state") != std::string::npos);
}

TEST_CASE("config: every key of the file arrives, paths from its folder", "[daemon][config]") {
  const ConfigFile file = parse_config(R"(
state = "db"
store = "/data/store"
socket = "s.sock"
listen = "127.0.0.1:8080"
worker = "w"
group = "ml"
plugins = ["plugins", "/usr/lib/p"]
pipelines = ["pipelines"]
log_level = "debug"
[capacity]
cpus = 1.5
memory = "2GiB"
attempts = 3
[attempts]
sandbox = "optional"
readable = ["/data"]
log = "1MiB"
kill_unit = "cgroup"
cgroup = "/sys/fs/cgroup/p"
[[alert]]
name = "ops"
kind = "webhook"
url = "https://alerts.example.org/hook"
[[alert]]
url = "http://127.0.0.1:9/x"
)",
                                       "/etc/p/pipelined.toml");
  REQUIRE(file.problems.empty());
  const auto config = settle_config(file, {}, someone());
  REQUIRE(config);
  CHECK(config->state == "/etc/p/db");
  CHECK(config->store == "/data/store");
  CHECK(config->socket == "/etc/p/s.sock");
  CHECK(config->listen == "127.0.0.1:8080");
  CHECK(config->worker == "/etc/p/w");
  CHECK(config->group == "ml");
  CHECK(config->plugins == std::vector<std::string>{"/etc/p/plugins", "/usr/lib/p"});
  CHECK(config->pipelines == std::vector<std::string>{"/etc/p/pipelines"});
  CHECK(config->log_level == LogLevel::debug);
  CHECK(config->capacity.cpus == 1.5);
  CHECK(config->capacity.memory_bytes == std::int64_t{2} << 30);
  CHECK(config->capacity.attempts == 3);
  CHECK_FALSE(config->sandbox);
  CHECK(config->readable == std::vector<std::string>{"/data"});
  CHECK(config->log_bytes == 1 << 20);
  CHECK(config->kill_unit == "cgroup");
  CHECK(config->cgroup == "/sys/fs/cgroup/p");
  REQUIRE(config->alerts.size() == 2);
  CHECK(config->alerts[0].name == "ops");
  CHECK(config->alerts[1].name == "webhook2");
  CHECK(config->alerts[1].kind == "webhook");
}

TEST_CASE("config: the command line wins over the file", "[daemon][config]") {
  const ConfigFile file = parse_config(
      "state='/a'\nstore='/b'\nsocket='/c'\nlisten='127.0.0.1:1'\nlog_level='error'\n", "/etc/x.toml");
  CommandLine line;
  line.state = "/x";
  line.store = "/y";
  line.socket = "/z";
  line.listen = "[::1]:2";
  line.log_level = "warning";
  line.plugins = {"mine"};
  const auto config = settle_config(file, line, someone());
  REQUIRE(config);
  CHECK(config->state == "/x");
  CHECK(config->store == "/y");
  CHECK(config->socket == "/z");
  CHECK(config->listen == "[::1]:2");
  CHECK(config->log_level == LogLevel::warning);
  CHECK(config->plugins == std::vector<std::string>{"/current/mine"});
}

TEST_CASE("config: every mistake is named with its place", "[daemon][config]") {
  const std::string all = said(
      "stat = 'x'\n"
      "store = 7\n"
      "plugins = 'one'\n"
      "[capacity]\n"
      "cpus = -1\n"
      "memory = 'much'\n"
      "gpus = 2\n"
      "[[alert]]\n"
      "kind = 'pigeon'\n"
      "url = 'ftp://x'\n");
  CHECK(all.find("/etc/p/pipelined.toml:1:1: error: unknown key \"stat\"") != std::string::npos);
  CHECK(all.find("did you mean") != std::string::npos);
  CHECK(all.find(":2:9: error: store must be a string") != std::string::npos);
  CHECK(all.find(":3:11: error: plugins must be a list of folders") != std::string::npos);
  CHECK(all.find(":5:8: error: capacity.cpus must be") != std::string::npos);
  CHECK(all.find(":6:10: error: capacity.memory must be") != std::string::npos);
  CHECK(all.find(":7:1: error: unknown key \"capacity.gpus\"") != std::string::npos);
  CHECK(all.find("alert.kind must be \"webhook\", not \"pigeon\"") != std::string::npos);
  CHECK(all.find("alert.url must be an address") != std::string::npos);
}

TEST_CASE("config: broken TOML is one problem with its place", "[daemon][config]") {
  const ConfigFile file = parse_config("state = 'x'\nstore = \n", "/etc/x.toml");
  REQUIRE(file.problems.size() == 1);
  CHECK(file.problems[0].at.line == 2);
  CHECK(said(std::string(2'000, '[')).find("error") != std::string::npos);
  CHECK(said("[[[").find("error") != std::string::npos);
}

TEST_CASE("config: two alerts of one name are refused", "[daemon][config]") {
  const std::string sink = "[[alert]]\nname='a'\nurl='http://localhost:1/'\n";
  CHECK(said(sink).empty());
  CHECK(said(sink + sink).find("two alerts are called \"a\"") != std::string::npos);
}

TEST_CASE("config: addresses are numbers with a port", "[daemon][config]") {
  const auto good = parse_listen("127.0.0.1:8080");
  REQUIRE(good);
  CHECK(good->host == "127.0.0.1");
  CHECK(good->port == 8080);
  CHECK(good->loopback);
  CHECK(parse_listen("[::1]:1")->loopback);
  CHECK_FALSE(parse_listen("0.0.0.0:80")->loopback);
  CHECK_FALSE(parse_listen("[::]:80")->loopback);
  for (const char* bad : {"", ":80", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
                          "127.0.0.1:99999", "1.2.3.4.5:6", "::1:8", "127.0.0.1:-1"}) {
    INFO(bad);
    CHECK_FALSE(parse_listen(bad));
  }
}

TEST_CASE("config: a socket path that the system cannot take is refused", "[daemon][config]") {
  CommandLine line;
  line.state = "/" + std::string(150, 'x');
  const auto config = settle_config({}, line, someone());
  REQUIRE_FALSE(config);
  CHECK(config.error().message.find("--socket") != std::string::npos);
  line.socket = "/run/p.sock";
  CHECK(settle_config({}, line, someone()));
}

TEST_CASE("config: etc/pipelined.toml shows every key, and each line that it shows can be used",
          "[daemon][config]") {
  const std::string text = read(std::string(PIPELINED_SOURCE_DIR) + "/etc/pipelined.toml");
  const std::string manual = read(std::string(PIPELINED_SOURCE_DIR) + "/docs/deploying.md");
  CHECK(said(text).empty());
  // The keys behind "# " are examples: with them the file must still be good.
  const std::string shown =
      std::regex_replace(text, std::regex("(^|\n)# (\\[\\[alert\\]\\]|[a-z_]+ = )"), "$1$2");
  const ConfigFile file = parse_config(shown, "/etc/pipelined/pipelined.toml");
  for (const Diagnostic& problem : file.problems) UNSCOPED_INFO(text_of(problem));
  CHECK(file.problems.empty());
  CHECK(file.values.state == "/var/lib/pipelined/state");
  for (const char* key : {"state", "store", "socket", "group", "listen", "token_file", "plugins", "worker",
                          "pipelines", "log_level", "cpus", "memory", "attempts", "sandbox", "readable", "log",
                          "kill_unit", "cgroup", "name", "kind",
                          "url"}) {
    INFO(key);
    CHECK(std::regex_search(shown, std::regex("(^|\n)" + std::string(key) + " +?= ?")));
    CHECK(std::regex_search(manual, std::regex("[`.]" + std::string(key) + "`")));
  }
  CHECK(file.values.sandbox == Config{}.sandbox);
  CHECK(file.values.log_bytes == Config{}.log_bytes);
  REQUIRE(file.values.alerts.size() == 1);
  CHECK(file.values.log_level == LogLevel::info);
  CHECK(file.values.capacity.memory_bytes == 0);
}

}  // namespace pipelined
