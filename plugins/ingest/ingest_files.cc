#include "plugins/ingest/ingest_files.h"

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "plugins/common/arrow_result.h"
#include "plugins/common/examples.h"
#include "plugins/common/table_source.h"

namespace pipelined {
namespace {

Result<TableOptions> read_options(const sdk::Context& context) {
  TableOptions options;
  options.format = context.text("format", "auto");
  options.delimiter = context.text("delimiter");
  options.text.null_words = context.list("null", {""});
  options.text.quarantine = context.text("bad_rows", "fail") == "quarantine";
  for (const std::string& column : context.keys("types")) {
    const std::string name = context.text("types." + column);
    const auto type = column_type_named(name);
    if (!type) {
      return Error{ErrorCode::invalid, "types." + column + ": '" + name +
                                           "' is no type; int, float, bool, string, date and time "
                                           "are"};
    }
    options.text.types[column] = *type;
  }
  return options;
}

/// The rows that could not be read, as examples of their own.
class Rejects {
 public:
  Result<void> open(const std::string& folder) {
    schema_ = arrow::schema({arrow::field("file", arrow::utf8()),
                             arrow::field("line", arrow::int64()),
                             arrow::field("reason", arrow::utf8()),
                             arrow::field("text", arrow::utf8())});
    TRY(writer, ExamplesWriter::create(folder, schema_));
    writer_ = std::make_unique<ExamplesWriter>(std::move(writer));
    return {};
  }

  Result<void> add(const RejectedRow& row) {
    ++count_;
    if (!writer_) return {};
    arrow::Status status = file_.Append(row.file);
    status &= line_.Append(row.line);
    status &= reason_.Append(row.reason);
    status &= text_.Append(row.text);
    TRY_VOID(from_arrow("keep a rejected row", status));
    return ++pending_ == 4096 ? flush() : Result<void>();
  }

  Result<void> close() {
    if (!writer_) return {};
    TRY_VOID(flush());
    return writer_->close();
  }

  std::int64_t count() const { return count_; }

 private:
  Result<void> flush() {
    if (pending_ == 0) return {};
    arrow::ArrayVector columns;
    for (arrow::ArrayBuilder* builder :
         {static_cast<arrow::ArrayBuilder*>(&file_), static_cast<arrow::ArrayBuilder*>(&line_),
          static_cast<arrow::ArrayBuilder*>(&reason_),
          static_cast<arrow::ArrayBuilder*>(&text_)}) {
      TRY(array, from_arrow("keep rejected rows", builder->Finish()));
      columns.push_back(std::move(array));
    }
    const std::int64_t rows = pending_;
    pending_ = 0;
    return writer_->write(arrow::RecordBatch::Make(schema_, rows, std::move(columns)));
  }

  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<ExamplesWriter> writer_;
  arrow::StringBuilder file_, reason_, text_;
  arrow::Int64Builder line_;
  std::int64_t pending_ = 0, count_ = 0;
};

}  // namespace

Result<void> run_ingest_files(sdk::Context& context) {
  TRY(options, read_options(context));
  std::vector<std::string> files;
  for (const auto& path : context.input_files("files")) files.push_back(path.string());
  Rejects rejects;
  if (options.text.quarantine && context.wants_output("rejected")) {
    TRY_VOID(rejects.open(context.output_path("rejected").string()));
  }
  TRY(table, open_table(std::move(files), options));
  TRY(writer, ExamplesWriter::create(context.output_path("examples").string(), table->schema()));
  const auto take = [&](std::shared_ptr<arrow::RecordBatch> batch) -> Result<void> {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "ingest was asked to stop"};
    TRY_VOID(writer.write(std::move(batch)));
    context.progress(writer.row_count());
    return {};
  };
  const auto reject = [&](const RejectedRow& row) { return rejects.add(row); };
  TRY_VOID(table->read(row_group_rows(table->schema()->num_fields()), take, reject));
  TRY_VOID(writer.close());
  TRY_VOID(rejects.close());
  context.note("rows", std::to_string(writer.row_count()));
  if (rejects.count() > 0) {
    context.note("rejected_rows", std::to_string(rejects.count()));
    context.log(sdk::Level::warning, std::to_string(rejects.count()) + " rows were rejected");
  }
  return {};
}

}  // namespace pipelined
