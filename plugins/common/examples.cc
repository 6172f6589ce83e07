#include "plugins/common/examples.h"

#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/type_fwd.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "plugins/common/arrow_result.h"
#include "plugins/common/column_types.h"

namespace pipelined {
namespace {

constexpr std::int64_t row_group_cells = 1'000'000;
constexpr int row_groups_per_part = 64;
constexpr std::int64_t read_batch_rows = 16'384;

Result<std::unique_ptr<parquet::arrow::FileReader>> open_part(const std::string& path) {
  TRY(file, from_arrow("open " + path, arrow::io::ReadableFile::Open(path)));
  parquet::arrow::FileReaderBuilder builder;
  TRY_VOID(from_arrow("read " + path, builder.Open(file)));
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_batch_size(read_batch_rows);
  properties.set_pre_buffer(false);
  std::unique_ptr<parquet::arrow::FileReader> reader;
  TRY_VOID(from_arrow("read " + path, builder.properties(properties)->Build(&reader)));
  return reader;
}

std::string part_name(int number) {
  char name[32];
  std::snprintf(name, sizeof name, "part-%05d.parquet", number);
  return name;
}

}  // namespace

Result<std::vector<std::string>> example_parts(const std::string& folder) {
  std::vector<std::string> parts;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".parquet") {
      return Error{ErrorCode::invalid, "read examples: '" + entry.path().filename().string() +
                                           "' is not a Parquet part; examples/1 holds nothing else"};
    }
    parts.push_back(entry.path().string());
  }
  if (error) return Error{ErrorCode::io, "read examples in " + folder + ": " + error.message()};
  if (parts.empty()) {
    return Error{ErrorCode::invalid, "read examples: the artifact has no part-NNNNN.parquet"};
  }
  std::sort(parts.begin(), parts.end());
  return parts;
}

std::int64_t row_group_rows(int column_count) {
  return std::max<std::int64_t>(1, row_group_cells / std::max(1, column_count));
}

struct ExamplesReader::State {
  std::vector<std::string> files;
  std::shared_ptr<arrow::Schema> schema;
  std::int64_t row_count = 0;
  std::size_t next_file = 0;
  std::unique_ptr<parquet::arrow::FileReader> file;
  std::unique_ptr<arrow::RecordBatchReader> batches;
};

ExamplesReader::ExamplesReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
ExamplesReader::ExamplesReader(ExamplesReader&&) noexcept = default;
ExamplesReader& ExamplesReader::operator=(ExamplesReader&&) noexcept = default;
ExamplesReader::~ExamplesReader() = default;

Result<ExamplesReader> ExamplesReader::open(const std::vector<std::string>& folders) {
  auto state = std::make_unique<State>();
  std::vector<std::shared_ptr<arrow::Schema>> schemas;
  for (const std::string& folder : folders) {
    TRY(parts, example_parts(folder));
    for (std::string& part : parts) {
      TRY(reader, open_part(part));
      std::shared_ptr<arrow::Schema> stored;
      TRY_VOID(from_arrow("read the schema of " + part, reader->GetSchema(&stored)));
      TRY(schema, examples_schema(*stored));
      schemas.push_back(std::move(schema));
      state->row_count += reader->parquet_reader()->metadata()->num_rows();
      state->files.push_back(std::move(part));
    }
  }
  TRY(schema, union_schema(schemas));
  state->schema = std::move(schema);
  return ExamplesReader(std::move(state));
}

const std::shared_ptr<arrow::Schema>& ExamplesReader::schema() const { return state_->schema; }
std::int64_t ExamplesReader::row_count() const { return state_->row_count; }
const std::vector<std::string>& ExamplesReader::files() const { return state_->files; }

Result<std::shared_ptr<arrow::RecordBatch>> ExamplesReader::next() {
  State& state = *state_;
  for (;;) {
    if (!state.batches) {
      if (state.next_file == state.files.size()) return std::shared_ptr<arrow::RecordBatch>();
      const std::string& path = state.files[state.next_file++];
      TRY(file, open_part(path));
      state.file = std::move(file);
      TRY(batches, from_arrow("read " + path, state.file->GetRecordBatchReader()));
      state.batches = std::move(batches);
    }
    std::shared_ptr<arrow::RecordBatch> batch;
    TRY_VOID(from_arrow("read " + state.files[state.next_file - 1],
                        state.batches->ReadNext(&batch)));
    if (batch) return conform(*batch, state.schema);
    state.batches.reset();
  }
}

