#include "daemon/config.h"

#include "daemon/config_change.h"

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
  CHECK(config->sinks.empty());

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
}

TEST_CASE("config: people, secrets, sinks and rules are read", "[daemon][config]") {
  const ConfigFile file = parse_config(R"(
drain = "5s"
[access]
users = { ann = "admin", bob = "viewer" }
groups = { oncall = "reviewer" }
hosts = ["ML.example.org"]
[secrets]
signing = { file = "keys/hook" }
mail_password = { credential = "mail" }
[[sink]]
name = "ops"
url = "https://alerts.example.org/hook"
secret = "signing"
allow_private = true
[[sink]]
name = "mail"
kind = "smtp"
url = "smtp://mail.example.org"
from = "pipelined@example.org"
to = ["a@example.org", "b@example.org"]
user = "pipelined"
secret = "mail_password"
at_most_once = true
[[sink]]
command = ["/usr/bin/logger", "-t", "ml"]
timeout = "3s"
[[alert]]
name = "all"
to = ["ops", "mail"]
[[alert]]
when = ["failed", "source_silent", "disk_low"]
pipelines = ["flights*"]
severity = "warning"
to = ["command3"]
group_wait = "30s"
repeat = "4h"
recovery = false
silent_for = "26h"
late_after = "2h"
disk_below = "5GiB"
queue_above = 20
[[alert]]
url = "http://127.0.0.1:9/x"
)",
                                       "/etc/p/pipelined.toml");
  REQUIRE(file.problems.empty());
  const Config* config = &file.values;
  CHECK(config->drain_ms == 5000);
  CHECK(config->users.at("ann") == api::Role::admin);
  CHECK(config->users.at("bob") == api::Role::viewer);
  CHECK(config->groups.at("oncall") == api::Role::reviewer);
  CHECK(config->hosts == std::vector<std::string>{"ml.example.org"});
  CHECK(config->secrets.at("signing").file == "/etc/p/keys/hook");
  CHECK(config->secrets.at("mail_password").credential == "mail");
  REQUIRE(config->sinks.size() == 4);
  CHECK(config->sinks[0].kind == "webhook");
  CHECK(config->sinks[0].allow_private);
  CHECK(config->sinks[1].to.size() == 2);
  CHECK(config->sinks[1].at_most_once);
  CHECK(config->sinks[2].name == "command3");
  CHECK(config->sinks[2].timeout_ms == 3000);
  CHECK(config->sinks[3].name == "webhook4");
  REQUIRE(config->alerts.size() == 3);
  CHECK(config->alerts[0].to == std::vector<std::string>{"ops", "mail"});
  CHECK(config->alerts[1].repeat_ms == 4 * 3600 * 1000);
  CHECK(config->alerts[1].disk_below_bytes == std::int64_t{5} << 30);
  CHECK_FALSE(config->alerts[1].recovery);
  CHECK(config->alerts[2].to == std::vector<std::string>{"webhook4"});
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
      "gpuz = 2\n"
      "[[alert]]\n"
      "kind = 'pigeon'\n"
      "url = 'ftp://x'\n");
  CHECK(all.find("/etc/p/pipelined.toml:1:1: error: unknown key \"stat\"") != std::string::npos);
  CHECK(all.find("did you mean") != std::string::npos);
  CHECK(all.find(":2:9: error: store must be a string") != std::string::npos);
  CHECK(all.find(":3:11: error: plugins must be a list of folders") != std::string::npos);
  CHECK(all.find(":5:8: error: capacity.cpus must be") != std::string::npos);
  CHECK(all.find(":6:10: error: capacity.memory must be") != std::string::npos);
  CHECK(all.find(":7:1: error: unknown key \"capacity.gpuz\"") != std::string::npos);
  CHECK(all.find("alert.kind must be webhook, smtp or command, not \"pigeon\"") != std::string::npos);
}

