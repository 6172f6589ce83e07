#include "operators/command_template.h"

#include <optional>
#include <utility>

namespace pipelined {
namespace {

using Kind = TemplatePiece::Kind;

Error bad_word(std::string_view word, const std::string& what) {
  return {ErrorCode::invalid, "in the word \"" + std::string(word) + "\" of argv: " + what};
}

/// `in.x`, `out.y` or `scratch`, as it stands between the braces.
std::optional<TemplatePiece> parse_placeholder(std::string_view inside) {
  if (inside == "scratch") return TemplatePiece{Kind::scratch, ""};
  if (inside.starts_with("in.") && inside.size() > 3) {
    return TemplatePiece{Kind::input, std::string(inside.substr(3))};
  }
  if (inside.starts_with("out.") && inside.size() > 4) {
    return TemplatePiece{Kind::output, std::string(inside.substr(4))};
  }
  if (inside.starts_with("secret.") && inside.size() > 7) {
    return TemplatePiece{Kind::secret, std::string(inside.substr(7))};
  }
  return std::nullopt;
}

bool stands_alone(const std::vector<TemplatePiece>& pieces) {
  return pieces.size() == 1 && pieces.front().kind == Kind::input;
}

void check_input(const std::string& port, bool alone, std::string_view word,
                 const CommandPorts& ports, std::vector<std::string>& found) {
  const std::string shown = "{in." + port + "}";
  if (!ports.inputs.contains(port)) {
    found.push_back(bad_word(word, "the step has no input \"" + port + "\"").message);
  } else if (!alone && ports.many_inputs.contains(port)) {
    found.push_back(bad_word(word, shown + " may be several paths, so it must be a word of its own")
                        .message);
  } else if (!alone && ports.optional_inputs.contains(port)) {
    found.push_back(
        bad_word(word, shown + " may be absent, so it must be a word of its own").message);
  }
}

Result<std::string> single_input(const CommandPaths& paths, const std::string& port,
                                 std::string_view word) {
  const auto at = paths.inputs.find(port);
  if (at == paths.inputs.end() || at->second.empty()) {
    return bad_word(word, "the input \"" + port + "\" is absent; only where {in." + port +
                              "} is a word of its own does it disappear");
  }
  if (at->second.size() > 1) {
    return bad_word(word, "the input \"" + port + "\" has " + std::to_string(at->second.size()) +
                              " artifacts; {in." + port + "} must be a word of its own");
  }
  return at->second.front();
}

Result<std::string> expand_pieces(const std::vector<TemplatePiece>& pieces, std::string_view word,
                                  const CommandPaths& paths) {
  std::string out;
  for (const TemplatePiece& piece : pieces) {
    if (piece.kind == Kind::literal) out += piece.text;
    if (piece.kind == Kind::scratch) out += paths.scratch;
    if (piece.kind == Kind::input) {
      TRY(path, single_input(paths, piece.text, word));
      out += path;
    }
    if (piece.kind == Kind::secret) {
      const auto at = paths.secrets.find(piece.text);
      if (at == paths.secrets.end()) {
        return bad_word(word, "the step does not name the secret \"" + piece.text + "\"");
      }
      out += at->second;
    }
    if (piece.kind == Kind::output) {
      const auto at = paths.outputs.find(piece.text);
      if (at == paths.outputs.end()) {
        return bad_word(word, "the step has no output \"" + piece.text + "\"");
      }
      out += at->second;
    }
  }
  return out;
}

}  // namespace

Result<std::vector<TemplatePiece>> parse_template_word(std::string_view word) {
  std::vector<TemplatePiece> pieces;
  std::string literal;
  const auto finish_literal = [&] {
    if (!literal.empty()) pieces.push_back({Kind::literal, std::exchange(literal, {})});
  };
  for (std::size_t i = 0; i < word.size(); ++i) {
    const char c = word[i];
    if ((c == '{' || c == '}') && i + 1 < word.size() && word[i + 1] == c) {
      literal += c;
      ++i;
    } else if (c == '$' && i + 1 < word.size() && word[i + 1] == '{') {
      const std::size_t end = word.find('}', i);
      const std::size_t stop = end == std::string_view::npos ? word.size() - 1 : end;
      literal += word.substr(i, stop - i + 1);
      i = stop;
    } else if (c == '{') {
      const std::size_t end = word.find('}', i);
      if (end == std::string_view::npos) {
        return bad_word(word, "a { is never closed; a brace itself is written {{");
      }
      const std::string_view inside = word.substr(i + 1, end - i - 1);
      auto piece = parse_placeholder(inside);
      if (!piece) {
        return bad_word(word, "{" + std::string(inside) +
                                  "} is not {in.PORT}, {out.PORT}, {secret.NAME} or {scratch}; a brace itself is "
                                  "written {{ or }}");
      }
      finish_literal();
      pieces.push_back(*std::move(piece));
      i = end;
    } else if (c == '}') {
      return bad_word(word, "a } closes nothing; a brace itself is written }}");
    } else {
      literal += c;
    }
  }
  finish_literal();
  return pieces;
}

std::vector<std::string> check_command(const std::vector<std::string>& argv,
                                       const CommandPorts& ports) {
  std::vector<std::string> found;
  if (argv.empty()) found.push_back("argv is empty; its first word is the program to run");
  for (const std::string& word : argv) {
    const auto pieces = parse_template_word(word);
    if (!pieces) {
      found.push_back(pieces.error().message);
      continue;
    }
    for (const TemplatePiece& piece : *pieces) {
      if (piece.kind == Kind::input) {
        check_input(piece.text, stands_alone(*pieces), word, ports, found);
      }
      if (piece.kind == Kind::secret && !ports.secrets.contains(piece.text)) {
        found.push_back(
            bad_word(word, "the step does not name the secret \"" + piece.text + "\"").message);
      }
      if (piece.kind == Kind::output && !ports.outputs.contains(piece.text)) {
        found.push_back(bad_word(word, "the step has no output \"" + piece.text + "\"").message);
      }
    }
  }
  return found;
}

Result<std::vector<std::string>> expand_command(const std::vector<std::string>& argv,
                                                const CommandPaths& paths) {
  std::vector<std::string> words;
  for (const std::string& word : argv) {
    TRY(pieces, parse_template_word(word));
    if (stands_alone(pieces)) {
      const auto at = paths.inputs.find(pieces.front().text);
      if (at == paths.inputs.end()) continue;
      words.insert(words.end(), at->second.begin(), at->second.end());
      continue;
    }
    TRY(text, expand_pieces(pieces, word, paths));
    words.push_back(std::move(text));
  }
  if (words.empty() || words.front().empty()) {
    return Error{ErrorCode::invalid, "argv is empty; its first word is the program to run"};
  }
  return words;
}

}  // namespace pipelined
