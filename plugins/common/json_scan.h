// One JSON object of plain values out of a line of text, strictly after RFC 8259.
//
// Numbers keep the digits in which they are written; of a key that stands twice the last value counts,
// as in most readers.  Values that are lists or objects are checked and refused, as are escapes that
// make half a surrogate pair, since no UTF-8 text holds it.  Scans in place; only strings with escapes
// are copied.  Knows nothing of files, columns and types.  One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/text_rows.h"

namespace pipelined {

/// A key with its value.
struct JsonMember {
  std::string_view key;
  TextCell value;
};

class JsonScanner {
 public:
  /// Reads `line` as one object; what is wrong with it, or an empty text.  REQUIRES: it is UTF-8.
  std::string scan(std::string_view line);

  /// The members in their order, until the next scan; views into the line and into the scanner.
  const std::vector<JsonMember>& members() const { return members_; }

  /// The key whose value is wrong, where one is: of a list or an object.
  std::string_view wrong_key() const { return wrong_key_; }

 private:
  enum class Kind { text, plain, nothing, structure };

  bool fail(const char* expected);
  void skip_blanks();
  bool take(char c);
  bool take_word(std::string_view word);
  bool object();
  bool value(std::string_view& text, Kind& kind);
  bool structure();
  bool number(std::string_view& text);
  bool string(std::string_view& text);
  bool escape(std::string& plain);
  bool hex(std::uint32_t& unit);

  std::string_view line_;
  std::size_t at_ = 0;
  std::string problem_;
  std::string_view wrong_key_;
  bool structure_seen_ = false;
  std::vector<JsonMember> members_;
  std::deque<std::string> unescaped_;  // a deque: views into its strings stay good
};

}  // namespace pipelined