TEST_CASE("config: sinks and rules with mistakes are refused", "[daemon][config]") {
  const std::string sink = "[[sink]]\nname='a'\nurl='https://x.example/'\n";
  CHECK(said(sink).empty());
  const auto wrong = [&](const std::string& text, const char* words) {
    CAPTURE(text, words);
    CHECK(said(text).find(words) != std::string::npos);
  };
  wrong("[[sink]]\nurl='ftp://x'\n", "sink.url must be an address that begins with https://");
  wrong("[[sink]]\nname='a#b'\nurl='https://x'\n", "sink.name has letters");
  wrong("[[sink]]\nkind='smtp'\nurl='smtp://x'\nfrom='a@b'\nto=['x@y\\r\\nBcc: z@y']\n",
        "is no address for a mail");
  wrong("[[sink]]\nkind='smtp'\nurl='smtp://x'\nfrom='a@b'\n", "sink.to must name");
  wrong("[[sink]]\ncommand=['logger']\n", "absolute path");
  wrong("[[sink]]\nkind='command'\n", "absolute path");
  wrong("[[sink]]\nname='a'\nurl='https://x'\nsecret='s'\n", "which [secrets] does not have");
  wrong("[secrets]\npassword = 'hunter2'\n", "its value never stands here");
  wrong("[secrets]\n'../x' = { file = 'y' }\n", "a secret's name has letters");
  wrong("[secrets]\nx = { credential = '../../etc/shadow' }\n", "either a file or a credential");
  wrong(sink + "[[alert]]\nto=['b']\n", "alert.to names \"b\", which is no [[sink]]");
  wrong(sink + "[[alert]]\n", "alert.to must name at least one sink");
  wrong(sink + "[[alert]]\nto=['a']\nwhen=['faild']\n", "did you mean 'failed'");
  wrong(sink + "[[alert]]\nto=['a']\nseverity='bad'\n", "alert.severity must be");
  wrong("[access]\nusers={ x = 'king' }\n", "access.users.x must be viewer, operator, reviewer");
  wrong("tls_key='x'\n", "tls_certificate and tls_key are needed both");
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
  CHECK(said(sink + sink).find("two sinks are called \"a\"") != std::string::npos);
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
      std::regex_replace(text, std::regex("(^|\n)# (\\[\\[[a-z]+\\]\\]|[a-z_]+ = )"), "$1$2");
  const ConfigFile file = parse_config(shown, "/etc/pipelined/pipelined.toml");
  for (const Diagnostic& problem : file.problems) UNSCOPED_INFO(text_of(problem));
  CHECK(file.problems.empty());
  CHECK(file.values.state == "/var/lib/pipelined/state");
  for (const char* key : {"state", "store", "socket", "group", "listen", "token_file", "plugins", "worker",
                          "pipelines", "log_level", "cpus", "memory", "attempts", "sandbox", "readable", "log",
                          "kill_unit", "cgroup", "name", "kind", "url", "drain", "users", "groups", "hosts", "secret", "to", "when",
                          "group_wait", "repeat", "recovery", "silent_for", "late_after",
                          "disk_below", "queue_above", "tls_certificate", "tls_key"}) {
    INFO(key);
    CHECK(std::regex_search(shown, std::regex("(^|\n)" + std::string(key) + " +?= ?")));
    CHECK(std::regex_search(manual, std::regex("[`.]" + std::string(key) + "`")));
  }
  CHECK(file.values.sandbox == Config{}.sandbox);
  CHECK(file.values.log_bytes == Config{}.log_bytes);
  REQUIRE(file.values.alerts.size() == 1);
  CHECK(file.values.sinks.size() == 1);
  CHECK(file.values.log_level == LogLevel::info);
  CHECK(file.values.capacity.memory_bytes == 0);
}

TEST_CASE("config: what changed is named, and taken over if it can be", "[daemon][config]") {
  const Config before;
  const auto changed = [&before](const std::function<void(Config&)>& change) {
    Config after = before;
    change(after);
    return std::pair(compare_configs(before, after), taken_over(before, after));
  };
  CHECK(compare_configs(before, before).at_once.empty());
  CHECK(compare_configs(before, before).at_restart.empty());
  const auto [loud, louder] = changed([](Config& config) { config.log_level = LogLevel::debug; });
  CHECK(loud.at_once == std::vector<std::string>{"log_level"});
  CHECK(louder.log_level == LogLevel::debug);
  const auto [moved, stayed] = changed([](Config& config) { config.state = "/elsewhere"; });
  CHECK(moved.at_restart == std::vector<std::string>{"state"});
  CHECK(stayed.state.empty());
  const auto [more, taken] = changed([](Config& config) {
    config.sinks.push_back({});
    config.alerts.push_back({});
    config.secrets["x"].file = "/y";
    config.capacity.cpus = 7;
  });
  CHECK(more.at_once == std::vector<std::string>{"capacity.cpus", "secrets", "sink", "alert"});
  CHECK(taken.sinks.size() == 1);
}

}  // namespace pipelined
