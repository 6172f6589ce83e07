#include "plugins/common/text_set.h"

#include <arrow/array/builder_binary.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>

#include <filesystem>

#include "plugins/common/arrow_result.h"
#include "plugins/common/text_buffer.h"
#include "plugins/common/text_rows.h"

namespace pipelined {
namespace {

namespace fs = std::filesystem;

/// Bytes of text and rows after which a batch is handed on.
constexpr std::int64_t batch_bytes = 8 << 20, batch_rows = 65'536;

class TextSet : public TableSource {
 public:
  TextSet(std::vector<std::string> files, const TableOptions& options)
      : files_(std::move(files)),
        root_(options.root),
        encoding_(options.text.encoding),
        quarantine_(options.text.quarantine),
        schema_(arrow::schema({arrow::field("label", arrow::utf8()),
                               arrow::field("file", arrow::utf8()),
                               arrow::field("text", arrow::utf8())})) {}

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<void> read(const TextTable::BatchSink& sink,
                    const TextTable::RejectSink& rejected) override {
    arrow::util::InitializeUTF8();
    for (const std::string& path : files_) {
      const std::string file = fs::path(path).lexically_relative(root_).generic_string();
      TRY(buffer, TextBuffer::open(path, encoding_));
      bool more = true;
      while (more && buffer.unread().size() <= text_bytes_max) {
        TRY(loaded, buffer.load_more());
        more = loaded;
      }
      std::string problem;
      if (buffer.unread().size() > text_bytes_max) problem = "a text of more than 16 MiB";
      if (problem.empty() && !arrow::util::ValidateUTF8(buffer.unread())) {
        problem = text_problem(encoding_);
      }
      if (!problem.empty()) {
        if (!quarantine_) return Error{ErrorCode::invalid, "read " + file + ": " + problem};
        TRY_VOID(rejected({file, 1, "text", problem, ""}));
        continue;
      }
      TRY_VOID(from_arrow("take " + file, add(file, buffer.unread())));
      if (text_.length() >= batch_rows || text_.value_data_length() >= batch_bytes) {
        TRY_VOID(flush(sink));
      }
    }
    return flush(sink);
  }

 private:
  arrow::Status add(const std::string& file, std::string_view text) {
    const std::string label = fs::path(file).parent_path().filename().string();
    ARROW_RETURN_NOT_OK(label.empty() ? label_.AppendNull() : label_.Append(label));
    ARROW_RETURN_NOT_OK(file_.Append(file));
    return text_.Append(text);
  }

  Result<void> flush(const TextTable::BatchSink& sink) {
    const std::int64_t rows = text_.length();
    if (rows == 0) return {};
    arrow::ArrayVector columns;
    for (arrow::StringBuilder* builder : {&label_, &file_, &text_}) {
      TRY(array, from_arrow("take texts", builder->Finish()));
      columns.push_back(std::move(array));
    }
    return sink(arrow::RecordBatch::Make(schema_, rows, std::move(columns)));
  }

  std::vector<std::string> files_;
  fs::path root_;
  std::string encoding_;
  bool quarantine_;
  std::shared_ptr<arrow::Schema> schema_;
  arrow::StringBuilder label_, file_, text_;
};

}  // namespace

Result<std::unique_ptr<TableSource>> open_texts(std::vector<std::string> files,
                                                const TableOptions& options) {
  if (!options.text.types.empty() || !options.text.dialect.columns.empty()) {
    return Error{ErrorCode::invalid, "format texts: its columns are label, file and text; types and "
                                     "columns cannot be stated"};
  }
  return std::unique_ptr<TableSource>(std::make_unique<TextSet>(std::move(files), options));
}

}  // namespace pipelined
