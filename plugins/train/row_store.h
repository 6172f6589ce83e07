// Rows as numbers in a file: what a training that passes over its rows many times reads.
//
// Written once, row after row, without zeros; read again in chunks of a fixed number of rows, so
// that memory grows with neither rows nor passes.  Numbers are those of 32 bits that scoring uses.
// Knows nothing of columns.  One thread writes; afterwards any number of threads may read chunks.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "dag/result.h"
#include "model/transform.h"

namespace pipelined::train {

/// Rows of one chunk.
struct RowChunk {
  struct Number {
    std::uint32_t index = 0;
    float value = 0;
  };
  std::vector<float> labels;           ///< a number a row
  std::vector<std::uint32_t> ends;     ///< where each row's numbers end
  std::vector<Number> numbers;

  std::span<const Number> row(std::size_t at) const {
    const std::size_t begin = at == 0 ? 0 : ends[at - 1];
    return std::span(numbers).subspan(begin, ends[at] - begin);
  }
};

/// The file.
class RowStore {
 public:
  static constexpr std::size_t rows_a_chunk = 2048;

  /// Makes an empty file at `path`, in place of one that is there.
  static Result<RowStore> create(const std::filesystem::path& path);

  RowStore(RowStore&& other) noexcept;
  RowStore& operator=(RowStore&&) = delete;
  ~RowStore();

  /// Appends a row.
  Result<void> add(std::span<const model::Entry> entries, float label);
  /// After the last row.
  Result<void> close();

  std::size_t row_count() const { return rows_; }
  std::size_t chunk_count() const { return begins_.empty() ? 0 : begins_.size() - 1; }
  /// From now on a label of `code` is read as `labels[code]`.
  void map_labels(std::vector<float> labels) { mapped_ = std::move(labels); }
  /// Reads a chunk.  REQUIRES: closed, index < chunk_count().
  Result<void> read(std::size_t index, RowChunk& chunk) const;

 private:
  explicit RowStore(int file) : file_(file) {}
  Result<void> flush();

  int file_ = -1;
  std::size_t rows_ = 0;
  std::vector<std::uint64_t> begins_{0};  // of chunks in the file, and its end
  RowChunk open_;
  std::vector<float> mapped_;
};

}  // namespace pipelined::train
