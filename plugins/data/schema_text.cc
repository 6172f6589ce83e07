// Changing the text of a schema without touching the rest of it.
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "plugins/data/schema_changes.h"
#include "plugins/data/schema_words.h"

namespace pipelined {
namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
  Lines lines;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// The byte at a column that counts characters, both from 1 and 0 on.
std::size_t byte_at(const std::string& line, std::size_t column) {
  std::size_t at = 0;
  for (std::size_t passed = 1; passed < column && at < line.size(); ++passed) {
    ++at;
    while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0) == 0x80) ++at;
  }
  return at;
}

class SchemaText {
 public:
  SchemaText(const std::string& text, const std::string& name) : lines_(lines_of(text)), name_(name) {}

  Result<void> change(const SchemaChange& change) {
    const toml::table root = toml::parse(joined(lines_));
    const std::vector<std::string> keys = keys_of(change.id);
    if (keys.size() == 2 && keys[0] == "feature") {
      if (!lines_.empty() && !lines_.back().empty()) lines_.emplace_back();
      for (std::string& line : lines_of(change.after)) lines_.push_back(std::move(line));
      return {};
    }
    const toml::table* table = &root;
    for (std::size_t i = 0; table && i + 1 < keys.size(); ++i) {
      const toml::node* node = table->get(keys[i]);
      table = node ? node->as_table() : nullptr;
    }
    if (!table) return refuse(change, "there is no table for it");
    if (const toml::node* node = table->get(keys.back())) {
      replace(node->source(), change);
      return {};
    }
    if (table->is_inline()) return refuse(change, "the table stands in one line");
    insert(*table, toml_key(keys.back()) + " = " + change.after);
    return {};
  }

  std::string text() const { return joined(lines_); }

 private:
  /// The keys of an id such as feature."a b".min, as TOML reads them.
  static std::vector<std::string> keys_of(const std::string& id) {
    std::vector<std::string> keys;
    const toml::table root = toml::parse(id + " = 0");
    for (const toml::table* table = &root; table && !table->empty();) {
      const auto first = table->begin();
      keys.emplace_back(first->first.str());
      table = first->second.as_table();
    }
    return keys;
  }

  Error refuse(const SchemaChange& change, const std::string& why) const {
    return {ErrorCode::invalid,
            "change " + change.id + " in " + name_ + ": " + why + "; change it by hand"};
  }

  /// Whether a comment is one that was proposed with the value, and so speaks of it.
  static bool proposed(const std::string& rest) {
    const auto at = rest.find('#');
    return at != std::string::npos && (rest.find(" rows", at) != std::string::npos ||
                                       rest.find("# no value", at) == at);
  }

  void replace(const toml::source_region& place, const SchemaChange& change) {
    std::string& first = lines_[place.begin.line - 1];
    const std::string& last = lines_[place.end.line - 1];
    std::string rest = last.substr(byte_at(last, place.end.column));
    if (proposed(rest)) rest = "  # " + change.why;
    first = first.substr(0, byte_at(first, place.begin.column)) + change.after + rest;
    lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(place.begin.line),
                 lines_.begin() + static_cast<std::ptrdiff_t>(place.end.line));
  }

  /// Below the last plain key of the table.
  void insert(const toml::table& table, const std::string& line) {
    auto after = table.source().begin.line;
    for (const auto& [key, node] : table) {
      if (!node.is_table() || node.as_table()->is_inline()) {
        after = std::max(after, node.source().end.line);
      }
    }
    lines_.insert(lines_.begin() + static_cast<std::ptrdiff_t>(after), line);
  }

  Lines lines_;
  const std::string& name_;
};

/// Lengths of the longest common subsequence of what follows each pair of lines.
class CommonLines {
 public:
  CommonLines(const Lines& before, const Lines& after)
      : width_(after.size() + 1), lengths_((before.size() + 1) * width_) {
    for (std::size_t i = before.size(); i-- > 0;) {
      for (std::size_t j = after.size(); j-- > 0;) {
        lengths_[i * width_ + j] = before[i] == after[j] ? at(i + 1, j + 1) + 1
                                                         : std::max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  std::uint32_t at(std::size_t i, std::size_t j) const { return lengths_[i * width_ + j]; }

 private:
  std::size_t width_;
  std::vector<std::uint32_t> lengths_;
};

struct PatchLine {
  char sign;
  std::string text;
};

std::vector<PatchLine> patch_lines(const Lines& before, const Lines& after) {
  const CommonLines common(before, after);
  std::vector<PatchLine> all;
  std::size_t i = 0, j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && j < after.size() && before[i] == after[j]) {
      all.push_back({' ', before[i++]});
      ++j;
    } else if (j == after.size() || (i < before.size() && common.at(i + 1, j) >= common.at(i, j + 1))) {
      all.push_back({'-', before[i++]});
    } else {
      all.push_back({'+', after[j++]});
    }
  }
  return all;
}

}  // namespace

Result<std::string> amended_schema(const std::string& toml, const std::string& name,
                                   const std::vector<SchemaChange>& changes) {
  SchemaText text(toml, name);
  try {
    for (const SchemaChange& change : changes) TRY_VOID(text.change(change));
  } catch (const toml::parse_error& thrown) {
    return Error{ErrorCode::invalid, "change " + name + ": " + std::string(thrown.description())};
  }
  TRY_VOID([&]() -> Result<void> {
    const auto schema = parse_schema(text.text(), name);
    return schema ? Result<void>() : schema.error().within("the changed schema");
  }());
  return text.text();
}

std::string line_patch(const std::string& before, const std::string& after,
                       const std::string& name) {
  const auto lines = patch_lines(lines_of(before), lines_of(after));
  constexpr std::size_t context = 3;
  std::string patch;
  std::size_t old_line = 1, new_line = 1;
  for (std::size_t at = 0; at < lines.size();) {
    std::size_t first = at;
    while (first < lines.size() && lines[first].sign == ' ') ++first;
    if (first == lines.size()) break;
    // A hunk ends where more than twice the context is alike.
    std::size_t last = first, end = first;
    for (; end < lines.size() && end - last <= 2 * context; ++end) {
      if (lines[end].sign != ' ') last = end;
    }
    const std::size_t from = first - std::min(first - at, context);
    const std::size_t to = std::min(lines.size(), last + 1 + context);
    old_line += from - at;
    new_line += from - at;
    std::size_t removed = 0, added = 0;
    std::string body;
    for (std::size_t i = from; i < to; ++i) {
      removed += lines[i].sign != '+';
      added += lines[i].sign != '-';
      body += lines[i].sign + lines[i].text + "\n";
    }
    patch += "@@ -" + std::to_string(old_line) + "," + std::to_string(removed) + " +" +
             std::to_string(new_line) + "," + std::to_string(added) + " @@\n" + body;
    old_line += removed;
    new_line += added;
    at = to;
  }
  return patch.empty() ? "" : "--- " + name + "\n+++ " + name + "\n" + patch;
}

}  // namespace pipelined
