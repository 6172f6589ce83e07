#include "plugins/ingest/ingest_files.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "plugins/common/examples.h"
#include "plugins/common/table_source.h"
#include "plugins/ingest/known_types.h"
#include "plugins/ingest/rejected_rows.h"

namespace pipelined {
namespace {

Result<DialectWish> read_dialect(const sdk::Context& context) {
  DialectWish wish;
  for (const char* name : {"delimiter", "quote"}) {
    const std::string word = context.text(name);
    if (word.empty()) continue;
    TRY(character, dialect_character(name, word));
    (std::string_view(name) == "quote" ? wish.quote : wish.delimiter) = character;
  }
  if (wish.quote && wish.quote == wish.delimiter) {
    return Error{ErrorCode::invalid, "delimiter and quote are the same character"};
  }
  const std::string header = context.text("header", "auto");
  if (header != "auto") wish.header = header == "yes";
  wish.columns = context.list("columns");
  return wish;
}

Result<TableOptions> read_options(const sdk::Context& context) {
  TableOptions options;
  options.format = context.text("format", "auto");
  options.root = context.input_path("files").string();
  options.scratch = context.scratch_path().string();
  TRY(dialect, read_dialect(context));
  options.text.dialect = std::move(dialect);
  options.text.encoding = context.text("encoding", "auto");
  options.text.null_words = context.list("null", {""});
  options.text.quarantine = context.text("bad_rows", "fail") == "quarantine";
  options.text.infer = context.flag("infer", true);
  options.text.threads = context.threads();
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
  TRY(known, known_types(context));
  options.text.known = std::move(known);
  return options;
}

/// What people should know of the delivery, and the verdict if too much of it is broken.
void report(sdk::Context& context, const TableSource& table, std::int64_t rows,
            const RejectedRows& rejected) {
  context.note("rows", std::to_string(rows));
  if (const std::string remark = table.remark(); !remark.empty()) {
    context.log(sdk::Level::info, remark);
  }
  if (rejected.count() == 0) return;
  context.note("rejected_rows", std::to_string(rejected.count()));
  context.log(sdk::Level::warning, std::to_string(rejected.count()) + " rows were rejected");
  std::string verdict = rejected.verdict(rows, context.number("bad_rows_max", 0.05));
  if (!verdict.empty()) context.halt(std::move(verdict));
}

}  // namespace

Result<void> run_ingest_files(sdk::Context& context) {
  TRY(options, read_options(context));
  std::vector<std::string> files;
  for (const auto& path : context.input_files("files")) files.push_back(path.string());
  RejectedRows rejected;
  if (options.text.quarantine && context.wants_output("rejected")) {
    TRY_VOID(rejected.open(context.output_path("rejected").string()));
  }
  TRY(table, open_table(std::move(files), options));
  TRY(writer, ExamplesWriter::create(context.output_path("examples").string(), table->schema()));
  const auto take = [&](std::shared_ptr<arrow::RecordBatch> batch) -> Result<void> {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "ingest was asked to stop"};
    TRY_VOID(writer.write(std::move(batch)));
    context.progress(writer.row_count());
    return {};
  };
  const auto reject = [&](const RejectedRow& row) { return rejected.add(row); };
  TRY_VOID(table->read(take, reject));
  TRY_VOID(writer.close());
  TRY_VOID(rejected.close());
  report(context, *table, writer.row_count(), rejected);
  return {};
}

}  // namespace pipelined
