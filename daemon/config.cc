#include "daemon/config.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <filesystem>
#include <set>

// The same settings as in dag/spec_toml.cc: the library's inline functions exist once in a program.
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "daemon/notify/message.h"
#include "dag/nearest_name.h"
#include "dag/spec_words.h"
#include "dag/toml_limits.h"

namespace pipelined {
namespace {

/// Whether a name can stand in a file's name and in a record as it is.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

/// Reads one table after the other and remembers which keys somebody asked for.
class ConfigReader {
 public:
  ConfigReader(std::string path, std::vector<Diagnostic>& problems)
      : path_(std::move(path)),
        folder_(std::filesystem::path(path_).parent_path().string()),
        problems_(problems) {}

  void read(const toml::table& root, ConfigFile& file) {
    Config& values = file.values;
    Keys keys(*this, root, "");
    keys.path("state", values.state);
    keys.path("store", values.store);
    keys.path("socket", values.socket);
    keys.text("listen", values.listen);
    keys.path("token_file", values.token_file);
    keys.path("worker", values.worker);
    keys.text("group", values.group);
    keys.paths("plugins", values.plugins);
    keys.paths("pipelines", values.pipelines);
    keys.log_level("log_level", values.log_level);
    if (const toml::table* table = keys.table("access")) {
      Keys access(*this, *table, "access.");
      access.roles("users", values.users);
      access.roles("groups", values.groups);
      access.words("hosts", values.hosts);
      access.finish();
    }
    if (const toml::table* table = keys.table("capacity")) {
      Keys capacity(*this, *table, "capacity.");
      file.cpus_given = capacity.number("cpus", values.capacity.cpus);
      capacity.size("memory", values.capacity.memory_bytes);
      capacity.count("attempts", values.capacity.attempts);
      capacity.size("scratch", values.capacity.scratch_bytes);
      capacity.count("gpus", values.capacity.gpus);
      capacity.finish();
    }
    if (const toml::table* table = keys.table("pools")) {
      Keys pools(*this, *table, "pools.");
      for (const auto& [key, node] : *table) {
        pools.count(std::string(key.str()).c_str(), values.capacity.pools[std::string(key.str())]);
      }
    }
    if (const toml::table* table = keys.table("attempts")) {
      Keys attempts(*this, *table, "attempts.");
      attempts.sandbox("sandbox", values.sandbox);
      attempts.paths("readable", values.readable);
      attempts.kill_unit("kill_unit", values.kill_unit);
      attempts.path("cgroup", values.cgroup);
      attempts.size("log", values.log_bytes);
      attempts.finish();
    }
    keys.duration("drain", values.drain_ms);
    keys.path("tls_certificate", values.tls_certificate);
    keys.path("tls_key", values.tls_key);
    if (values.tls_certificate.empty() != values.tls_key.empty()) {
      problem(root, "tls_certificate and tls_key are needed both, or none of them");
    }
    if (const toml::table* table = keys.table("secrets")) read_secrets(*table, values.secrets);
    if (const toml::table* table = keys.table("retention")) read_retention(*table, values);
    if (const toml::array* sinks = keys.tables("sink")) {
      for (const toml::node& node : *sinks) read_sink(*node.as_table(), values);
    }
    if (const toml::array* rules = keys.tables("alert")) {
      for (const toml::node& node : *rules) read_alert(*node.as_table(), values);
    }
    keys.finish();
    if (!values.listen.empty()) {
      if (auto address = parse_listen(values.listen); !address) {
        problem(*root.get("listen"), address.error().message);
      }
    }
  }

 private:
  void read_retention(const toml::table& table, Config& values) {
    Keys retention(*this, table, "retention.");
    retention.count("every_hours", values.collect_hours);
    retention.count("scrub_days", values.scrub.days);
    retention.count("scrub_mib_per_second", values.scrub.mib_per_second);
    retention.count("runs_days", values.retention.runs_days);
    retention.count("runs_newest", values.retention.runs_newest);
    retention.count("runs_most", values.retention.runs_most);
    retention.count("artifacts_days", values.retention.artifacts_days);
    retention.count("results_days", values.retention.results_days);
    retention.count("logs_days", values.retention.logs_days);
    retention.count("events_days", values.retention.events_days);
    retention.count("unused_hours", values.retention.unused_hours);
    retention.finish();
  }

  /// The keys of one table.
  class Keys {
   public:
    Keys(ConfigReader& reader, const toml::table& table, std::string prefix)
        : reader_(reader), table_(table), prefix_(std::move(prefix)) {}

