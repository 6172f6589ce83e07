// Text of any encoding as UTF-8.
//
// `auto` is UTF-8 unless a byte order mark says UTF-16 or UTF-32; every other encoding is declared by
// a name that iconv knows (latin-1, ISO-8859-15, windows-1252, UTF-16LE ...).  Bytes that are no text
// of the encoding become one byte 0xFF each, which is nowhere in UTF-8, so that whoever checks a row
// finds them in the row where they stand.  Knows nothing of files and rows.  One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "operators/sdk.h"

namespace pipelined {

/// Turns bytes into UTF-8, piece by piece.
class TextDecoder {
 public:
  /// `encoding`: auto or a name; `head`: the first bytes of the text, at least four if it has them.
  /// An unknown name is an error, as is a byte order mark of another encoding than the declared.
  static Result<TextDecoder> open(const std::string& encoding, std::string_view head);

  TextDecoder(TextDecoder&&) noexcept;
  TextDecoder& operator=(TextDecoder&&) noexcept;
  ~TextDecoder();

  /// Whether bytes are UTF-8 already and need not come here.
  bool transparent() const { return !state_; }

  /// Appends the text of `bytes` to `text`; a character cut at the end waits for the next piece.
  void decode(std::string_view bytes, std::string& text);

  /// Ends the text: half a character that is left counts as bytes that are no text.
  void finish(std::string& text);

 private:
  struct State;
  TextDecoder();
  std::unique_ptr<State> state_;
};

}  // namespace pipelined
