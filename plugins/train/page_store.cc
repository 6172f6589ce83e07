#include "plugins/train/page_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace pipelined::train {
namespace {

Error refused(const char* what) {
  return {ErrorCode::io,
          std::string("cannot ") + what + " rows in the scratch folder: " + std::strerror(errno)};
}

constexpr std::array<std::size_t, 6> item_bytes{
    sizeof(std::uint16_t), sizeof(float), sizeof(float), sizeof(float), sizeof(Gradient),
    sizeof(std::uint32_t)};

}  // namespace

PageStore::PageStore(int file, std::size_t width, std::size_t groups)
    : file_(file), width_(width), groups_(groups) {
  for (std::size_t segment = 0; segment < begins_.size(); ++segment) {
    begins_[segment] = page_bytes_;
    page_bytes_ += rows_a_page * items(static_cast<Segment>(segment)) * item_bytes[segment];
  }
}

Result<PageStore> PageStore::create(const std::filesystem::path& path, std::size_t width,
                                    std::size_t groups) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return refused("keep");
  return PageStore(file, width, groups);
}

PageStore::PageStore(PageStore&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      width_(other.width_),
      groups_(other.groups_),
      rows_(other.rows_),
      begins_(other.begins_),
      page_bytes_(other.page_bytes_),
      open_bins_(std::move(other.open_bins_)),
      open_labels_(std::move(other.open_labels_)) {}

PageStore::~PageStore() {
  if (file_ >= 0) ::close(file_);
}

std::size_t PageStore::items(Segment segment) const {
  switch (segment) {
    case Segment::bins: return width_;
    case Segment::margins:
    case Segment::gradients: return groups_;
    case Segment::labels:
    case Segment::weights:
    case Segment::nodes: return 1;
  }
  return 0;
}

Result<void> PageStore::add(std::span<const std::uint16_t> bins, std::span<const float> labels) {
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto begin = bins.begin() + static_cast<std::ptrdiff_t>(row * width_);
    open_bins_.insert(open_bins_.end(), begin, begin + static_cast<std::ptrdiff_t>(width_));
    open_labels_.push_back(labels[row]);
    ++rows_;
    if (open_labels_.size() == rows_a_page) TRY_VOID(flush());
  }
  return {};
}

Result<void> PageStore::close() { return open_labels_.empty() ? Result<void>() : flush(); }

Result<void> PageStore::flush() {
  const std::size_t page = page_count() - 1;
  TRY_VOID(write(page, Segment::bins, open_bins_));
  TRY_VOID(write(page, Segment::labels, open_labels_));
  TRY_VOID(write(page, Segment::weights, std::vector<float>(open_labels_.size(), 1)));
  open_bins_.clear();
  open_labels_.clear();
  return {};
}

Result<void> PageStore::read_bytes(std::size_t page, Segment segment, void* bytes,
                                   std::size_t size) const {
  const std::size_t begin = page * page_bytes_ + begins_[static_cast<std::size_t>(segment)];
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::pread(file_, static_cast<char*>(bytes) + done, size - done,
                                static_cast<off_t>(begin + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return refused("read");
    done += static_cast<std::size_t>(got);
  }
  return {};
}

Result<void> PageStore::write_bytes(std::size_t page, Segment segment, const void* bytes,
                                    std::size_t size) const {
  const std::size_t begin = page * page_bytes_ + begins_[static_cast<std::size_t>(segment)];
  for (std::size_t done = 0; done < size;) {
    const ssize_t written = ::pwrite(file_, static_cast<const char*>(bytes) + done, size - done,
                                     static_cast<off_t>(begin + done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return refused("write");
    done += static_cast<std::size_t>(written);
  }
  return {};
}

}  // namespace pipelined::train
