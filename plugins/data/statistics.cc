#include "plugins/data/statistics.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/array/util.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include "plugins/common/arrow_result.h"
#include "plugins/common/examples.h"
#include "plugins/data/batch_pass.h"
#include "plugins/data/column_threads.h"

namespace pipelined {
namespace {

/// Whether all data pages of the file's column are dictionary-encoded: then reading indices is cheap.
bool dictionary_throughout(const parquet::FileMetaData& metadata, int column) {
  for (int group = 0; group < metadata.num_row_groups(); ++group) {
    const auto chunk = metadata.RowGroup(group)->ColumnChunk(column);
    if (chunk->encoding_stats().empty()) return false;
    for (const parquet::PageEncodingStats& stats : chunk->encoding_stats()) {
      const bool data = stats.page_type == parquet::PageType::DATA_PAGE ||
                        stats.page_type == parquet::PageType::DATA_PAGE_V2;
      const bool dictionary = stats.encoding == parquet::Encoding::RLE_DICTIONARY ||
                              stats.encoding == parquet::Encoding::PLAIN_DICTIONARY;
      if (data && !dictionary) return false;
    }
  }
  return metadata.num_row_groups() > 0;
}

Result<std::unique_ptr<parquet::arrow::FileReader>> open_file(const std::string& path) {
  // Read, not mapped: the pages of many mapped files would count as this process's memory.
  TRY(file, from_arrow("open " + path, arrow::io::ReadableFile::Open(path)));
  parquet::arrow::FileReaderBuilder builder;
  TRY_VOID(from_arrow("read " + path, builder.Open(file)));
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_pre_buffer(false);
  const auto metadata = builder.raw_reader()->metadata();
  for (int i = 0; i < metadata->num_columns(); ++i) {
    const bool text = metadata->schema()->Column(i)->physical_type() == parquet::Type::BYTE_ARRAY;
    properties.set_read_dictionary(i, text && dictionary_throughout(*metadata, i));
  }
  std::unique_ptr<parquet::arrow::FileReader> reader;
  TRY_VOID(from_arrow("read " + path, builder.properties(properties)->Build(&reader)));
  return reader;
}

/// One thread's open files.
class Columns {
 public:
  Columns(const std::vector<std::string>& files, std::shared_ptr<arrow::Schema> schema)
      : files_(files), schema_(std::move(schema)) {}

  /// Feeds every row group of the column, in order, to the summary.
  Result<void> summarise(const std::string& name, const StatisticsOptions& options,
                         ColumnSummary& summary) {
    TRY_VOID(open_all());
    for (std::size_t i = 0; i < files_.size(); ++i) {
      parquet::arrow::FileReader& file = *readers_[i];
      for (int group = 0; group < file.num_row_groups(); ++group) {
        if (options.cancelled()) return Error{ErrorCode::cancelled, "statistics were cancelled"};
        std::vector<double> weights;
        if (!options.weight.empty()) TRY_VOID(read_weights(file, group, options.weight, weights));
        TRY(chunks, read(file, group, name));
        std::size_t at = 0;
        for (const auto& chunk : chunks->chunks()) {
          summary.add(*chunk, weights.empty() ? nullptr : weights.data() + at);
          at += static_cast<std::size_t>(chunk->length());
        }
      }
    }
    return {};
  }

 private:
  Result<void> open_all() {
    for (std::size_t i = readers_.size(); i < files_.size(); ++i) {
      TRY(reader, open_file(files_[i]));
      readers_.push_back(std::move(reader));
    }
    return {};
  }

