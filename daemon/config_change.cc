#include "daemon/config_change.h"

#include <functional>
#include <iterator>

namespace pipelined {
namespace {

bool same(const Sink& a, const Sink& b) {
  return a.name == b.name && a.kind == b.kind && a.target == b.target &&
         a.at_most_once == b.at_most_once && a.secret == b.secret &&
         a.allow_private == b.allow_private && a.from == b.from && a.user == b.user &&
         a.to == b.to && a.argv == b.argv && a.timeout_ms == b.timeout_ms;
}

bool same(const AlertRule& a, const AlertRule& b) {
  return a.name == b.name && a.when == b.when && a.pipelines == b.pipelines &&
         a.subjects == b.subjects && a.severity == b.severity && a.to == b.to &&
         a.group_wait_ms == b.group_wait_ms && a.repeat_ms == b.repeat_ms &&
         a.recovery == b.recovery && a.silent_for_ms == b.silent_for_ms &&
         a.late_after_ms == b.late_after_ms && a.disk_below_bytes == b.disk_below_bytes &&
         a.queue_above == b.queue_above;
}

template <class T>
bool same_all(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], b[i])) return false;
  }
  return true;
}

bool same(const std::vector<Sink>& a, const std::vector<Sink>& b) { return same_all(a, b); }
bool same(const std::vector<AlertRule>& a, const std::vector<AlertRule>& b) {
  return same_all(a, b);
}

template <class T>
bool same(const T& a, const T& b) {
  return a == b;
}

struct Key {
  const char* name;
  bool at_once;
  std::function<bool(const Config&, const Config&)> equal;
  std::function<void(Config&, const Config&)> take;
};

#define PL_KEY(name, at_once, member)                                            \
  Key {                                                                          \
    name, at_once, [](const Config& a, const Config& b) { return same(a.member, b.member); }, \
        [](Config& to, const Config& from) { to.member = from.member; }          \
  }

const std::vector<Key>& keys() {
  static const std::vector<Key> all = {
      PL_KEY("state", false, state),
      PL_KEY("store", false, store),
      PL_KEY("socket", false, socket),
      PL_KEY("listen", false, listen),
      PL_KEY("tls_certificate", false, tls_certificate),
      PL_KEY("tls_key", false, tls_key),
      PL_KEY("access.hosts", false, hosts),
      PL_KEY("worker", false, worker),
      PL_KEY("attempts.sandbox", false, sandbox),
      PL_KEY("attempts.readable", false, readable),
      PL_KEY("attempts.log", false, log_bytes),
      PL_KEY("attempts.kill_unit", false, kill_unit),
      PL_KEY("attempts.cgroup", false, cgroup),
      PL_KEY("token_file", true, token_file),
      PL_KEY("group", true, group),
      PL_KEY("access.users", true, users),
      PL_KEY("access.groups", true, groups),
      PL_KEY("plugins", true, plugins),
      PL_KEY("pipelines", true, pipelines),
      PL_KEY("capacity.cpus", true, capacity.cpus),
      PL_KEY("capacity.memory", true, capacity.memory_bytes),
      PL_KEY("capacity.attempts", true, capacity.attempts),
      PL_KEY("capacity.scratch", true, capacity.scratch_bytes),
      PL_KEY("capacity.gpus", true, capacity.gpus),
      PL_KEY("pools", true, capacity.pools),
      PL_KEY("secrets", true, secrets),
      PL_KEY("sink", true, sinks),
      PL_KEY("alert", true, alerts),
      PL_KEY("retention", true, retention),
      PL_KEY("retention.every_hours", true, collect_hours),
      PL_KEY("retention.scrub_days", true, scrub),
      PL_KEY("drain", true, drain_ms),
      PL_KEY("log_level", true, log_level),
  };
  return all;
}

}  // namespace

ConfigChange compare_configs(const Config& before, const Config& after) {
  ConfigChange change;
  for (const Key& key : keys()) {
    if (key.equal(before, after)) continue;
    (key.at_once ? change.at_once : change.at_restart).push_back(key.name);
  }
  return change;
}

Config taken_over(const Config& before, const Config& after) {
  Config config = before;
  for (const Key& key : keys()) {
    if (key.at_once) key.take(config, after);
  }
  return config;
}

}  // namespace pipelined
