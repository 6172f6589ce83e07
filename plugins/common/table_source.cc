#include "plugins/common/table_source.h"

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>

#include <algorithm>
#include <filesystem>

#include "plugins/common/arrow_result.h"

namespace pipelined {
namespace {

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

/// The format that a file's name says; compressed text counts as text.
Result<std::string> format_of(const std::string& path) {
  std::filesystem::path name = std::filesystem::path(path).filename();
  if (name.extension() == ".gz" || name.extension() == ".zst") name = name.stem();
  const std::string extension = name.extension().string();
  if (extension == ".csv") return std::string("csv");
  if (extension == ".tsv" || extension == ".tab") return std::string("tsv");
  if (extension == ".jsonl" || extension == ".ndjson") return std::string("jsonl");
  if (extension == ".parquet") return std::string("parquet");
  if (extension == ".arrow" || extension == ".feather" || extension == ".ipc") {
    return std::string("arrow");
  }
  return Error{ErrorCode::invalid,
               "read '" + file_name(path) + "': its name does not say a format (.csv .tsv .jsonl "
                                            ".parquet .arrow, with .gz or .zst for text); set the "
                                            "parameter format"};
}

class TextSource : public TableSource {
 public:
  explicit TextSource(TextTable table) : table_(std::move(table)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return table_.schema(); }
  Result<void> read(std::int64_t batch_rows, const TextTable::BatchSink& sink,
                    const TextTable::RejectSink& rejected) override {
    return table_.read(batch_rows, sink, rejected);
  }

 private:
  TextTable table_;
};

using Batches = std::shared_ptr<arrow::RecordBatchReader>;

/// Batches of an Arrow file that may be read at any place.
class IpcFileBatches : public arrow::RecordBatchReader {
 public:
  explicit IpcFileBatches(std::shared_ptr<arrow::ipc::RecordBatchFileReader> file)
      : file_(std::move(file)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return file_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    batch->reset();
    if (next_ == file_->num_record_batches()) return arrow::Status::OK();
    return file_->ReadRecordBatch(next_++).Value(batch);
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
  int next_ = 0;
};

/// A Parquet file and its batches; the file must outlive them.
class ParquetBatches : public arrow::RecordBatchReader {
 public:
  ParquetBatches(std::unique_ptr<parquet::arrow::FileReader> file,
                 std::unique_ptr<arrow::RecordBatchReader> batches)
      : file_(std::move(file)), batches_(std::move(batches)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return batches_->schema(); }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    return batches_->ReadNext(batch);
  }

 private:
  std::unique_ptr<parquet::arrow::FileReader> file_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
};

Result<Batches> open_parquet(const std::string& path) {
  const std::string what = "read " + file_name(path);
  TRY(file, from_arrow(what, arrow::io::ReadableFile::Open(path)));
  parquet::arrow::FileReaderBuilder builder;
  TRY_VOID(from_arrow(what, builder.Open(file)));
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_batch_size(16'384);
  properties.set_pre_buffer(false);
  std::unique_ptr<parquet::arrow::FileReader> reader;
  TRY_VOID(from_arrow(what, builder.properties(properties)->Build(&reader)));
  TRY(batches, from_arrow(what, reader->GetRecordBatchReader()));
  return Batches(std::make_shared<ParquetBatches>(std::move(reader), std::move(batches)));
}

Result<Batches> open_ipc(const std::string& path) {
  const std::string what = "read " + file_name(path);
  TRY(file, from_arrow(what, arrow::io::ReadableFile::Open(path)));
  auto random_access = arrow::ipc::RecordBatchFileReader::Open(file);
  if (random_access.ok()) return Batches(std::make_shared<IpcFileBatches>(*random_access));
  TRY_VOID(from_arrow(what, file->Seek(0)));
  TRY(stream, from_arrow(what, arrow::ipc::RecordBatchStreamReader::Open(file)));
  return Batches(stream);
}

class ColumnarSource : public TableSource {
 public:
  ColumnarSource(std::vector<std::string> files, bool parquet)
      : files_(std::move(files)), parquet_(parquet) {}

  Result<void> settle(const std::map<std::string, ColumnType>& types) {
    std::vector<std::shared_ptr<arrow::Schema>> schemas;
    for (const std::string& path : files_) {
      TRY(batches, open(path));
      auto schema = examples_schema(*batches->schema());
      if (!schema) return schema.error().within("read " + file_name(path));
      schemas.push_back(std::move(*schema));
    }
    TRY(schema, union_schema(schemas));
    for (const auto& [column, type] : types) {
      const int index = schema->GetFieldIndex(column);
      if (index < 0) {
        return Error{ErrorCode::invalid, "types." + column + ": there is no such column"};
      }
      const auto field = schema->field(index)->WithType(arrow_type_of(type));
      TRY(changed, from_arrow("declare a type", schema->SetField(index, field)));
      schema = std::move(changed);
    }
    schema_ = std::move(schema);
    return {};
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<void> read(std::int64_t, const TextTable::BatchSink& sink,
                    const TextTable::RejectSink&) override {
    for (const std::string& path : files_) {
      TRY(batches, open(path));
      for (;;) {
        std::shared_ptr<arrow::RecordBatch> batch;
        TRY_VOID(from_arrow("read " + file_name(path), batches->ReadNext(&batch)));
        if (!batch) break;
        auto rows = conform(*batch, schema_);
        if (!rows) return rows.error().within("read " + file_name(path));
        TRY_VOID(sink(*std::move(rows)));
      }
    }
    return {};
  }

 private:
  Result<Batches> open(const std::string& path) const {
    return parquet_ ? open_parquet(path) : open_ipc(path);
  }
  std::vector<std::string> files_;
  bool parquet_;
  std::shared_ptr<arrow::Schema> schema_;
};

Result<std::string> format_of_all(const std::vector<std::string>& files) {
  TRY(format, format_of(files.front()));
  for (const std::string& file : files) {
    TRY(other, format_of(file));
    if (other != format) {
      return Error{ErrorCode::invalid, "read the delivery: '" + file_name(files.front()) + "' is " +
                                           format + " and '" + file_name(file) + "' is " + other +
                                           "; files of one delivery have one format"};
    }
  }
  return format;
}

}  // namespace

Result<std::unique_ptr<TableSource>> open_table(std::vector<std::string> files,
                                                TableOptions options) {
  if (files.empty()) return Error{ErrorCode::invalid, "read the delivery: it has no file"};
  std::string format = options.format;
  if (format == "auto") {
    TRY(found, format_of_all(files));
    format = std::move(found);
  }
  if (options.delimiter.size() > 1) {
    return Error{ErrorCode::invalid, "delimiter: one character is expected"};
  }
  if (format == "parquet" || format == "arrow") {
    auto source = std::make_unique<ColumnarSource>(std::move(files), format == "parquet");
    TRY_VOID(source->settle(options.text.types));
    return std::unique_ptr<TableSource>(std::move(source));
  }
  options.text.format = format == "jsonl" ? TextFormat::json_lines : TextFormat::delimited;
  options.text.delimiter = format == "tsv" ? '\t' : ',';
  if (!options.delimiter.empty()) options.text.delimiter = options.delimiter[0];
  TRY(table, TextTable::open(std::move(files), std::move(options.text)));
  return std::unique_ptr<TableSource>(std::make_unique<TextSource>(std::move(table)));
}

}  // namespace pipelined
