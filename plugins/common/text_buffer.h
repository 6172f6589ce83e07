// A window over a text file that grows until a whole row lies in it.
//
// Unpacks and decodes on the way, so that what is seen is UTF-8 (or the byte 0xFF where it cannot
// be), and passes over a byte order mark.  Knows nothing of rows.  One thread.
#pragma once

#include <arrow/io/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>

#include "operators/sdk.h"
#include "plugins/common/text_encoding.h"

namespace pipelined {

/// The longest row that is read: a quote that is never closed must not swallow the file.
inline constexpr std::size_t row_length_max = 16u << 20;

/// The unread part of a file, as far as it has been loaded.
class TextBuffer {
 public:
  /// `encoding`: auto or a name, see text_encoding.h.
  static Result<TextBuffer> open(const std::string& path, const std::string& encoding);

  /// What is loaded and not consumed.  Valid until `load_more` or `consume`.
  std::string_view unread() const { return std::string_view(bytes_).substr(start_); }

  /// Loads another block; false when the file has no more.
  Result<bool> load_more();

  /// Passes over the first `count` unread bytes.  REQUIRES: count <= unread().size().
  void consume(std::size_t count) { start_ += count; }

 private:
  TextBuffer(std::string name, std::shared_ptr<arrow::io::InputStream> stream,
             TextDecoder decoder, std::string head);
  Result<bool> load_decoded();
  std::shared_ptr<arrow::io::InputStream> stream_;
  std::string name_;
  TextDecoder decoder_;
  std::string head_;   // read to find the encoding, not decoded yet
  std::string bytes_;
  std::size_t start_ = 0;
  bool ended_ = false;
};

}  // namespace pipelined
