#include "plugins/common/table_source.h"

#include <filesystem>

#include "plugins/common/columnar_source.h"
#include "plugins/common/text_set.h"
#include "plugins/common/unpacked_file.h"

namespace pipelined {
namespace {

std::string file_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

/// The format that a file's first bytes or its name say.
Result<std::string> format_of(const std::string& path) {
  TRY(head, first_bytes(path, 8));
  if (head.starts_with("PAR1")) return std::string("parquet");
  if (head.starts_with("ARROW1") || head.starts_with("\xFF\xFF\xFF\xFF")) {
    return std::string("arrow");
  }
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
               "read '" + file_name(path) + "': neither its name (.csv .tsv .jsonl .parquet .arrow) "
                                            "nor its first bytes say a format; set the parameter "
                                            "format"};
}

class TextSource : public TableSource {
 public:
  explicit TextSource(TextTable table) : table_(std::move(table)) {}
  const std::shared_ptr<arrow::Schema>& schema() const override { return table_.schema(); }
  Result<void> read(const TextTable::BatchSink& sink,
                    const TextTable::RejectSink& rejected) override {
    return table_.read(sink, rejected);
  }
  std::string remark() const override {
    return table_.dialect() ? sentence_of(*table_.dialect()) : std::string();
  }

 private:
  TextTable table_;
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
  if (format == "parquet" || format == "arrow") {
    return open_columnar(std::move(files), format == "parquet", options);
  }
  if (format == "texts") return open_texts(std::move(files), options);
  options.text.format = format == "jsonl" ? TextFormat::json_lines : TextFormat::delimited;
  if (format == "tsv" && !options.text.dialect.delimiter) options.text.dialect.delimiter = '\t';
  TRY(table, TextTable::open(std::move(files), std::move(options.text)));
  return std::unique_ptr<TableSource>(std::make_unique<TextSource>(std::move(table)));
}

}  // namespace pipelined
