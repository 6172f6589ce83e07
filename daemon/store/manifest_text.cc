#include "daemon/store/manifest_text.h"

#include <charconv>
#include <string>

#include "daemon/store/text_cursor.h"

namespace pipelined {
namespace {

bool read_size(TextCursor& cursor, std::int64_t& size) {
  const std::string_view digits = cursor.take_while([](char c) { return c >= '0' && c <= '9'; });
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, size);
  return !digits.empty() && read.ec == std::errc() && read.ptr == end;
}

bool read_file(TextCursor& cursor, ManifestFile& file) {
  if (!cursor.accept("{\"exec\":")) return false;
  file.exec = cursor.accept("true");
  if (!file.exec && !cursor.accept("false")) return false;
  if (!cursor.accept(",\"path\":") || !cursor.read_quoted(file.path)) return false;
  if (!cursor.accept(",\"sha256\":\"")) return false;
  const auto digest = parse_digest(cursor.take(64));
  if (!digest || !cursor.accept("\",\"size\":")) return false;
  file.digest = *digest;
  return read_size(cursor, file.size) && cursor.accept("}") && is_manifest_path(file.path);
}

bool read_manifest(TextCursor& cursor, Manifest& manifest) {
  if (!cursor.accept("{\"files\":[")) return false;
  if (!cursor.accept("]")) {
    do {
      ManifestFile file;
      if (!read_file(cursor, file)) return false;
      manifest.files.push_back(std::move(file));
    } while (cursor.accept(","));
    if (!cursor.accept("]")) return false;
  }
  return cursor.accept(",\"type\":") && cursor.read_quoted(manifest.type) && cursor.accept("}") &&
         cursor.at_end();
}

}  // namespace

Result<Manifest> parse_manifest(std::string_view text) {
  TextCursor cursor(text);
  Manifest manifest;
  if (!read_manifest(cursor, manifest)) {
    return Error{ErrorCode::corrupt, "reading a recorded manifest: it is not canonical at byte " +
                                         std::to_string(cursor.position()) +
                                         "; restore the state folder from a backup"};
  }
  return manifest;
}

}  // namespace pipelined
