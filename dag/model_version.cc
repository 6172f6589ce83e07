#include "dag/model_version.h"

#include <algorithm>
#include <charconv>

namespace pipelined {
namespace {

constexpr std::size_t told_max = 3, value_told_max = 60;

std::string shortened(const std::string& text) {
  std::string line = text.substr(0, text.find('\n'));
  const bool cut = line.size() < text.size() || line.size() > value_told_max;
  if (line.size() > value_told_max) {
    std::size_t end = value_told_max;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xc0) == 0x80) --end;
    line.resize(end);
  }
  return cut ? line + "…" : line;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < told_max; ++i) {
    out += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > told_max) out += " and " + std::to_string(names.size() - told_max) + " more";
  return out;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    out += (i == 0 ? "" : ",") + (shape[i] < 0 ? std::string("any") : std::to_string(shape[i]));
  }
  return shape.empty() ? "a single value" : out + "]";
}

std::string range_text(const ModelColumn& column) {
  if (!column.range) return "any number";
  return canonical(Value(column.range->first)) + " to " + canonical(Value(column.range->second));
}

// Whether every array of the one shape is one of the other.
bool widens(const std::vector<std::int64_t>& from, const std::vector<std::int64_t>& to) {
  if (from.size() != to.size()) return false;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (to[i] != from[i] && to[i] >= 0) return false;
  }
  return true;
}

std::vector<std::string> missing_from(const std::vector<std::string>& wanted,
                                      const std::vector<std::string>& there) {
  std::vector<std::string> gone;
  for (const std::string& value : wanted) {
    if (std::find(there.begin(), there.end(), value) == there.end()) gone.push_back(value);
  }
  return gone;
}

// The default of a parameter: its own version's, or where that did not know the parameter yet, the
// other's, since a parameter that is new does at its default what was done before.
const std::string* default_of(const std::string& name, const ModelFacts& own,
                              const ModelFacts& other) {
  for (const ModelFacts* facts : {&own, &other}) {
    const auto found = facts->defaults.find(name);
    if (found != facts->defaults.end()) return &found->second;
  }
  return nullptr;
}

// A step of only one of the versions has no defaults to compare with.
bool has_step_of(const ModelFacts& facts, const std::string& name) {
  const std::string step = name.substr(0, name.find(' '));
  return facts.recipe.contains(step + " operator");
}

void fill(const ModelFacts& own, const ModelFacts& other, ModelFacts::Texts& recipe) {
  const auto add = [&](const std::string& name) {
    if (recipe.contains(name) || !has_step_of(own, name) || !has_step_of(other, name)) return;
    if (const std::string* value = default_of(name, own, other)) recipe.emplace(name, *value);
  };
  for (const auto& [name, value] : other.recipe) add(name);
  for (const auto& [name, value] : own.defaults) {
    const auto theirs = other.defaults.find(name);
    if (theirs != other.defaults.end() && theirs->second != value) add(name);
  }
}

const ModelColumn* find(const std::vector<ModelColumn>& columns, const std::string& name) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const ModelColumn& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

/// The rules, one function a topic; docs/registry.md has the same table.
class Judge {
 public:
  Judge(const ModelFacts& before, const ModelFacts& after) : before_(before), after_(after) {}

  std::vector<VersionDifference> all() {
    judge_inputs();
    judge_outputs();
    if (before_.architecture != after_.architecture) {
      say(VersionChange::minor, "architecture",
          "the architecture changed from " + before_.architecture + " to " + after_.architecture);
    }
    compare(before_.hyperparameters, after_.hyperparameters, VersionChange::minor,
            "hyperparameter", "hyperparameter ");
    const auto [old, now] = effective_recipes(before_, after_);
    compare(old, now, VersionChange::minor, "recipe", "");
    if (before_.data != after_.data) judge_data();
    if (before_.seed != after_.seed) {
      say(VersionChange::patch, "seed",
          "the seed changed from " + before_.seed + " to " + after_.seed);
    }
    compare(before_.code, after_.code, VersionChange::patch, "code", "");
    if (found_.empty()) {
      say(VersionChange::patch, "bytes",
          "the same recipe on the same data gave other bytes, which an exact recipe does not");
    }
    std::stable_sort(found_.begin(), found_.end(),
                     [](const auto& a, const auto& b) { return a.change > b.change; });
    return std::move(found_);
  }