    bool text(const char* key, std::string& value) {
      const toml::node* node = take(key);
      if (!node) return false;
      if (const auto* found = node->as_string()) {
        value = found->get();
        return true;
      }
      return wrong(*node, key, "a string");
    }
    void path(const char* key, std::string& value) {
      if (text(key, value)) value = reader_.absolute(value);
    }
    void paths(const char* key, std::vector<std::string>& values) {
      const toml::node* node = take(key);
      if (!node) return;
      const toml::array* list = node->as_array();
      if (!list) return void(wrong(*node, key, "a list of folders"));
      for (const toml::node& item : *list) {
        if (const auto* found = item.as_string()) {
          values.push_back(reader_.absolute(found->get()));
        } else {
          wrong(item, key, "a list of folders");
        }
      }
    }
    bool number(const char* key, double& value) {
      const toml::node* node = take(key);
      if (!node) return false;
      const auto found = node->value<double>();
      if (!node->is_number() || !found || !(*found >= 0) || *found > 1e6) {
        return wrong(*node, key, "a number that is not negative");
      }
      value = *found;
      return true;
    }
    void count(const char* key, std::int64_t& value) {
      const toml::node* node = take(key);
      if (!node) return;
      const auto* found = node->as_integer();
      if (!found || found->get() < 0) return void(wrong(*node, key, "a whole number, at least 0"));
      value = found->get();
    }
    void size(const char* key, std::int64_t& value) {
      const toml::node* node = take(key);
      if (!node) return;
      const auto* found = node->as_string();
      const auto bytes = found ? parse_size(found->get()) : std::nullopt;
      if (!bytes) return void(wrong(*node, key, "a size such as \"8GiB\""));
      value = *bytes;
    }
    /// A list of words, kept in lower case.
    void words(const char* key, std::vector<std::string>& values) {
      const toml::node* node = take(key);
      if (!node) return;
      const toml::array* list = node->as_array();
      if (!list) return void(wrong(*node, key, "a list of names"));
      for (const toml::node& item : *list) {
        const auto* found = item.as_string();
        if (!found || found->get().empty()) return void(wrong(item, key, "a list of names"));
        std::string word = found->get();
        for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        values.push_back(std::move(word));
      }
    }
    /// A table from names to roles.
    void roles(const char* key, std::map<std::string, api::Role>& values) {
      const toml::table* roles = table(key);
      if (!roles) return;
      for (const auto& [name, node] : *roles) {
        const auto* found = node.as_string();
        const auto role = found ? api::parse_role(found->get()) : std::nullopt;
        const std::string whole = std::string(key) + "." + std::string(name.str());
        if (!role) {
          wrong(node, whole.c_str(), "viewer, operator, reviewer or admin");
          continue;
        }
        values[std::string(name.str())] = *role;
      }
    }
    void duration(const char* key, std::int64_t& value) {
      const toml::node* node = take(key);
      if (!node) return;
      const auto* found = node->as_string();
      const auto length = found ? parse_duration(found->get()) : std::nullopt;
      if (!length) return void(wrong(*node, key, "a duration such as \"30s\" or \"4h\""));
      value = *length;
    }
    bool flag(const char* key, bool& value) {
      const toml::node* node = take(key);
      if (!node) return false;
      const auto* found = node->as_boolean();
      if (!found) return wrong(*node, key, "true or false");
      value = found->get();
      return true;
    }
    /// A list of texts as they are.
    void texts(const char* key, std::vector<std::string>& values) {
      const toml::node* node = take(key);
      if (!node) return;
      const toml::array* list = node->as_array();
      if (!list) return void(wrong(*node, key, "a list of strings"));
      for (const toml::node& item : *list) {
        const auto* found = item.as_string();
        if (!found) return void(wrong(item, key, "a list of strings"));
        values.push_back(found->get());
      }
    }
    bool has(const char* key) const { return table_.contains(key); }
    void log_level(const char* key, LogLevel& value) {
      const toml::node* node = take(key);
      if (!node) return;
      const auto* found = node->as_string();
      const auto level = found ? parse_log_level(found->get()) : std::nullopt;
      if (!level) return void(wrong(*node, key, "debug, info, warning or error"));
      value = *level;
    }
    void sandbox(const char* key, bool& value) {
      const toml::node* node = take(key);
      if (!node) return;
      const auto* found = node->as_string();
      const bool known = found && (found->get() == "required" || found->get() == "optional");
      if (!known) return void(wrong(*node, key, "\"required\" or \"optional\""));
      value = found->get() == "required";
    }
    void kill_unit(const char* key, std::string& value) {
      const toml::node* node = take(key);
      if (!node) return;
      const auto* found = node->as_string();
      const std::string word = found ? found->get() : "";
      const bool known = word == "best" || word == "pid_namespace" || word == "cgroup" ||
                         word == "subreaper";
      if (!known) {
        return void(wrong(*node, key, "\"best\", \"pid_namespace\", \"cgroup\" or \"subreaper\""));
      }
      value = word == "best" ? "" : word;
    }
    const toml::table* table(const char* key) {
      const toml::node* node = take(key);
      if (node && !node->is_table()) wrong(*node, key, "a table");
      return node ? node->as_table() : nullptr;
    }
    const toml::array* tables(const char* key) {
      const toml::node* node = take(key);
      if (!node) return nullptr;
      const toml::array* list = node->as_array();
      const bool fits = list && std::all_of(list->begin(), list->end(),
                                            [](const toml::node& item) { return item.is_table(); });
      if (!fits) wrong(*node, key, ("tables, each written [[" + std::string(key) + "]]").c_str());
      return fits ? list : nullptr;
    }
    /// Whatever nobody asked for is a mistake.
    void finish() {
      for (const auto& [key, node] : table_) {
        const std::string name(key.str());
        if (known_.count(name) != 0) continue;
        const std::vector<std::string> names(known_.begin(), known_.end());
        reader_.problem_at(key.source().begin, "unknown key " + pipelined::quoted(prefix_ + name) +
                                                   did_you_mean(name, names));
      }
    }

