#include "cli/yaml.h"

#include <cctype>
#include <nlohmann/json.hpp>

namespace pipelined::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Whether text stands for itself in YAML without quotes: a word that is no number and no keyword.
bool is_plain(const std::string& text) {
  if (text.empty() || std::isalpha(static_cast<unsigned char>(text.front())) == 0) return false;
  for (const char c : text) {
    const bool fine = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' ||
                      c == '.' || c == '/';
    if (!fine) return false;
  }
  std::string low;
  for (const char c : text) low += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const char* word : {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}) {
    if (low == word) return false;
  }
  return true;
}

std::string scalar(const Json& json) {
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    return is_plain(text) ? text : json.dump();
  }
  return json.dump();
}

bool is_block(const Json& json) { return json.is_structured() && !json.empty(); }

void write(const Json& json, int depth, std::string& out) {
  const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  if (json.is_object()) {
    for (const auto& [name, item] : json.items()) {
      out += indent + scalar(Json(name)) + ":";
      if (is_block(item)) {
        out += "\n";
        write(item, depth + 1, out);
      } else {
        out += " " + scalar(item) + "\n";
      }
    }
    return;
  }
  for (const Json& item : json) {
    if (!is_block(item)) {
      out += indent + "- " + scalar(item) + "\n";
      continue;
    }
    std::string inner;
    write(item, depth + 1, inner);
    inner.replace(indent.size(), 2, "- ");
    out += inner;
  }
}

}  // namespace

std::string yaml_of(std::string_view json) {
  const Json value = Json::parse(json, nullptr, false);
  if (value.is_discarded()) return std::string(json);
  if (!is_block(value)) return scalar(value) + "\n";
  std::string out;
  write(value, 0, out);
  return out;
}

}  // namespace pipelined::cli