 private:
  void say(VersionChange change, const char* rule, std::string sentence) {
    found_.push_back({change, rule, std::move(sentence)});
  }

  void judge_inputs() {
    for (const ModelColumn& now : after_.inputs) {
      if (const ModelColumn* old = find(before_.inputs, now.name)) {
        judge_input(*old, now);
      } else if (now.optional) {
        say(VersionChange::minor, "optional_input_added",
            "input " + now.name + " (" + now.type + ") is new and may be left out");
      } else {
        say(VersionChange::major, "input_added",
            "input " + now.name + " (" + now.type + ") is new and must be sent");
      }
    }
    for (const ModelColumn& old : before_.inputs) {
      if (find(after_.inputs, old.name) == nullptr) {
        say(VersionChange::minor, "input_removed",
            "input " + old.name + " is no longer looked at; what is sent all the same is ignored");
      }
    }
  }

  void judge_input(const ModelColumn& old, const ModelColumn& now) {
    const std::string name = "input " + now.name;
    if (old.type != now.type) {
      const bool wider = old.type == "int" && now.type == "float";
      say(wider ? VersionChange::minor : VersionChange::major,
          wider ? "input_type_widened" : "input_type",
          name + " was " + old.type + " and is " + now.type + " now");
    }
    if (old.optional && !now.optional) {
      say(VersionChange::major, "input_required", name + " could be left out and must be sent now");
    } else if (!old.optional && now.optional) {
      say(VersionChange::minor, "input_optional", name + " may be left out now");
    }
    if (old.shape != now.shape) {
      const bool wider = widens(old.shape, now.shape);
      say(wider ? VersionChange::minor : VersionChange::major,
          wider ? "input_shape_widened" : "input_shape",
          name + " had shape " + shape_text(old.shape) + " and has " + shape_text(now.shape));
    }
    judge_values(old, now, name);
  }

  // Values of an open column are what the model saw, not what it takes: they come with the data.
  void judge_values(const ModelColumn& old, const ModelColumn& now, const std::string& name) {
    if (!old.closed && !now.closed) return;
    if (!old.closed) {
      say(VersionChange::major, "input_closed",
          name + " took any value and takes only listed ones now");
    } else if (!now.closed) {
      say(VersionChange::minor, "input_opened", name + " takes any value now");
    } else if (const auto gone = missing_from(old.values, now.values); !gone.empty()) {
      say(VersionChange::major, "input_values_removed",
          name + " no longer takes " + listed(gone));
    } else if (old.range != now.range) {
      judge_range(old, now, name);
    } else if (const auto fresh = missing_from(now.values, old.values); !fresh.empty()) {
      say(VersionChange::minor, "input_values_added", name + " also takes " + listed(fresh));
    }
  }

  // Of a closed input the range is what it takes.
  void judge_range(const ModelColumn& old, const ModelColumn& now, const std::string& name) {
    const bool wider = !now.range || (old.range && now.range->first <= old.range->first &&
                                      now.range->second >= old.range->second);
    say(wider ? VersionChange::minor : VersionChange::major,
        wider ? "input_range_widened" : "input_range_narrowed",
        name + " took " + range_text(old) + " and takes " + range_text(now) + " now");
  }

  void judge_outputs() {
    for (const ModelColumn& old : before_.outputs) {
      const ModelColumn* now = find(after_.outputs, old.name);
      const std::string name = "output " + old.name;
      if (now == nullptr) {
        say(VersionChange::major, "output_removed", name + " is gone");
      } else if (old.type != now->type) {
        say(VersionChange::major, "output_type",
            name + " was " + old.type + " and is " + now->type + " now");
      } else if (old.shape != now->shape) {
        say(VersionChange::major, "output_shape",
            name + " had shape " + shape_text(old.shape) + " and has " + shape_text(now->shape));
      } else if (old.values != now->values) {
        say(VersionChange::major, "output_values",
            name + " took the values " + listed(old.values) + " and takes " + listed(now->values) +
                " now");
      }
    }
    for (const ModelColumn& now : after_.outputs) {
      if (find(before_.outputs, now.name) == nullptr) {
        say(VersionChange::minor, "output_added", "output " + now.name + " is new");
      }
    }
  }

