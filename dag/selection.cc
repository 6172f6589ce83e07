#include "dag/selection.h"

#include <algorithm>

#include "dag/nearest_name.h"
#include "dag/step_ports.h"

namespace pipelined {
namespace {

// `*` stands for any characters.
bool matches(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

class Selector {
 public:
  explicit Selector(const PipelineSpec& spec) : spec_(spec), edges_(step_edges(spec)) {}

  // "+train+": one word, without blanks and commas.
  Result<std::vector<bool>> word(std::string_view text) const {
    const std::string shown(text);
    const bool parents = text.starts_with('+');
    if (parents) text.remove_prefix(1);
    const bool children = text.ends_with('+');
    if (children) text.remove_suffix(1);
    TRY(roots, steps_named(text, shown));
    std::vector<bool> selected(spec_.steps.size());
    for (const std::uint32_t root : roots) selected[root] = true;
    if (parents) unite(selected, reachable(selected.size(), edges_, roots, true));
    if (children) unite(selected, reachable(selected.size(), edges_, roots));
    return selected;
  }

  static void unite(std::vector<bool>& into, const std::vector<bool>& other) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = into[i] || other[i];
  }

 private:
  Result<std::vector<std::uint32_t>> steps_named(std::string_view text,
                                                 const std::string& shown) const {
    std::vector<std::uint32_t> found;
    std::vector<std::string> known;
    const bool by_tag = text.starts_with("tag:");
    if (by_tag) text.remove_prefix(4);
    for (std::uint32_t i = 0; i < spec_.steps.size(); ++i) {
      const StepSpec& step = spec_.steps[i];
      const std::vector<std::string> own = by_tag ? step.tags : std::vector{step.name};
      known.insert(known.end(), own.begin(), own.end());
      if (std::any_of(own.begin(), own.end(), [&](const auto& n) { return matches(text, n); })) {
        found.push_back(i);
      }
    }
    if (found.empty()) {
      return Error{ErrorCode::not_found, "the selection '" + shown + "' names no " +
                                             (by_tag ? "tag" : "step") + " of pipeline '" +
                                             spec_.name + "'" + did_you_mean(text, known)};
    }
    return found;
  }

  const PipelineSpec& spec_;
  std::vector<Edge> edges_;
};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// "+train,tag:model": what all its words select.
Result<std::vector<bool>> select_common(const Selector& selector, std::string_view group,
                                        std::size_t count) {
  std::vector<bool> common(count, true);
  for (const std::string_view one : split(group, ',')) {
    TRY(selected, selector.word(one));
    for (std::size_t i = 0; i < count; ++i) common[i] = common[i] && selected[i];
  }
  return common;
}

}  // namespace

Result<std::vector<std::string>> select_steps(const PipelineSpec& spec,
                                              std::string_view expression) {
  const std::size_t count = spec.steps.size();
  const Selector selector(spec);
  std::vector<bool> taken(count), away(count);
  bool any_taken = false;
  for (std::string_view group : split(expression, ' ')) {
    const bool negative = group.starts_with('!');
    if (negative) group.remove_prefix(1);
    TRY(common, select_common(selector, group, count));
    Selector::unite(negative ? away : taken, common);
    any_taken = any_taken || !negative;
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    if ((taken[i] || !any_taken) && !away[i]) names.push_back(spec.steps[i].name);
  }
  return names;
}

}  // namespace pipelined
