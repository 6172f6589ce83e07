#include "daemon/api/target.h"

#include "daemon/api/protocol.h"

namespace pipelined::api {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool has_control(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

Error refused(const std::string& why) {
  return {ErrorCode::invalid, "the request target was refused: " + why};
}

Result<std::string> decode_part(std::string_view raw) {
  TRY(part, percent_decode(raw));
  if (part.empty() || part == "." || part == "..") return refused("a part of the path is empty, . or ..");
  if (part.find_first_of("/\\") != std::string::npos) return refused("a part of the path holds a slash");
  if (has_control(part) || !protocol::is_utf8(part)) return refused("a part of the path is no plain text");
  return part;
}

Result<void> read_query(std::string_view text, Target& target) {
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    TRY(name, percent_decode(pair.substr(0, equals)));
    std::string value;
    if (equals != std::string_view::npos) {
      TRY(decoded, percent_decode(pair.substr(equals + 1)));
      value = std::move(decoded);
    }
    if (has_control(name) || has_control(value) || !protocol::is_utf8(name) || !protocol::is_utf8(value)) {
      return refused("a parameter is no plain text");
    }
    if (!target.query.emplace(name, value).second) return refused("'" + name + "' stands twice");
    if (target.query.size() > 32) return refused("there are more than 32 parameters");
  }
  return {};
}

}  // namespace

Result<Target> parse_target(std::string_view text) {
  if (text.empty() || text.front() != '/') return refused("it does not begin with a slash");
  if (text.size() > 8192) return refused("it is longer than 8 KiB");
  const std::size_t question = text.find('?');
  std::string_view path = text.substr(0, question).substr(1);
  Target target;
  while (!path.empty()) {
    const std::size_t end = path.find('/');
    TRY(part, decode_part(path.substr(0, end)));
    target.parts.push_back(std::move(part));
    if (target.parts.size() > 32) return refused("its path has more than 32 parts");
    if (end == std::string_view::npos) break;
    path.remove_prefix(end + 1);
    if (path.empty()) return refused("it ends with a slash");
  }
  if (question != std::string_view::npos) TRY_VOID(read_query(text.substr(question + 1), target));
  return target;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return refused("an escape is broken");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace pipelined::api