   private:
    const toml::node* take(const char* key) {
      known_.insert(key);
      return table_.get(key);
    }
    bool wrong(const toml::node& node, const char* key, const char* wanted) {
      reader_.problem(node, prefix_ + key + " must be " + wanted);
      return false;
    }
    ConfigReader& reader_;
    const toml::table& table_;
    std::string prefix_;
    std::set<std::string> known_;
  };

  void read_secrets(const toml::table& table, std::map<std::string, SecretSource>& secrets) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const toml::table* source = node.as_table();
      if (!is_plain_name(name)) {
        problem(node, "a secret's name has letters, digits, - and _, not " + pipelined::quoted(name));
        continue;
      }
      if (!source) {
        problem(node, "secrets." + name + " must say where it is: { file = … } or { credential = … }; "
                      "its value never stands here");
        continue;
      }
      Keys keys(*this, *source, "secrets." + name + ".");
      SecretSource found;
      keys.path("file", found.file);
      keys.text("credential", found.credential);
      keys.finish();
      const bool plain = found.credential.empty() || is_plain_name(found.credential);
      if (found.file.empty() == found.credential.empty() || !plain) {
        problem(node, "secrets." + name + " needs either a file or a credential's name");
      }
      secrets[name] = std::move(found);
    }
  }

  void read_sink(const toml::table& table, Config& values) {
    Sink sink;
    Keys keys(*this, table, "sink.");
    keys.text("name", sink.name);
    keys.text("kind", sink.kind);
    keys.text("url", sink.target);
    keys.text("secret", sink.secret);
    keys.flag("allow_private", sink.allow_private);
    keys.flag("at_most_once", sink.at_most_once);
    keys.text("from", sink.from);
    keys.text("user", sink.user);
    keys.texts("to", sink.to);
    keys.texts("command", sink.argv);
    keys.duration("timeout", sink.timeout_ms);
    keys.finish();
    add_sink(table, "sink", std::move(sink), values);
  }

  void add_sink(const toml::table& table, const std::string& where, Sink sink, Config& values) {
    if (sink.kind.empty()) sink.kind = !sink.argv.empty() ? "command" : !sink.to.empty() ? "smtp" : "webhook";
    if (sink.name.empty()) sink.name = sink.kind + std::to_string(values.sinks.size() + 1);
    check_sink(table, where, sink, values);
    values.sinks.push_back(std::move(sink));
  }

