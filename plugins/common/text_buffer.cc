#include "plugins/common/text_buffer.h"

#include <arrow/io/interfaces.h>

#include "plugins/common/arrow_result.h"
#include "plugins/common/unpacked_file.h"

namespace pipelined {
namespace {

constexpr std::int64_t block_size = 1 << 20;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t longest_mark = 4;

}  // namespace

TextBuffer::TextBuffer(std::string name, std::shared_ptr<arrow::io::InputStream> stream,
                       TextDecoder decoder, std::string head)
    : stream_(std::move(stream)),
      name_(std::move(name)),
      decoder_(std::move(decoder)),
      head_(std::move(head)) {
  if (decoder_.transparent()) bytes_.swap(head_);
}

Result<TextBuffer> TextBuffer::open(const std::string& path, const std::string& encoding) {
  TRY(file, open_unpacked(path));
  std::string head(longest_mark, '\0');
  std::size_t filled = 0;
  while (filled < head.size()) {
    TRY(count, from_arrow("read " + file.name,
                          file.stream->Read(static_cast<std::int64_t>(head.size() - filled),
                                            head.data() + filled)));
    if (count == 0) break;
    filled += static_cast<std::size_t>(count);
  }
  head.resize(filled);
  auto decoder = TextDecoder::open(encoding, head);
  if (!decoder) return decoder.error().within("read " + file.name);
  TextBuffer buffer(file.name, file.stream, *std::move(decoder), std::move(head));
  while (buffer.unread().size() < byte_order_mark.size()) {
    TRY(more, buffer.load_more());
    if (!more) break;
  }
  if (buffer.unread().starts_with(byte_order_mark)) buffer.consume(byte_order_mark.size());
  return buffer;
}

Result<bool> TextBuffer::load_more() {
  if (ended_) return false;
  bytes_.erase(0, start_);
  start_ = 0;
  if (!decoder_.transparent()) return load_decoded();
  const std::size_t used = bytes_.size();
  bytes_.resize(used + static_cast<std::size_t>(block_size));
  TRY(count, from_arrow("read " + name_, stream_->Read(block_size, bytes_.data() + used)));
  bytes_.resize(used + static_cast<std::size_t>(count));
  ended_ = count == 0;
  return !ended_;
}

Result<bool> TextBuffer::load_decoded() {
  std::string piece = std::move(head_);
  head_.clear();
  const std::size_t used = piece.size(), before = bytes_.size();
  piece.resize(used + static_cast<std::size_t>(block_size));
  TRY(count, from_arrow("read " + name_, stream_->Read(block_size, piece.data() + used)));
  piece.resize(used + static_cast<std::size_t>(count));
  ended_ = count == 0;
  decoder_.decode(piece, bytes_);
  if (ended_) decoder_.finish(bytes_);
  return bytes_.size() > before || !ended_;
}

}  // namespace pipelined
