#include "plugins/common/text_encoding.h"

#include <iconv.h>

#include <algorithm>
#include <cctype>
#include <cerrno>

namespace pipelined {
namespace {

using namespace std::string_view_literals;

constexpr char no_text = '\xFF';

/// The encoding that a byte order mark says, and the family of names that agree with it.
struct Mark {
  std::string_view bytes;
  const char* encoding;
  const char* family;
};
// The mark of UTF-32 begins with that of UTF-16 and comes first.
constexpr Mark marks[] = {{"\xEF\xBB\xBF"sv, "UTF-8", "UTF8"},
                          {"\xFF\xFE\0\0"sv, "UTF-32LE", "UTF32"},
                          {"\0\0\xFE\xFF"sv, "UTF-32BE", "UTF32"},
                          {"\xFF\xFE"sv, "UTF-16LE", "UTF16"},
                          {"\xFE\xFF"sv, "UTF-16BE", "UTF16"}};

/// Upper case letters and digits alone: names of encodings are written in many ways.
std::string plain_name(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) plain += static_cast<char>(std::toupper(byte));
  }
  return plain;
}

/// glibc passes over characters that no name has, and takes what is left, even nothing, for a name.
bool may_be_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || "-_.:+"sv.find(c) != ""sv.npos;
  });
}

/// The name under which iconv knows an encoding.
std::string iconv_name(const std::string& encoding) {
  const std::string plain = plain_name(encoding);
  if (plain.starts_with("LATIN") || plain.starts_with("ISO88")) {
    return plain.starts_with("ISO8859") ? "ISO-8859-" + plain.substr(7) : plain;
  }
  if (plain.starts_with("WINDOWS")) return "CP" + plain.substr(7);
  return encoding;
}

}  // namespace

struct TextDecoder::State {
  iconv_t handle = nullptr;
  std::string rest;      // of the piece before: half a character
  std::size_t unit = 1;  // bytes to pass over where there is no text
  ~State() {
    if (handle != nullptr) iconv_close(handle);
  }
};

TextDecoder::TextDecoder() = default;
TextDecoder::TextDecoder(TextDecoder&&) noexcept = default;
TextDecoder& TextDecoder::operator=(TextDecoder&&) noexcept = default;
TextDecoder::~TextDecoder() = default;

Result<TextDecoder> TextDecoder::open(const std::string& encoding, std::string_view head) {
  std::string name = encoding == "auto" ? "UTF-8" : iconv_name(encoding);
  for (const Mark& mark : marks) {
    if (!head.starts_with(mark.bytes)) continue;
    if (encoding != "auto" && !plain_name(encoding).starts_with(mark.family)) {
      return Error{ErrorCode::invalid, "it begins with the byte order mark of " +
                                           std::string(mark.encoding) + ", but the encoding " +
                                           encoding + " is declared"};
    }
    name = mark.encoding;
    break;
  }
  TextDecoder decoder;
  if (plain_name(name) == "UTF8") return decoder;
  auto state = std::make_unique<State>();
  // No "//TRANSLIT": what cannot be read is reported, not guessed.
  const iconv_t handle = may_be_name(name) ? iconv_open("UTF-8", name.c_str())
                                           : reinterpret_cast<iconv_t>(-1);
  if (handle == reinterpret_cast<iconv_t>(-1)) {
    return Error{ErrorCode::invalid, "encoding '" + encoding + "' is not known here; UTF-8, UTF-16, "
                                         "ISO-8859-1 and windows-1252 are such names"};
  }
  state->handle = handle;
  const std::string plain = plain_name(name);
  state->unit = plain.starts_with("UTF16") || plain.starts_with("UCS2")   ? 2
                : plain.starts_with("UTF32") || plain.starts_with("UCS4") ? 4
                                                                          : 1;
  decoder.state_ = std::move(state);
  return decoder;
}

void TextDecoder::decode(std::string_view bytes, std::string& text) {
  std::string joined;
  if (!state_->rest.empty()) {
    joined = std::move(state_->rest);
    state_->rest.clear();
    joined += bytes;
    bytes = joined;
  }
  // iconv takes its input by char*, but does not write to it.
  char* in = const_cast<char*>(bytes.data());
  std::size_t left = bytes.size();
  char buffer[8192];
  while (left > 0) {
    char* out = buffer;
    std::size_t room = sizeof buffer;
    const std::size_t answer = iconv(state_->handle, &in, &left, &out, &room);
    const int error = errno;
    text.append(buffer, static_cast<std::size_t>(out - buffer));
    if (answer != static_cast<std::size_t>(-1)) continue;
    if (error == EINVAL) break;
    if (error == EILSEQ) {
      const std::size_t skipped = std::min(left, state_->unit);
      text += no_text;
      in += skipped;
      left -= skipped;
    }
  }
  state_->rest.assign(in, left);
}

void TextDecoder::finish(std::string& text) {
  if (!state_->rest.empty()) text += no_text;
  state_->rest.clear();
}

}  // namespace pipelined