  void check_sink(const toml::table& table, const std::string& where, const Sink& sink,
                  const Config& values) {
    const auto starts = [&sink](const char* scheme) { return sink.target.rfind(scheme, 0) == 0; };
    if (!is_plain_name(sink.name)) {
      problem(table, where + ".name has letters, digits, - and _, not " + pipelined::quoted(sink.name));
    }
    for (const Sink& other : values.sinks) {
      if (other.name != sink.name) continue;
      problem(table, "two sinks are called " + pipelined::quoted(sink.name) + "; names must differ");
      break;
    }
    if (!sink.secret.empty() && values.secrets.count(sink.secret) == 0) {
      problem(table, where + ".secret names " + pipelined::quoted(sink.secret) +
                         ", which [secrets] does not have");
    }
    if (sink.kind == "webhook") {
      if (!starts("https://") && !starts("http://")) {
        problem(table, where + ".url must be an address that begins with https:// or http://");
      }
    } else if (sink.kind == "smtp") {
      if (!starts("smtp://") && !starts("smtps://")) {
        problem(table, where + ".url must be an address that begins with smtp:// or smtps://");
      }
      std::vector<std::string> addresses = sink.to;
      addresses.push_back(sink.from);
      for (const std::string& address : addresses) {
        if (is_mail_address(address)) continue;
        problem(table, where + ": " + pipelined::quoted(address) + " is no address for a mail; from "
                       "and to are written like ops@example.org");
      }
      if (sink.to.empty()) problem(table, where + ".to must name at least one address");
    } else if (sink.kind == "command") {
      if (sink.argv.empty() || sink.argv.front().empty() || sink.argv.front().front() != '/') {
        problem(table, where + ".command must be a list that begins with an absolute path");
      }
    } else {
      problem(table, where + ".kind must be webhook, smtp or command, not " +
                         pipelined::quoted(sink.kind));
    }
  }

  /// A rule; with a url it is a webhook and its rule in one.
  void read_alert(const toml::table& table, Config& values) {
    AlertRule rule;
    Sink sink;
    Keys keys(*this, table, "alert.");
    keys.text("name", rule.name);
    const bool is_sink = keys.has("url");
    if (is_sink) {
      keys.text("url", sink.target);
      keys.text("kind", sink.kind);
    }
    keys.texts("when", rule.when);
    keys.texts("pipelines", rule.pipelines);
    keys.texts("subjects", rule.subjects);
    keys.text("severity", rule.severity);
    keys.texts("to", rule.to);
    keys.duration("group_wait", rule.group_wait_ms);
    keys.duration("repeat", rule.repeat_ms);
    keys.flag("recovery", rule.recovery);
    keys.duration("silent_for", rule.silent_for_ms);
    keys.duration("late_after", rule.late_after_ms);
    keys.size("disk_below", rule.disk_below_bytes);
    keys.count("queue_above", rule.queue_above);
    keys.finish();
    if (is_sink) {
      sink.name = rule.name;
      add_sink(table, "alert", sink, values);
      rule.to.push_back(values.sinks.back().name);
      rule.recovery = rule.recovery && keys.has("recovery");
    }
    if (rule.name.empty()) rule.name = "alert" + std::to_string(values.alerts.size() + 1);
    check_rule(table, rule, values);
    values.alerts.push_back(std::move(rule));
  }

  void check_rule(const toml::table& table, const AlertRule& rule, const Config& values) {
    const std::vector<std::string> kinds(std::begin(alert_kinds), std::end(alert_kinds));
    for (const std::string& kind : rule.when) {
      if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) continue;
      problem(table, "alert.when does not know " + pipelined::quoted(kind) + did_you_mean(kind, kinds));
    }
    if (rule.severity != "info" && rule.severity != "warning" && rule.severity != "error") {
      problem(table, "alert.severity must be info, warning or error");
    }
    if (rule.to.empty()) problem(table, "alert.to must name at least one sink");
    std::vector<std::string> names;
    for (const Sink& sink : values.sinks) names.push_back(sink.name);
    for (const std::string& name : rule.to) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      problem(table, "alert.to names " + pipelined::quoted(name) + ", which is no [[sink]]" +
                         did_you_mean(name, names));
    }
  }

  std::string absolute(const std::string& path) const {
    if (path.empty()) return path;
    return (std::filesystem::path(folder_) / path).lexically_normal().string();
  }
  void problem(const toml::node& node, std::string message) {
    problem_at(node.source().begin, std::move(message));
  }
  void problem_at(const toml::source_position& at, std::string message) {
    problems_.push_back({path_,
                         {static_cast<int>(at.line), static_cast<int>(at.column)},
                         std::move(message),
                         false});
  }

  std::string path_, folder_;
  std::vector<Diagnostic>& problems_;
};

