// An ingest.files run in a test: files in, the outcome and the tables out.
#pragma once

#include <arrow/api.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "operators/testing/fake_context.h"
#include "plugins/common/examples.h"
#include "plugins/ingest/ingest_files.h"

namespace pipelined::testing {

/// All rows of an examples/1 folder.
inline std::shared_ptr<arrow::Table> read_examples(const std::filesystem::path& folder) {
  auto reader = ExamplesReader::open({folder.string()});
  INFO((reader ? "" : reader.error().message));
  REQUIRE(reader);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (;;) {
    auto batch = reader->next();
    REQUIRE(batch);
    if (!*batch) break;
    batches.push_back(*batch);
  }
  return arrow::Table::FromRecordBatches(reader->schema(), batches).ValueOrDie();
}

struct IngestRun {
  FakeContext context;
  std::string error;

  /// One delivered file.
  wire::Ended run(const std::string& file, const std::string& content,
                  const std::string& params = "{}") {
    return run_files({{file, content}}, params);
  }

  /// Several delivered files; a path may lead through folders.
  wire::Ended run_files(const std::vector<std::pair<std::string, std::string>>& files,
                        const std::string& params = "{}") {
    const std::filesystem::path folder = context.folder() / "delivery";
    for (const auto& [file, content] : files) {
      std::filesystem::create_directories((folder / file).parent_path());
      std::ofstream(folder / file, std::ios::binary) << content;
    }
    context.params(params).input("files", "files/1", folder);
    context.output("examples", "examples/1").output("rejected", "examples/1");
    wire::Ended ended = context.run(run_ingest_files);
    error = ended.error;
    return ended;
  }

  std::shared_ptr<arrow::Table> table(const std::string& port = "examples") {
    INFO(error);
    return read_examples(context.output_path(port));
  }
};

/// A cell as text; a null is "null".
inline std::string cell(const arrow::Table& table, const std::string& column, std::int64_t row) {
  return table.GetColumnByName(column)->GetScalar(row).ValueOrDie()->ToString();
}

/// The whole table, rows by line, values by bar.
inline std::string rows_of(const arrow::Table& table) {
  std::string text;
  for (std::int64_t row = 0; row < table.num_rows(); ++row) {
    for (int i = 0; i < table.num_columns(); ++i) {
      text += (i > 0 ? "|" : "") + table.column(i)->GetScalar(row).ValueOrDie()->ToString();
    }
    text += '\n';
  }
  return text;
}

}  // namespace pipelined::testing
