#include "plugins/common/unpacked_file.h"

#include <arrow/buffer.h>
#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>

#include <filesystem>

#include "plugins/common/arrow_result.h"

namespace pipelined {
namespace {

using namespace std::string_view_literals;

struct Refused {
  std::string_view magic;
  const char* name;
};
constexpr Refused refused[] = {
    {"BZh"sv, "bzip2"}, {"\xFD" "7zXZ\0"sv, "xz"}, {"PK\x03\x04"sv, "a zip archive"},
    {"PK\x05\x06"sv, "a zip archive"}};

Result<Packing> packing_of(const std::string& name, std::string_view head) {
  if (head.starts_with("\x1F\x8B"sv)) return Packing::gzip;
  if (head.starts_with("\x28\xB5\x2F\xFD"sv)) return Packing::zstd;
  for (const Refused& kind : refused) {
    if (head.starts_with(kind.magic)) {
      return Error{ErrorCode::unsupported, "read " + name + ": it is " + kind.name +
                                               "; deliver it plain or packed with gzip or zstd"};
    }
  }
  return Packing::none;
}

}  // namespace

Result<UnpackedFile> open_unpacked(const std::string& path) {
  UnpackedFile result;
  result.name = std::filesystem::path(path).filename().string();
  TRY(file, from_arrow("open " + result.name, arrow::io::ReadableFile::Open(path)));
  char head[8] = {};
  TRY(count, from_arrow("read " + result.name, file->ReadAt(0, sizeof head, head)));
  TRY(packing, packing_of(result.name, {head, static_cast<std::size_t>(count)}));
  TRY_VOID(from_arrow("read " + result.name, file->Seek(0)));
  result.packing = packing;
  result.stream = file;
  if (packing == Packing::none) return result;
  const auto kind = packing == Packing::gzip ? arrow::Compression::GZIP : arrow::Compression::ZSTD;
  TRY(codec, from_arrow("unpack " + result.name, arrow::util::Codec::Create(kind)));
  // The stream keeps a decompressor of its own; the codec may go.
  TRY(unpacked, from_arrow("unpack " + result.name,
                           arrow::io::CompressedInputStream::Make(codec.get(), file)));
  result.stream = unpacked;
  return result;
}

Result<std::string> first_bytes(const std::string& path, std::size_t count) {
  TRY(file, open_unpacked(path));
  std::string bytes;
  while (bytes.size() < count) {
    const auto missing = static_cast<std::int64_t>(count - bytes.size());
    TRY(more, from_arrow("read " + file.name, file.stream->Read(missing)));
    if (more->size() == 0) break;
    bytes += more->ToString();
  }
  return bytes;
}

Result<void> unpack_to(const std::string& path, const std::string& target) {
  constexpr std::int64_t block_bytes = 1 << 20;
  TRY(file, open_unpacked(path));
  const std::string what = "unpack " + file.name;
  TRY(out, from_arrow(what, arrow::io::FileOutputStream::Open(target)));
  for (;;) {
    TRY(block, from_arrow(what, file.stream->Read(block_bytes)));
    if (block->size() == 0) break;
    TRY_VOID(from_arrow(what, out->Write(block)));
  }
  return from_arrow(what, out->Close());
}

}  // namespace pipelined