struct ExamplesWriter::State {
  std::string folder;
  std::shared_ptr<arrow::Schema> schema;
  std::int64_t group_rows = 1;
  std::int64_t rows = 0;
  std::int64_t pending_rows = 0;
  std::vector<std::shared_ptr<arrow::RecordBatch>> pending;
  int part_count = 0;
  int groups_in_part = 0;
  std::shared_ptr<arrow::io::FileOutputStream> file;
  std::unique_ptr<parquet::arrow::FileWriter> part;

  Result<void> open_part() {
    const std::string path = folder + "/" + part_name(part_count++);
    TRY(opened, from_arrow("write " + path, arrow::io::FileOutputStream::Open(path)));
    file = std::move(opened);
    auto properties = parquet::WriterProperties::Builder()
                          .compression(arrow::Compression::ZSTD)
                          ->compression_level(3)
                          ->max_row_group_length(group_rows)
                          ->build();
    TRY(writer, from_arrow("write " + path,
                           parquet::arrow::FileWriter::Open(
                               *schema, arrow::default_memory_pool(), file, properties)));
    part = std::move(writer);
    groups_in_part = 0;
    return {};
  }

  Result<void> close_part() {
    TRY_VOID(from_arrow("finish a part of " + folder, part->Close()));
    TRY_VOID(from_arrow("close a part of " + folder, file->Close()));
    part.reset();
    file.reset();
    return {};
  }

  /// Writes the first `count` pending rows as one row group.
  Result<void> write_group(std::int64_t count) {
    if (!part) TRY_VOID(open_part());
    std::vector<std::shared_ptr<arrow::RecordBatch>> group;
    std::int64_t missing = count;
    std::size_t used = 0;
    while (missing > 0) {
      std::shared_ptr<arrow::RecordBatch>& batch = pending[used];
      if (batch->num_rows() <= missing) {
        missing -= batch->num_rows();
        group.push_back(std::move(batch));
        ++used;
      } else {
        group.push_back(batch->Slice(0, missing));
        batch = batch->Slice(missing);
        missing = 0;
      }
    }
    pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(used));
    pending_rows -= count;
    TRY(table, from_arrow("collect a row group", arrow::Table::FromRecordBatches(schema, group)));
    TRY(whole, from_arrow("collect a row group", table->CombineChunks()));
    TRY_VOID(from_arrow("write a row group to " + folder, part->WriteTable(*whole, count)));
    if (++groups_in_part == row_groups_per_part) TRY_VOID(close_part());
    return {};
  }
};

ExamplesWriter::ExamplesWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ExamplesWriter::ExamplesWriter(ExamplesWriter&&) noexcept = default;
ExamplesWriter& ExamplesWriter::operator=(ExamplesWriter&&) noexcept = default;
ExamplesWriter::~ExamplesWriter() = default;

Result<ExamplesWriter> ExamplesWriter::create(const std::string& folder,
                                              std::shared_ptr<arrow::Schema> schema) {
  auto state = std::make_unique<State>();
  state->folder = folder;
  state->group_rows = row_group_rows(schema->num_fields());
  state->schema = std::move(schema);
  return ExamplesWriter(std::move(state));
}

Result<void> ExamplesWriter::write(std::shared_ptr<arrow::RecordBatch> batch) {
  State& state = *state_;
  if (batch->num_rows() == 0) return {};
  state.rows += batch->num_rows();
  state.pending_rows += batch->num_rows();
  state.pending.push_back(std::move(batch));
  while (state.pending_rows >= state.group_rows) TRY_VOID(state.write_group(state.group_rows));
  return {};
}

Result<void> ExamplesWriter::close() {
  State& state = *state_;
  if (state.pending_rows > 0) TRY_VOID(state.write_group(state.pending_rows));
  if (state.part_count == 0) TRY_VOID(state.open_part());
  if (state.part) TRY_VOID(state.close_part());
  return {};
}

std::int64_t ExamplesWriter::row_count() const { return state_->rows; }

}  // namespace pipelined
