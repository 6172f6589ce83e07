#include "plugins/common/columnar_source.h"

#include <arrow/array.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>

#include <filesystem>

#include "plugins/common/arrow_result.h"
#include "plugins/common/unpacked_file.h"

namespace pipelined {
namespace {

using Batches = std::shared_ptr<arrow::RecordBatchReader>;

/// A delivered file, and where its unpacked bytes lie.
struct ColumnarFile {
  std::string name, path;
};

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

Result<Batches> open_parquet(const ColumnarFile& source) {
  const std::string what = "read " + source.name;
  TRY(file, from_arrow(what, arrow::io::ReadableFile::Open(source.path)));
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

Result<Batches> open_ipc(const ColumnarFile& source) {
  const std::string what = "read " + source.name;
  TRY(file, from_arrow(what, arrow::io::ReadableFile::Open(source.path)));
  auto random_access = arrow::ipc::RecordBatchFileReader::Open(file);
  if (random_access.ok()) return Batches(std::make_shared<IpcFileBatches>(*random_access));
  TRY_VOID(from_arrow(what, file->Seek(0)));
  TRY(stream, from_arrow(what, arrow::ipc::RecordBatchStreamReader::Open(file)));
  return Batches(stream);
}

/// What is wrong with the first row that does not conform.  REQUIRES: some row does not.
RejectedRow first_misfit(const std::string& name, std::int64_t rows_before,
                         const arrow::RecordBatch& batch,
                         const std::shared_ptr<arrow::Schema>& schema) {
  std::int64_t begin = 0, count = batch.num_rows();
  while (count > 1) {
    const std::int64_t half = count / 2;
    if (conform(*batch.Slice(begin, half), schema)) {
      begin += half;
      count -= half;
    } else {
      count = half;
    }
  }
  RejectedRow row{name, rows_before + begin + 1, "", "", ""};
  for (const auto& field : schema->fields()) {
    const auto column = batch.GetColumnByName(field->name());
    const auto alone = arrow::schema({field});
    if (!column || conform(*batch.Slice(begin, 1), alone)) continue;
    const auto value = column->GetScalar(begin);
    const auto type = column_type_of(*field->type());
    row.column = field->name();
    row.text = value.ok() ? (*value)->ToString() : std::string();
    row.reason = "'" + row.text + "' in column '" + field->name() + "' is no " +
                 name_of(type.value_or(ColumnType::text));
    break;
  }
  return row;
}

class ColumnarSource : public TableSource {
 public:
  ColumnarSource(std::vector<ColumnarFile> files, bool parquet, bool quarantine)
      : files_(std::move(files)), parquet_(parquet), quarantine_(quarantine) {}

  Result<void> settle(const TextTableOptions& options) {
    std::vector<std::shared_ptr<arrow::Schema>> schemas;
    for (const ColumnarFile& file : files_) {
      TRY(batches, open(file));
      auto schema = examples_schema(*batches->schema());
      if (!schema) return schema.error().within("read " + file.name);
      schemas.push_back(std::move(*schema));
    }
    TRY(schema, union_schema(schemas));
    for (const auto& [column, type] : options.types) {
      if (schema->GetFieldIndex(column) < 0) {
        return Error{ErrorCode::invalid, "types." + column + ": there is no such column in " +
                                             files_.front().name};
      }
    }
    for (int i = 0; i < schema->num_fields(); ++i) {
      TRY(type, declared_type(options, schema->field(i)->name()));
      if (!type || column_type_of(*schema->field(i)->type()) == type) continue;
      const auto field = schema->field(i)->WithType(arrow_type_of(*type));
      TRY(changed, from_arrow("declare a type", schema->SetField(i, field)));
      schema = std::move(changed);
    }
    schema_ = std::move(schema);
    return {};
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<void> read(const TextTable::BatchSink& sink,
                    const TextTable::RejectSink& rejected) override {
    for (const ColumnarFile& file : files_) {
      TRY(batches, open(file));
      std::int64_t rows = 0;
      for (;;) {
        std::shared_ptr<arrow::RecordBatch> batch;
        TRY_VOID(from_arrow("read " + file.name, batches->ReadNext(&batch)));
        if (!batch) break;
        TRY_VOID(take(file.name, rows, *batch, sink, rejected));
        rows += batch->num_rows();
      }
    }
    return {};
  }

 private:
  Result<Batches> open(const ColumnarFile& file) const {
    return parquet_ ? open_parquet(file) : open_ipc(file);
  }

  /// Hands on the rows that conform; of the others the first is an error, or all are rejected.
  Result<void> take(const std::string& name, std::int64_t rows_before,
                    const arrow::RecordBatch& batch, const TextTable::BatchSink& sink,
                    const TextTable::RejectSink& rejected) const {
    std::shared_ptr<arrow::RecordBatch> left = batch.Slice(0);
    while (left->num_rows() > 0) {
      auto rows = conform(*left, schema_);
      if (rows) return sink(*std::move(rows));
      const RejectedRow bad = first_misfit(name, rows_before, *left, schema_);
      if (bad.column.empty()) return rows.error().within("read " + name);
      if (!quarantine_) {
        return Error{ErrorCode::invalid, "read " + name + " row " + std::to_string(bad.line) + ": " +
                                             bad.reason};
      }
      TRY_VOID(rejected(bad));
      const std::int64_t good = bad.line - 1 - rows_before;
      if (good > 0) {
        TRY(before, conform(*left->Slice(0, good), schema_));
        TRY_VOID(sink(std::move(before)));
      }
      left = left->Slice(good + 1);
      rows_before = bad.line;
    }
    return {};
  }

  std::vector<ColumnarFile> files_;
  bool parquet_, quarantine_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

Result<std::unique_ptr<TableSource>> open_columnar(std::vector<std::string> files, bool parquet,
                                                   const TableOptions& options) {
  std::vector<ColumnarFile> opened;
  for (const std::string& path : files) {
    TRY(file, open_unpacked(path));
    if (file.packing == Packing::none) {
      opened.push_back({file.name, path});
      continue;
    }
    const std::string target =
        options.scratch + "/unpacked-" + std::to_string(opened.size()) + "-" + file.name;
    TRY_VOID(unpack_to(path, target));
    opened.push_back({file.name, target});
  }
  auto source =
      std::make_unique<ColumnarSource>(std::move(opened), parquet, options.text.quarantine);
  TRY_VOID(source->settle(options.text));
  return std::unique_ptr<TableSource>(std::move(source));
}

}  // namespace pipelined
