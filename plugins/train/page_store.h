// Rows as bins in a file, page by page: what trees are grown from when rows do not fit into memory.
//
// A page holds a fixed number of rows in segments that are read and written on their own: bins,
// labels, weights, where the sums of the trees stand (margins), gradients, and the node of the tree
// that grows.  Memory is the page that a caller holds, however many rows there are.  Knows nothing of
// columns or trees.  One thread adds; afterwards different pages may be used by different threads.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "dag/result.h"

namespace pipelined::train {

/// The parts of a page.
enum class Segment { bins, labels, weights, margins, gradients, nodes };

/// A row's first and second derivative of the loss for one group of scores.
struct Gradient {
  float first = 0, second = 0;
};

/// The file.
class PageStore {
 public:
  static constexpr std::size_t rows_a_page = 8192;
  /// The bin of a value that is missing.
  static constexpr std::uint16_t missing_bin = 0xFFFF;

  /// Makes an empty file at `path`, in place of one that is there: `width` bins and `groups` margins
  /// a row.
  static Result<PageStore> create(const std::filesystem::path& path, std::size_t width,
                                  std::size_t groups);

  PageStore(PageStore&& other) noexcept;
  PageStore& operator=(PageStore&&) = delete;
  ~PageStore();

  /// Appends rows with weight 1: their bins row after row, and a label each.
  Result<void> add(std::span<const std::uint16_t> bins, std::span<const float> labels);
  /// After the last row.
  Result<void> close();

  std::size_t width() const { return width_; }
  std::size_t groups() const { return groups_; }
  std::size_t row_count() const { return rows_; }
  std::size_t page_count() const { return (rows_ + rows_a_page - 1) / rows_a_page; }
  /// Rows of one page: only the last may have fewer than the others.
  std::size_t rows_of(std::size_t page) const {
    return std::min(rows_a_page, rows_ - page * rows_a_page);
  }

  /// Reads a whole segment.  REQUIRES: closed; T is the type of the segment's items.
  template <class T>
  Result<void> read(std::size_t page, Segment segment, std::vector<T>& values) const {
    values.resize(items(segment) * rows_of(page));
    return read_bytes(page, segment, values.data(), values.size() * sizeof(T));
  }
  /// Writes a whole segment.
  template <class T>
  Result<void> write(std::size_t page, Segment segment, const std::vector<T>& values) const {
    return write_bytes(page, segment, values.data(), values.size() * sizeof(T));
  }

 private:
  PageStore(int file, std::size_t width, std::size_t groups);
  Result<void> flush();
  std::size_t items(Segment segment) const;  // a row
  Result<void> read_bytes(std::size_t page, Segment segment, void* bytes, std::size_t size) const;
  Result<void> write_bytes(std::size_t page, Segment segment, const void* bytes,
                           std::size_t size) const;

  int file_ = -1;
  std::size_t width_, groups_;
  std::size_t rows_ = 0;
  std::array<std::size_t, 6> begins_{};  // of the segments in a page
  std::size_t page_bytes_ = 0;
  std::vector<std::uint16_t> open_bins_;
  std::vector<float> open_labels_;
};

}  // namespace pipelined::train
