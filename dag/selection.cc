#include "dag/selection.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "dag/nearest_name.h"
#include "dag/step_ports.h"

namespace pipelined {
namespace {

constexpr int depth_max = 100;       // of parentheses and `not`: the reader calls itself
constexpr int levels_all = 1 << 30;  // more than any pipeline has

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

using Chosen = std::vector<bool>;

/// What a word of the expression names.
class Selector {
 public:
  explicit Selector(const PipelineSpec& spec)
      : spec_(spec), parents_(spec.steps.size()), children_(spec.steps.size()) {
    for (const Edge& edge : step_edges(spec)) {
      parents_[edge.child].push_back(edge.parent);
      children_[edge.parent].push_back(edge.child);
    }
  }

  std::size_t count() const { return spec_.steps.size(); }

  /// "2+train+1": one word, without blanks, commas and parentheses.  An error is a sentence's end.
  Result<Chosen> word(std::string_view text) const {
    TRY(up, levels_before(text));
    TRY(down, levels_after(text));
    TRY(roots, steps_named(text));
    Chosen chosen(count());
    for (const std::uint32_t root : roots) chosen[root] = true;
    spread(chosen, roots, parents_, up);
    spread(chosen, roots, children_, down);
    return chosen;
  }

 private:
  // "2+": two levels; "+": all; nothing: none.
  static Result<int> levels_before(std::string_view& text) {
    const std::size_t plus = text.find('+');
    if (plus == std::string_view::npos) return 0;
    const std::string_view digits = text.substr(0, plus);
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) return 0;
    text.remove_prefix(plus + 1);
    return number_of(digits);
  }
  static Result<int> levels_after(std::string_view& text) {
    const std::size_t plus = text.rfind('+');
    if (plus == std::string_view::npos) return 0;
    const std::string_view digits = text.substr(plus + 1);
    if (digits.find_first_not_of("0123456789") != std::string_view::npos) {
      return Error{ErrorCode::invalid, "a number or nothing follows '+', not '" +
                                           std::string(digits) + "'"};
    }
    text.remove_suffix(digits.size() + 1);
    return number_of(digits);
  }
  static Result<int> number_of(std::string_view digits) {
    if (digits.empty()) return levels_all;
    int levels = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), levels);
    if (read.ec != std::errc{}) {
      return Error{ErrorCode::invalid, "'" + std::string(digits) + "' is no number of levels"};
    }
    return levels;
  }

  static void spread(Chosen& chosen, std::vector<std::uint32_t> border,
                     const std::vector<std::vector<std::uint32_t>>& next, int levels) {
    Chosen seen(chosen.size());
    for (; levels > 0 && !border.empty(); --levels) {
      std::vector<std::uint32_t> further;
      for (const std::uint32_t step : border) {
        for (const std::uint32_t other : next[step]) {
          if (seen[other]) continue;
          seen[other] = chosen[other] = true;
          further.push_back(other);
        }
      }
      border = std::move(further);
    }
  }

  Result<std::vector<std::uint32_t>> steps_named(std::string_view text) const {
    static constexpr std::string_view methods[] = {"step", "tag", "group"};
    std::string_view method = "step";
    if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
      method = text.substr(0, colon);
      text.remove_prefix(colon + 1);
      if (std::find(std::begin(methods), std::end(methods), method) == std::end(methods)) {
        return Error{ErrorCode::invalid, "'" + std::string(method) +
                                             ":' is none of step:, tag: and group:"};
      }
    }
    if (text.empty()) return Error{ErrorCode::invalid, "a name is missing"};
    std::vector<std::uint32_t> found;
    std::vector<std::string> known;
    for (std::uint32_t i = 0; i < count(); ++i) {
      const StepSpec& step = spec_.steps[i];
      std::vector<std::string> own = method == "tag" ? step.tags : std::vector{step.name};
      if (method == "group") own = {step.group};
      for (const std::string& name : own) {
        if (name.empty()) continue;
        known.push_back(name);
        if (matches(text, name) && (found.empty() || found.back() != i)) found.push_back(i);
      }
    }
    if (found.empty()) {
      return Error{ErrorCode::not_found, "'" + std::string(text) + "' names no " +
                                             std::string(method) + " of pipeline '" + spec_.name +
                                             "'" + did_you_mean(text, known)};
    }
    return found;
  }

  const PipelineSpec& spec_;
  std::vector<std::vector<std::uint32_t>> parents_, children_;
};

