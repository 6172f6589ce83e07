#include "plugins/common/text_buffer.h"

#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>

#include <filesystem>

#include "plugins/common/arrow_result.h"

namespace pipelined {
namespace {

constexpr std::int64_t block_size = 1 << 20;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

TextBuffer::TextBuffer(std::shared_ptr<arrow::io::InputStream> stream)
    : stream_(std::move(stream)) {}

Result<TextBuffer> TextBuffer::open(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  TRY(file, from_arrow("open " + name, arrow::io::ReadableFile::Open(path)));
  std::shared_ptr<arrow::io::InputStream> stream = file;
  const bool gzip = name.ends_with(".gz");
  if (gzip || name.ends_with(".zst")) {
    const auto kind = gzip ? arrow::Compression::GZIP : arrow::Compression::ZSTD;
    TRY(codec, from_arrow("unpack " + name, arrow::util::Codec::Create(kind)));
    TRY(unpacked, from_arrow("unpack " + name,
                             arrow::io::CompressedInputStream::Make(codec.get(), stream)));
    stream = unpacked;
    // The stream keeps a decompressor of its own; the codec may go.
  }
  TextBuffer buffer(std::move(stream));
  buffer.path_ = name;
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
  const std::size_t used = bytes_.size();
  bytes_.resize(used + static_cast<std::size_t>(block_size));
  TRY(count, from_arrow("read " + path_, stream_->Read(block_size, bytes_.data() + used)));
  bytes_.resize(used + static_cast<std::size_t>(count));
  ended_ = count == 0;
  return !ended_;
}

}  // namespace pipelined