std::string absolute_from(const std::string& folder, const std::string& path) {
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

/// The command line's word, else the file's, else the default.
std::string choose(const std::string& line, const std::string& file, const std::string& fallback,
                   const std::string& current_folder) {
  if (!line.empty()) return absolute_from(current_folder, line);
  return file.empty() ? fallback : file;
}

std::string default_state(const Surroundings& around) {
  if (!around.state_home.empty()) return around.state_home + "/pipelined";
  if (!around.home.empty()) return around.home + "/.local/state/pipelined";
  return {};
}

std::vector<std::string> choose_all(const std::vector<std::string>& line,
                                    const std::vector<std::string>& file,
                                    const std::string& fallback, const std::string& folder) {
  std::vector<std::string> chosen;
  for (const std::string& path : line) chosen.push_back(absolute_from(folder, path));
  if (chosen.empty()) chosen = file;
  if (chosen.empty() && !fallback.empty()) chosen.push_back(fallback);
  return chosen;
}

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view word) {
  if (word == "debug") return LogLevel::debug;
  if (word == "info") return LogLevel::info;
  if (word == "warning") return LogLevel::warning;
  if (word == "error") return LogLevel::error;
  return std::nullopt;
}

ConfigFile parse_config(std::string_view text, const std::string& path) {
  ConfigFile file;
  file.values.file = path;
  file.values.capacity.cpus = 0;
  if (auto breach = find_breach(text, path, {})) {
    file.problems.push_back(std::move(*breach));
    return file;
  }
  const toml::parse_result root = toml::parse(text, std::string_view(path));
  if (root) {
    ConfigReader(path, file.problems).read(root.table(), file);
  } else {
    const auto& at = root.error().source().begin;
    file.problems.push_back({path,
                             {static_cast<int>(at.line), static_cast<int>(at.column)},
                             std::string(root.error().description()),
                             false});
  }
  sort_by_place(file.problems);
  return file;
}

Result<ListenAddress> parse_listen(const std::string& text) {
  const Error wrong{ErrorCode::invalid, "listen must be ADDRESS:PORT such as 127.0.0.1:8080 or "
                                        "[::1]:8080, not " + pipelined::quoted(text)};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return wrong;
  ListenAddress address;
  address.host = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  const bool digits = !port.empty() && port.size() <= 5 &&
                      std::all_of(port.begin(), port.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || std::stoi(port) > 65535) return wrong;
  address.port = std::stoi(port);
  in_addr four{};
  in6_addr six{};
  if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') {
    address.host = address.host.substr(1, address.host.size() - 2);
    if (inet_pton(AF_INET6, address.host.c_str(), &six) != 1) return wrong;
    address.loopback = IN6_IS_ADDR_LOOPBACK(&six);
    return address;
  }
  if (inet_pton(AF_INET, address.host.c_str(), &four) != 1) return wrong;
  address.loopback = ntohl(four.s_addr) >> 24 == 127;
  return address;
}

Result<Config> settle_config(const ConfigFile& file, const CommandLine& line,
                             const Surroundings& around) {
  Config config = file.values;
  const std::string& from = around.current_folder;
  const bool own_state = line.state.empty() && config.state.empty();
  config.state = choose(line.state, config.state, default_state(around), from);
  if (config.state.empty()) {
    return Error{ErrorCode::invalid,
                 "there is no place for the daemon's state: neither HOME nor XDG_STATE_HOME is set; "
                 "name a folder with --state"};
  }
  config.store = choose(line.store, config.store, config.state + "/store", from);
  const bool in_runtime = own_state && !around.runtime_dir.empty();
  const std::string socket =
      in_runtime ? around.runtime_dir + "/pipelined.sock" : config.state + "/pipelined.sock";
  config.socket = choose(line.socket, config.socket, socket, from);
  if (config.socket.size() >= sizeof(sockaddr_un::sun_path)) {
    return Error{ErrorCode::invalid, "the path of the socket is too long for the system (" +
                                         config.socket + "); name a shorter one with --socket"};
  }
  if (!line.listen.empty()) config.listen = line.listen;
  if (!config.listen.empty()) TRY_VOID(parse_listen(config.listen));
  config.worker = choose(line.worker, config.worker, around.worker, from);
  config.plugins = choose_all(line.plugins, config.plugins, around.plugins, from);
  config.pipelines = choose_all(line.pipelines, config.pipelines, {}, from);
  if (!line.log_level.empty()) {
    const auto level = parse_log_level(line.log_level);
    if (!level) {
      return Error{ErrorCode::invalid, "--log-level must be debug, info, warning or error, not " +
                                           pipelined::quoted(line.log_level)};
    }
    config.log_level = *level;
  }
  if (!file.cpus_given || config.capacity.cpus <= 0) config.capacity.cpus = around.cpus;
  return config;
}

}  // namespace pipelined
