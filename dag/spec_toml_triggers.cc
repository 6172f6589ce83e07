// Reads what a pipeline file says about when runs start, and what holds for all of them.
#include <cstdlib>
#include <limits>

#include "dag/spec_reader.h"

namespace pipelined::spec_reader {
namespace {

constexpr std::int64_t catch_up_max = 1000;

/// "none", "latest", "all(24)" as a number of slots.
std::optional<std::int64_t> parse_catch_up(const std::string& text) {
  if (text == "none") return 0;
  if (text == "latest") return 1;
  if (!text.starts_with("all(") || text.back() != ')') return std::nullopt;
  const std::string digits = text.substr(4, text.size() - 5);
  if (digits.empty() || digits.size() > 4 ||
      digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  const std::int64_t count = std::stoll(digits);
  return count >= 1 && count <= catch_up_max ? std::optional(count) : std::nullopt;
}

/// "usual * 2" as 2.
std::optional<double> parse_usual(const std::string& text) {
  std::size_t at = text.find_first_not_of(' ', 5);
  if (!text.starts_with("usual") || at == std::string::npos || text[at] != '*') return std::nullopt;
  at = text.find_first_not_of(' ', at + 1);
  if (at == std::string::npos || text[at] < '0' || text[at] > '9') return std::nullopt;
  char* end = nullptr;
  const double factor = std::strtod(text.c_str() + at, &end);
  return *end == '\0' && factor >= 1 && factor <= 1000 ? std::optional(factor) : std::nullopt;
}

}  // namespace

void Reader::triggers(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (list == nullptr) {
    return error(node, "a trigger is written [[trigger]], with two brackets");
  }
  for (const toml::node& item : *list) {
    if (const toml::table* table = table_of(item, "a trigger")) trigger(*table);
  }
}

void Reader::trigger(const toml::table& table) {
  using Node = const toml::node&;
  const std::string where = "in a trigger";
  TriggerSpec out;
  out.at = position_of(table.source());
  const auto plain = [&](const char* key, std::string& to) {
    return Field{key, [this, key, where, &to](Node n) {
                   text(n, "'" + std::string(key) + "' " + where, to);
                   if (to.empty() && n.is_string()) {
                     error(n, "'" + std::string(key) + "' " + where + " is empty");
                   }
                 }};
  };
  fields(table, where,
         {plain("name", out.name), plain("schedule", out.schedule),
          plain("timezone", out.timezone), plain("webhook", out.webhook),
          plain("after", out.after), plain("alert", out.alert),
          {"arrival", [&](Node n) { names(n, "'arrival' " + where, out.arrival); }},
          {"all_of",
           [&](Node n) {
             if (n.is_boolean()) return flag(n, "'all_of' " + where, out.all_of);
             if (table.contains("arrival")) {
               return error(n, "a trigger has either 'arrival' or a list 'all_of', not both");
             }
             names(n, "'all_of' " + where, out.arrival);
             out.all_of = true;
           }},
          {"coalesce", [&](Node n) { duration(n, "'coalesce' " + where, out.coalesce_ms); }},
          {"jitter", [&](Node n) { duration(n, "'jitter' " + where, out.jitter_ms); }},
          {"catch_up",
           [&](Node n) {
             std::string word;
             text(n, "'catch_up' " + where, word);
             const auto count = parse_catch_up(word);
             if (count) {
               out.catch_up = *count;
             } else if (n.is_string()) {
               error(n, "'catch_up' " + where + " must be \"none\", \"latest\" or \"all(N)\" with N "
                        "from 1 to 1000, not '" + word + "'");
             }
           }},
          {"params", [&](Node n) { out.params = values(n, "'params' " + where); }}});
  trigger_kind(table, out);
  spec_.triggers.push_back(std::move(out));
}

// A trigger has one kind, and only the keys of that kind.
void Reader::trigger_kind(const toml::table& table, const TriggerSpec& trigger) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> kinds = {
      {"arrival", {"arrival", "all_of", "coalesce"}},
      {"schedule", {"schedule", "timezone", "jitter", "catch_up"}},
      {"webhook", {"webhook"}},
      {"after", {"after"}},
      {"alert", {"alert"}}};
  const auto chosen = std::find_if(kinds.begin(), kinds.end(), [&](const auto& kind) {
    return table.contains(kind.first) || (kind.first == "arrival" && table.contains("all_of"));
  });
  if (chosen == kinds.end()) {
    return error(trigger.at, "a trigger says what fires it: arrival = [\"SOURCE\"], schedule, "
                             "webhook, after or alert");
  }
  for (const auto& [kind, keys] : kinds) {
    if (kind == chosen->first) continue;
    for (const std::string& key : keys) {
      if (!table.contains(key)) continue;
      error(*table.get(key), "'" + key + "' has no meaning in a trigger of '" + chosen->first +
                                 "'; each trigger has one kind, write another [[trigger]]");
    }
  }
}

void Reader::run_policy(const toml::node& node) {
  using Node = const toml::node&;
  const toml::table* table = table_of(node, "'run'");
  if (table == nullptr) return;
  RunPolicySpec& out = spec_.run;
  fields(*table, "in [run]",
         {{"max_active", [&](Node n) { integer(n, "'max_active'", 1, out.max_active); }},
          {"overlap",
           [&](Node n) {
             word(n, "'overlap'", {"queue", "skip", "cancel_previous", "coalesce"}, out.overlap);
           }},
          {"deadline",
           [&](Node n) {
             const auto* said = n.as_string();
             const auto usual = said == nullptr ? std::nullopt : parse_usual(said->get());
             if (usual) {
               out.deadline_usual = *usual;
             } else if (said != nullptr && said->get().starts_with("usual")) {
               error(n, "'deadline' relative to the usual duration is written \"usual * 2\", with a "
                        "factor from 1 to 1000");
             } else {
               duration(n, "'deadline'", out.deadline_ms);
             }
           }},
          {"pause_after_failures",
           [&](Node n) { integer(n, "'pause_after_failures'", 1, out.pause_after_failures); }},
          {"priority", [&](Node n) {
             integer(n, "'priority'", std::numeric_limits<std::int64_t>::min(), out.priority);
           }}});
}

void Reader::expectation(const toml::node& node, const std::string& where, ExpectSpec& out) {
  using Node = const toml::node&;
  const toml::table* table = table_of(node, "'expect' " + where);
  if (table == nullptr) return;
  out.at = position_of(node.source());
  fields(*table, "in 'expect' " + where,
         {{"schedule", [&](Node n) { text(n, "'expect.schedule' " + where, out.schedule); }},
          {"timezone", [&](Node n) { text(n, "'expect.timezone' " + where, out.timezone); }},
          {"within", [&](Node n) { duration(n, "'expect.within' " + where, out.within_ms); }}});
  if (out.schedule.empty()) {
    error(node, "'expect' " + where + " says when a span is due: "
                "expect = { schedule = \"0 6 * * *\", within = \"2h\" }");
  }
}

// A parameter is its default, or a table with the default and what else it may be.
void Reader::pipeline_params(const toml::node& node) {
  using Node = const toml::node&;
  const toml::table* table = table_of(node, "'params'");
  if (table == nullptr) return;
  for (auto&& [key, item] : *table) {
    const std::string name(key.str());
    const std::string what = "'params'." + name;
    const toml::table* rule_table = item.as_table();
    if (rule_table == nullptr || !rule_table->contains("default")) {
      spec_.params[name] = value(item, what);
      continue;
    }
    ParamRule rule;
    rule.at = position_of(key.source());
    const auto bound = [&](std::optional<double>& to) {
      return [this, what, &to](Node n) {
        const Value number = value(n, what);
        if (const std::int64_t* whole = number.as_int()) to = static_cast<double>(*whole);
        else if (const double* real = number.as_double()) to = *real;
        else wrong_kind(n, "a bound of " + what, "a number");
      };
    };
    fields(*rule_table, "in " + what,
           {{"default", [&](Node n) { spec_.params[name] = value(n, what); }},
            {"choices",
             [&](Node n) {
               if (!n.is_array()) return wrong_kind(n, "'choices' in " + what, "a list");
               const Value list = value(n, what);
               for (const Value& one : *list.as_list()) rule.choices.push_back(one);
             }},
            {"min", bound(rule.least)},
            {"max", bound(rule.most)}});
    spec_.param_rules[name] = std::move(rule);
  }
}

}  // namespace pipelined::spec_reader
