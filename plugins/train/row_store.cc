#include "plugins/train/row_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace pipelined::train {
namespace {

Error refused(const char* what) {
  return {ErrorCode::io,
          std::string("cannot ") + what + " rows in the scratch folder: " + std::strerror(errno)};
}

template <class T>
void append(std::vector<char>& bytes, const std::vector<T>& values) {
  const auto* first = reinterpret_cast<const char*>(values.data());
  bytes.insert(bytes.end(), first, first + values.size() * sizeof(T));
}

template <class T>
const char* take(const char* bytes, std::size_t count, std::vector<T>& values) {
  values.resize(count);
  if (count > 0) std::memcpy(values.data(), bytes, count * sizeof(T));
  return bytes + count * sizeof(T);
}

}  // namespace

Result<RowStore> RowStore::create(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return refused("keep");
  return RowStore(file);
}

RowStore::RowStore(RowStore&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      rows_(other.rows_),
      begins_(std::move(other.begins_)),
      open_(std::move(other.open_)),
      mapped_(std::move(other.mapped_)) {}

RowStore::~RowStore() {
  if (file_ >= 0) ::close(file_);
}

Result<void> RowStore::add(std::span<const model::Entry> entries, float label) {
  for (const model::Entry& entry : entries) {
    open_.numbers.push_back({entry.index, static_cast<float>(entry.value)});
  }
  open_.ends.push_back(static_cast<std::uint32_t>(open_.numbers.size()));
  open_.labels.push_back(label);
  ++rows_;
  return open_.labels.size() == rows_a_chunk ? flush() : Result<void>();
}

Result<void> RowStore::close() { return open_.labels.empty() ? Result<void>() : flush(); }

Result<void> RowStore::flush() {
  const std::vector<std::uint32_t> head{static_cast<std::uint32_t>(open_.labels.size()),
                                        static_cast<std::uint32_t>(open_.numbers.size())};
  std::vector<char> bytes;
  append(bytes, head);
  append(bytes, open_.labels);
  append(bytes, open_.ends);
  append(bytes, open_.numbers);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t written = ::write(file_, bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return refused("write");
    done += static_cast<std::size_t>(written);
  }
  begins_.push_back(begins_.back() + bytes.size());
  open_ = {};
  return {};
}

Result<void> RowStore::read(std::size_t index, RowChunk& chunk) const {
  const std::uint64_t begin = begins_[index];
  std::vector<char> bytes(begins_[index + 1] - begin);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::pread(file_, bytes.data() + done, bytes.size() - done,
                                static_cast<off_t>(begin + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return refused("read");
    done += static_cast<std::size_t>(got);
  }
  std::vector<std::uint32_t> head;
  const char* at = take(bytes.data(), 2, head);
  at = take(at, head[0], chunk.labels);
  at = take(at, head[0], chunk.ends);
  take(at, head[1], chunk.numbers);
  if (mapped_.empty()) return {};
  for (float& label : chunk.labels) label = mapped_[static_cast<std::size_t>(label)];
  return {};
}

}  // namespace pipelined::train