/// Reads an expression from left to right and chooses as it goes.
class Reader {
 public:
  Reader(const Selector& selector, std::string_view text) : selector_(selector), text_(text) {
    next();
  }

  Result<Chosen> read() {
    TRY(chosen, alternatives(0));
    if (!token_.empty()) return wrong("')' closes nothing");
    return chosen;
  }

 private:
  // `or` between rows of words.
  Result<Chosen> alternatives(int depth) {
    TRY(chosen, row(depth));
    while (token_ == "or") {
      next();
      TRY(other, row(depth));
      unite(chosen, other);
    }
    return chosen;
  }

  // Words side by side are united; those with a `not` in front are taken away.
  Result<Chosen> row(int depth) {
    Chosen taken(selector_.count()), away(selector_.count());
    bool any = false, any_taken = false;
    while (!token_.empty() && token_ != ")" && token_ != "or") {
      const bool negative = is_not();
      bool joined = false;
      TRY(chosen, both(depth, joined));
      if (negative && !joined) {
        for (std::size_t i = 0; i < chosen.size(); ++i) away[i] = away[i] || !chosen[i];
      } else {
        unite(taken, chosen);
        any_taken = true;
      }
      any = true;
    }
    if (!any) return wrong(token_.empty() ? "a step is missing at the end" : "a step is missing");
    if (!any_taken) taken.assign(taken.size(), true);
    for (std::size_t i = 0; i < taken.size(); ++i) taken[i] = taken[i] && !away[i];
    return taken;
  }

  Result<Chosen> both(int depth, bool& joined) {
    TRY(chosen, one(depth));
    while (token_ == "and" || token_ == ",") {
      joined = true;
      next();
      TRY(other, one(depth));
      for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = chosen[i] && other[i];
    }
    return chosen;
  }

  Result<Chosen> one(int depth) {
    if (depth > depth_max) return wrong("it is nested too deeply");
    if (is_not()) {
      next();
      TRY(chosen, one(depth + 1));
      chosen.flip();
      return chosen;
    }
    if (token_ == "(") {
      next();
      TRY(chosen, alternatives(depth + 1));
      if (token_ != ")") return wrong("')' is missing");
      next();
      return chosen;
    }
    if (token_.empty()) return wrong("a step is missing at the end");
    if (token_ == ")" || token_ == "," || token_ == "and" || token_ == "or") {
      return wrong("a step is missing before '" + std::string(token_) + "'");
    }
    auto chosen = selector_.word(token_);
    if (!chosen) return wrong(chosen.error().message, chosen.error().code);
    next();
    return chosen;
  }

  bool is_not() const { return token_ == "not" || token_ == "!"; }
  static void unite(Chosen& into, const Chosen& other) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] = into[i] || other[i];
  }

  Error wrong(const std::string& what, ErrorCode code = ErrorCode::invalid) const {
    return {code, "the selection '" + std::string(text_) + "', at character " +
                      std::to_string(place_ + 1) + ": " + what};
  }

  void next() {
    static constexpr std::string_view blanks = " \t\n", own = "(),!";
    const std::size_t from = text_.find_first_not_of(blanks, place_ + token_.size());
    place_ = std::min(from, text_.size());
    if (place_ == text_.size()) {
      token_ = {};
    } else if (own.find(text_[place_]) != std::string_view::npos) {
      token_ = text_.substr(place_, 1);
    } else {
      const std::size_t end = text_.find_first_of(" \t\n(),!", place_);
      token_ = text_.substr(place_, std::min(end, text_.size()) - place_);
    }
  }

  const Selector& selector_;
  std::string_view text_, token_;
  std::size_t place_ = 0;
};

}  // namespace

Result<std::vector<std::string>> select_steps(const PipelineSpec& spec,
                                              std::string_view expression) {
  Chosen chosen(spec.steps.size(), true);
  if (expression.find_first_not_of(" \t\n") != std::string_view::npos) {
    const Selector selector(spec);
    TRY(read, Reader(selector, expression).read());
    chosen = std::move(read);
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i]) names.push_back(spec.steps[i].name);
  }
  return names;
}

Result<std::vector<std::string>> select_steps(const Pipeline& pipeline,
                                              std::string_view expression) {
  if (expression.find_first_not_of(" \t\n") != std::string_view::npos) {
    return select_steps(pipeline.whole_spec(), expression);
  }
  std::vector<std::string> names;
  for (const StepIndex at : pipeline.file_order) names.push_back(pipeline.steps[at].spec.name);
  return names;
}

}  // namespace pipelined
