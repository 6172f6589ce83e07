#include "model/text_tokens.h"

#include <bit>

namespace pipelined::model {
namespace {

constexpr char32_t replacement = 0xFFFD;
constexpr std::string_view replacement_bytes = "\xEF\xBF\xBD";

struct Character {
  char32_t code = 0;
  std::size_t size = 1;  // bytes in the text
  bool valid = true;
};

bool continues(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
}

// The character at `at`; a byte that begins none is one of its own.
Character character_at(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return {first, 1, true};
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4) return {replacement, 1, false};
  char32_t code = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if (!continues(text, at + i)) return {replacement, 1, false};
    code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {replacement, 1, false};
  return {code, size, true};
}

void append(std::string& text, char32_t code) {
  const auto byte = [&](char32_t bits) { text.push_back(static_cast<char>(bits)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

bool within(char32_t code, char32_t first, char32_t last) { return code >= first && code <= last; }

char32_t lower_of(char32_t code) {
  if (within(code, 'A', 'Z')) return code + 32;
  if (code < 0x80) return code;
  if (within(code, 0xC0, 0xDE)) return code == 0xD7 ? code : code + 32;
  const bool even_pairs = within(code, 0x100, 0x12F) || within(code, 0x132, 0x137) ||
                          within(code, 0x14A, 0x177) || within(code, 0x460, 0x481) ||
                          within(code, 0x48A, 0x4BF) || within(code, 0x1E00, 0x1E95);
  if (even_pairs) return code % 2 == 0 ? code + 1 : code;
  const bool odd_pairs = within(code, 0x139, 0x148) || within(code, 0x179, 0x17E);
  if (odd_pairs) return code % 2 == 1 ? code + 1 : code;
  if (code == 0x178) return 0xFF;
  if (within(code, 0x391, 0x3AB)) return code == 0x3A2 ? code : code + 32;
  if (within(code, 0x410, 0x42F)) return code + 32;
  if (within(code, 0x400, 0x40F)) return code + 80;
  return code;
}

bool is_space(char32_t code) {
  return within(code, 9, 13) || code == ' ' || code == 0x85 || code == 0xA0 || code == 0x1680 ||
         within(code, 0x2000, 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F ||
         code == 0x205F || code == 0x3000;
}

bool is_word(char32_t code) {
  if (code < 0x80) {
    return within(code, 'a', 'z') || within(code, 'A', 'Z') || within(code, '0', '9') ||
           code == '_';
  }
  if (code < 0xC0) {
    return code == 0xAA || code == 0xB5 || code == 0xBA || code == 0xB2 || code == 0xB3 ||
           code == 0xB9 || within(code, 0xBC, 0xBE);
  }
  if (code == 0xD7 || code == 0xF7 || code == replacement) return false;
  const bool punctuation = within(code, 0x2000, 0x206F) || within(code, 0x20A0, 0x20CF) ||
                           within(code, 0x2190, 0x245F) || within(code, 0x2500, 0x27BF) ||
                           within(code, 0x3000, 0x3004) || within(code, 0x3008, 0x3020) ||
                           within(code, 0xFF01, 0xFF0F) || within(code, 0xFF1A, 0xFF20) ||
                           within(code, 0x1F000, 0x1FAFF);
  return !punctuation;
}

}  // namespace

std::string normalised(std::string_view text, const TextRules& rules) {
  std::string result;
  result.reserve(text.size());
  bool blank = false;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    at += character.size;
    char32_t code = character.code;
    if (rules.spaces && is_space(code)) {
      blank = true;
      continue;
    }
    if (blank && !result.empty()) result.push_back(' ');
    blank = false;
    if (rules.lower) code = lower_of(code);
    if (rules.digits && within(code, '0', '9')) code = '0';
    append(result, code);
  }
  return result;
}

std::vector<std::string_view> characters_of(std::string_view text) {
  std::vector<std::string_view> characters;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    characters.push_back(character.valid ? text.substr(at, character.size) : replacement_bytes);
    at += character.size;
  }
  return characters;
}

std::vector<std::string_view> words_of(std::string_view text, std::int64_t least) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  std::int64_t length = 0;
  const auto close = [&](std::size_t end) {
    if (length > 0 && length >= least) words.push_back(text.substr(begin, end - begin));
    length = 0;
  };
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (is_word(character.code)) {
      if (length++ == 0) begin = at;
    } else {
      close(at);
    }
    at += character.size;
  }
  close(text.size());
  return words;
}

std::vector<std::string> ngrams_of(const std::vector<std::string_view>& words, std::int64_t low,
                                   std::int64_t high) {
  std::vector<std::string> grams;
  for (auto size = static_cast<std::size_t>(low); size <= static_cast<std::size_t>(high); ++size) {
    for (std::size_t begin = 0; begin + size <= words.size(); ++begin) {
      std::string gram(words[begin]);
      for (std::size_t i = 1; i < size; ++i) gram.append(" ").append(words[begin + i]);
      grams.push_back(std::move(gram));
    }
  }
  return grams;
}

std::uint32_t murmur_hash(std::string_view text) {
  constexpr std::uint32_t first = 0xCC9E2D51;
  constexpr std::uint32_t second = 0x1B873593;
  const auto byte = [&](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at]));
  };
  std::uint32_t hash = 0;
  const std::size_t blocks = text.size() / 4;
  for (std::size_t i = 0; i < blocks; ++i) {
    std::uint32_t block =
        byte(4 * i) | byte(4 * i + 1) << 8 | byte(4 * i + 2) << 16 | byte(4 * i + 3) << 24;
    block = std::rotl(block * first, 15) * second;
    hash = std::rotl(hash ^ block, 13) * 5 + 0xE6546B64;
  }
  std::uint32_t rest = 0;
  for (std::size_t i = text.size(); i > 4 * blocks; --i) rest = rest << 8 | byte(i - 1);
  if (text.size() % 4 != 0) hash ^= std::rotl(rest * first, 15) * second;
  hash ^= static_cast<std::uint32_t>(text.size());
  hash = (hash ^ hash >> 16) * 0x85EBCA6B;
  hash = (hash ^ hash >> 13) * 0xC2B2AE35;
  return hash ^ hash >> 16;
}

}  // namespace pipelined::model
