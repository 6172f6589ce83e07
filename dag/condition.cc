#include "dag/condition.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>

namespace pipelined {
namespace {

constexpr int deepest = 64;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

Error at_character(std::size_t at, const std::string& message) {
  return {ErrorCode::invalid, "at character " + std::to_string(at + 1) + ": " + message};
}

std::string text_of(const ConditionValue& value) {
  if (const double* number = std::get_if<double>(&value)) {
    char buffer[40];
    return {buffer, std::to_chars(buffer, buffer + sizeof buffer, *number).ptr};
  }
  const std::string* text = std::get_if<std::string>(&value);
  return text == nullptr ? "nothing" : '\'' + *text + '\'';
}

}  // namespace

struct Condition::Node {
  enum class Kind { compare, both, either, negate } kind = Kind::compare;
  std::string op;                      // of compare
  std::optional<ConditionName> names[2];
  ConditionValue constants[2];         // where there is no name
  std::shared_ptr<const Node> left, right;
};

namespace {

using Node = Condition::Node;
using NodePtr = std::shared_ptr<const Node>;

// or: and { "or" and };  and: not { "and" not };  not: "not" not | "(" or ")" | side op side
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<NodePtr> parse() {
    TRY(node, either(0));
    skip_blanks();
    if (at_ < text_.size()) return at_character(at_, "'and', 'or' or the end was expected");
    return node;
  }
  std::vector<ConditionName> names;

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) {
      ++at_;
    }
  }

  bool take(std::string_view symbol) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(symbol)) return false;
    const std::size_t end = at_ + symbol.size();
    const bool is_word = is_letter(symbol.front());
    if (is_word && end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]) ||
                                          text_[end] == '.')) {
      return false;
    }
    at_ = end;
    return true;
  }

  Result<NodePtr> either(int depth) {
    return chain(depth, "or", Node::Kind::either, &Parser::both);
  }
  Result<NodePtr> both(int depth) {
    return chain(depth, "and", Node::Kind::both, &Parser::negation);
  }

  Result<NodePtr> chain(int depth, std::string_view link, Node::Kind kind,
                        Result<NodePtr> (Parser::*part)(int)) {
    TRY(left, (this->*part)(depth));
    int links = 0;
    while (take(link)) {
      if (++links > 1000) return at_character(at_, "the condition is too long");
      TRY(right, (this->*part)(depth));
      auto node = std::make_shared<Node>();
      node->kind = kind;
      node->left = left;
      node->right = right;
      left = node;
    }
    return left;
  }

  Result<NodePtr> negation(int depth) {
    if (depth > deepest) return at_character(at_, "nested too deep");
    if (take("not")) {
      TRY(inner, negation(depth + 1));
      auto node = std::make_shared<Node>();
      node->kind = Node::Kind::negate;
      node->left = inner;
      return NodePtr(node);
    }
    if (take("(")) {
      TRY(inner, either(depth + 1));
      if (!take(")")) return at_character(at_, "')' was expected");
      return inner;
    }
    return comparison();
  }

  Result<NodePtr> comparison() {
    auto node = std::make_shared<Node>();
    TRY_VOID(side(*node, 0));
    for (const char* op : {"==", "!=", "<=", ">=", "<", ">"}) {
      if (!take(op)) continue;
      node->op = op;
      TRY_VOID(side(*node, 1));
      return NodePtr(node);
    }
    return at_character(at_, "one of == != <= >= < > was expected");
  }

  Result<void> side(Node& node, int index) {
    skip_blanks();
    const std::size_t begin = at_;
    if (begin >= text_.size()) return at_character(begin, "a name, a number or a string was expected");
    const char c = text_[begin];
    if (c == '\'' || c == '"') return string(node, index, c);
    if (is_digit(c) || c == '-' || c == '.') return number(node, index);
    if (is_letter(c)) return name(node, index);
    return at_character(begin, "a name, a number or a string was expected");
  }

  Result<void> string(Node& node, int index, char quote) {
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) return at_character(at_, "the string is not closed");
    node.constants[index] = std::string(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return {};
  }

  Result<void> number(Node& node, int index) {
    double value = 0;
    const auto read = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (read.ec != std::errc{}) return at_character(at_, "not a number");
    at_ = static_cast<std::size_t>(read.ptr - text_.data());
    if (at_ < text_.size() && is_letter(text_[at_])) {
      return at_character(at_, "a number ends before a letter");
    }
    node.constants[index] = value;
    return {};
  }

  std::string word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]) ||
                                  text_[at_] == '-')) {
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<void> name(Node& node, int index) {
    const std::size_t begin = at_;
    ConditionName found;
    found.step = word();
    if (at_ >= text_.size() || text_[at_] != '.') {
      return at_character(begin, "'" + found.step + "' names no value; write STEP.METRIC");
    }
    ++at_;
    found.name = word();
    while (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      found.name += '.' + word();
    }
    if (found.name.empty() || found.name.back() == '.') {
      return at_character(at_, "the name of a metric was expected");
    }
    if (at_ < text_.size() && text_[at_] == '[') {
      const std::size_t end = text_.find(']', at_);
      if (end == std::string_view::npos) return at_character(at_, "']' was expected");
      found.slice = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
    }
    if (std::find(names.begin(), names.end(), found) == names.end()) names.push_back(found);
    node.names[index] = found;
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

template <class T>
bool compare(const T& a, const std::string& op, const T& b) {
  if (op == "==") return a == b;
  if (op == "!=") return a != b;
  if (op == "<") return a < b;
  if (op == ">") return a > b;
  if (op == "<=") return a <= b;
  return a >= b;
}

Result<bool> evaluate_comparison(const Node& node, const ConditionLookup& lookup) {
  ConditionValue values[2];
  for (int i = 0; i < 2; ++i) {
    values[i] = node.names[i] ? lookup(*node.names[i]) : node.constants[i];
  }
  const auto shown = [&](int i) {
    return node.names[i] ? node.names[i]->text() + " (" + text_of(values[i]) + ")"
                         : text_of(values[i]);
  };
  if (values[0].index() != values[1].index()) {
    return Error{ErrorCode::invalid,
                 "the condition compares " + shown(0) + " with " + shown(1) +
                     ": a number and a string have no order"};
  }
  if (const double* a = std::get_if<double>(&values[0])) {
    return compare(*a, node.op, std::get<double>(values[1]));
  }
  return compare(std::get<std::string>(values[0]), node.op, std::get<std::string>(values[1]));
}

// Both sides are always looked at, so that a mistake does not hide behind a value.
Result<bool> evaluate_node(const Node& node, const ConditionLookup& lookup) {
  if (node.kind == Node::Kind::compare) return evaluate_comparison(node, lookup);
  TRY(left, evaluate_node(*node.left, lookup));
  if (node.kind == Node::Kind::negate) return !left;
  TRY(right, evaluate_node(*node.right, lookup));
  return node.kind == Node::Kind::both ? left && right : left || right;
}

}  // namespace

Result<Condition> Condition::parse(std::string_view text) {
  Parser parser(text);
  TRY(root, parser.parse());
  Condition condition;
  condition.root_ = std::move(root);
  condition.names_ = std::move(parser.names);
  return condition;
}

Result<ConditionOutcome> Condition::evaluate(const ConditionLookup& lookup) const {
  ConditionOutcome outcome;
  for (const ConditionName& name : names_) {
    const ConditionValue value = lookup(name);
    if (std::holds_alternative<std::monostate>(value)) {
      return Error{ErrorCode::not_found,
                   "the condition names " + name.text() + ", and there is no such value"};
    }
    outcome.values += (outcome.values.empty() ? "" : ", ") + name.text() + " = " + text_of(value);
  }
  TRY(holds, evaluate_node(*root_, lookup));
  outcome.holds = holds;
  return outcome;
}

}  // namespace pipelined