  void judge_data() {
    const std::size_t fresh = missing_from(after_.data, before_.data).size();
    const std::size_t gone = missing_from(before_.data, after_.data).size();
    std::string how = "retrained on other data: ";
    if (fresh + gone == 0) how += "the same in another order";
    if (fresh > 0) how += std::to_string(fresh) + " new";
    if (gone > 0) how += (fresh > 0 ? ", " : "") + std::to_string(gone) + " gone";
    say(VersionChange::patch, "data", how);
  }

  void compare(const ModelFacts::Texts& before, const ModelFacts::Texts& after,
               VersionChange change, const char* rule, const std::string& prefix) {
    for (const auto& [name, value] : after) {
      const auto old = before.find(name);
      if (old == before.end()) {
        say(change, rule, prefix + name + " is new (" + shortened(value) + ")");
      } else if (old->second != value) {
        say(change, rule, prefix + name + " changed from " + shortened(old->second) + " to " +
                              shortened(value));
      }
    }
    for (const auto& [name, value] : before) {
      if (!after.contains(name)) {
        say(change, rule, prefix + name + " is gone (was " + shortened(value) + ")");
      }
    }
  }

  const ModelFacts& before_;
  const ModelFacts& after_;
  std::vector<VersionDifference> found_;
};

}  // namespace

std::pair<ModelFacts::Texts, ModelFacts::Texts> effective_recipes(const ModelFacts& before,
                                                                  const ModelFacts& after) {
  auto recipes = std::pair(before.recipe, after.recipe);
  fill(before, after, recipes.first);
  fill(after, before, recipes.second);
  return recipes;
}

std::string ModelVersion::text() const {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

std::optional<ModelVersion> parse_model_version(std::string_view text) {
  ModelVersion version;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  for (std::int64_t* part : {&version.major, &version.minor, &version.patch}) {
    if (part != &version.major && (at == end || *at++ != '.')) return std::nullopt;
    const char* first = at;
    const auto read = std::from_chars(at, end, *part);
    const bool padded = read.ptr - first > 1 && *first == '0';
    if (read.ec != std::errc{} || *part < 0 || *part > 1'000'000'000 || padded) return std::nullopt;
    at = read.ptr;
  }
  if (at != end) return std::nullopt;
  return version;
}

const char* name_of(VersionChange change) {
  switch (change) {
    case VersionChange::patch: return "patch";
    case VersionChange::minor: return "minor";
    case VersionChange::major: return "major";
  }
  return "patch";
}

VersionRuling judge_version(const ModelVersion& newest, const ModelFacts& before,
                            const ModelFacts& after) {
  VersionRuling ruling;
  ruling.differences = Judge(before, after).all();
  ruling.change = ruling.differences.front().change;
  ruling.sentence = std::string(name_of(ruling.change)) + " against " + newest.text() + ": ";
  std::size_t told = 0;
  for (const VersionDifference& difference : ruling.differences) {
    if (difference.change != ruling.change || told == told_max) break;
    ruling.sentence += (told++ == 0 ? "" : "; ") + difference.sentence;
  }
  if (const std::size_t more = ruling.differences.size() - told; more > 0) {
    ruling.sentence += "; and " + std::to_string(more) + " more";
  }
  return ruling;
}

ModelVersion next_version(const ModelVersion& newest, VersionChange change) {
  switch (change) {
    case VersionChange::major: return {newest.major + 1, 0, 0};
    case VersionChange::minor: return {newest.major, newest.minor + 1, 0};
    case VersionChange::patch: break;
  }
  return {newest.major, newest.minor, newest.patch + 1};
}

bool is_model_word(std::string_view text) {
  if (text.empty() || text.size() > 64 || text.front() < 'a' || text.front() > 'z') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

}  // namespace pipelined
