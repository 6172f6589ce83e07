#include "plugins/data/schema_words.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <vector>

namespace pipelined {

std::string toml_text(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04X", static_cast<unsigned>(c));
      quoted += escape;
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

std::string toml_key(const std::string& name) {
  const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (std::isalnum(c) && c < 0x80) || c == '_' || c == '-';
  });
  return bare ? name : toml_text(name);
}

std::string toml_number(double value) {
  char text[64];
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    const auto end = std::to_chars(text, text + sizeof text, static_cast<std::int64_t>(value)).ptr;
    return {text, end};
  }
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

std::string toml_list(const FeatureFacts& facts) {
  std::vector<std::string> values;
  for (const auto& [value, count] : facts.values) {
    if (count > 0) values.push_back(value);
  }
  const bool numbers = facts.type == "int";
  if (numbers) {
    std::sort(values.begin(), values.end(), [](const std::string& a, const std::string& b) {
      return std::strtod(a.c_str(), nullptr) < std::strtod(b.c_str(), nullptr);
    });
  }
  std::string list = "[";
  for (const std::string& value : values) {
    list += (list.size() > 1 ? ", " : "") + (numbers ? value : toml_text(value));
  }
  return list + "]";
}

}  // namespace pipelined
