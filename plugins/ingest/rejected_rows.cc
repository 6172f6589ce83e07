#include "plugins/ingest/rejected_rows.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdio>

#include "plugins/common/arrow_result.h"

namespace pipelined {
namespace {

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %%", share * 100);
  return text;
}

}  // namespace

RejectedRows::RejectedRows()
    : schema_(arrow::schema({arrow::field("file", arrow::utf8()),
                             arrow::field("line", arrow::int64()),
                             arrow::field("column", arrow::utf8()),
                             arrow::field("reason", arrow::utf8()),
                             arrow::field("text", arrow::utf8())})) {}

Result<void> RejectedRows::open(const std::string& folder) {
  TRY(writer, ExamplesWriter::create(folder, schema_));
  writer_ = std::make_unique<ExamplesWriter>(std::move(writer));
  return {};
}

Result<void> RejectedRows::add(const RejectedRow& row) {
  constexpr std::int64_t pending_rows_max = 4096, pending_bytes_max = 8 << 20;
  if (count_++ == 0) first_ = sentence_of(row);
  if (!writer_) return {};
  arrow::Status status = file_.Append(row.file);
  status &= line_.Append(row.line);
  status &= row.column.empty() ? column_.AppendNull() : column_.Append(row.column);
  status &= reason_.Append(row.reason);
  status &= text_.Append(row.text);
  TRY_VOID(from_arrow("keep a rejected row", status));
  const bool full = ++pending_ == pending_rows_max || text_.value_data_length() > pending_bytes_max;
  return full ? flush() : Result<void>();
}

Result<void> RejectedRows::close() {
  if (!writer_) return {};
  TRY_VOID(flush());
  return writer_->close();
}

std::string RejectedRows::verdict(std::int64_t good_rows, double share_max) const {
  if (count_ == 0) return {};
  const std::int64_t rows = good_rows + count_;
  const double share = static_cast<double>(count_) / static_cast<double>(rows);
  if (share <= share_max) return {};
  return std::to_string(count_) + " of " + std::to_string(rows) + " rows (" + percent(share) +
         ") could not be read, at most " + percent(share_max) + " are allowed; the first: " + first_;
}

Result<void> RejectedRows::flush() {
  if (pending_ == 0) return {};
  arrow::ArrayVector columns;
  for (arrow::ArrayBuilder* builder :
       {static_cast<arrow::ArrayBuilder*>(&file_), static_cast<arrow::ArrayBuilder*>(&line_),
        static_cast<arrow::ArrayBuilder*>(&column_), static_cast<arrow::ArrayBuilder*>(&reason_),
        static_cast<arrow::ArrayBuilder*>(&text_)}) {
    TRY(array, from_arrow("keep rejected rows", builder->Finish()));
    columns.push_back(std::move(array));
  }
  const std::int64_t rows = pending_;
  pending_ = 0;
  return writer_->write(arrow::RecordBatch::Make(schema_, rows, std::move(columns)));
}

}  // namespace pipelined