  /// The column of a row group in the type of the table's schema; nulls where the file has none.
  Result<std::shared_ptr<arrow::ChunkedArray>> read(parquet::arrow::FileReader& file, int group,
                                                    const std::string& name) {
    const auto field = schema_->GetFieldByName(name);
    const int index = file.parquet_reader()->metadata()->schema()->ColumnIndex(name);
    if (index < 0) {
      const std::int64_t rows = file.parquet_reader()->metadata()->RowGroup(group)->num_rows();
      TRY(nulls, from_arrow("fill column '" + name + "'",
                            arrow::MakeArrayOfNull(field->type(), rows)));
      return std::make_shared<arrow::ChunkedArray>(std::move(nulls));
    }
    std::shared_ptr<arrow::ChunkedArray> chunks;
    TRY_VOID(from_arrow("read column '" + name + "'",
                        file.RowGroup(group)->Column(index)->Read(&chunks)));
    const bool dictionary = chunks->type()->id() == arrow::Type::DICTIONARY;
    if (dictionary || chunks->type()->Equals(*field->type())) return chunks;
    arrow::ArrayVector cast;
    const auto schema = arrow::schema({field});
    for (const auto& chunk : chunks->chunks()) {
      const auto batch = arrow::RecordBatch::Make(
          arrow::schema({arrow::field(name, chunk->type())}), chunk->length(), {chunk});
      TRY(converted, conform(*batch, schema));
      cast.push_back(converted->column(0));
    }
    return std::make_shared<arrow::ChunkedArray>(std::move(cast), field->type());
  }

  Result<void> read_weights(parquet::arrow::FileReader& file, int group, const std::string& name,
                            std::vector<double>& weights) {
    TRY(chunks, read(file, group, name));
    for (const auto& chunk : chunks->chunks()) TRY_VOID(append_weights(*chunk, name, weights));
    return {};
  }

  const std::vector<std::string>& files_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<parquet::arrow::FileReader>> readers_;
};

Result<TableSummary> summarise_parquet(const std::vector<std::string>& files,
                                       const std::shared_ptr<arrow::Schema>& schema,
                                       const StatisticsOptions& options) {
  TRY_VOID(check_named_columns(*schema, options));
  TableSummary table = empty_summary(*schema);
  // Files are opened once a thread.
  std::map<std::thread::id, Columns> opened;
  std::mutex mutex;
  const auto columns_here = [&]() -> Columns& {
    const std::lock_guard<std::mutex> lock(mutex);
    return opened.try_emplace(std::this_thread::get_id(), files, schema).first->second;
  };
  TRY_VOID(for_each_column(table.columns.size(), options.threads, [&](std::size_t i) {
    return columns_here().summarise(table.names[i], options, table.columns[i]);
  }));
  for (const ColumnSummary& column : table.columns) table.rows = column.rows;
  return table;
}

/// Whether rows have to be seen whole.
bool needs_rows(const StatisticsOptions& options) {
  return !options.cross.empty() || !options.slices.empty();
}

bool is_parquet(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char word[4] = {};
  return file.read(word, sizeof word) && std::string_view(word, sizeof word) == "PAR1";
}

}  // namespace

Result<TableSummary> summarise(const std::vector<std::string>& folders,
                               const StatisticsOptions& options) {
  TRY(examples, ExamplesReader::open(folders));
  if (!needs_rows(options)) {
    TRY(table, summarise_parquet(examples.files(), examples.schema(), options));
    table.rows = examples.row_count();
    return table;
  }
  TRY(pass, BatchPass::begin(examples.schema(), options));
  for (;;) {
    TRY(batch, examples.next());
    if (!batch) return std::move(pass).take();
    TRY_VOID(pass.add(*batch));
  }
}

Result<TableSummary> summarise_files(const std::vector<std::string>& files, TableOptions reading,
                                     const StatisticsOptions& options) {
  if (files.empty()) return Error{ErrorCode::invalid, "statistics: there are no files to be read"};
  reading.text.threads = options.threads;
  TRY(source, open_table(files, std::move(reading)));
  const bool parquet = std::all_of(files.begin(), files.end(), is_parquet);
  if (parquet && !needs_rows(options)) return summarise_parquet(files, source->schema(), options);
  TRY(pass, BatchPass::begin(source->schema(), options));
  TRY_VOID(source->read([&](const auto& batch) { return pass.add(*batch); },
                        [](const RejectedRow& row) {
                          return Error{ErrorCode::invalid, sentence_of(row)};
                        }));
  return std::move(pass).take();
}

}  // namespace pipelined
