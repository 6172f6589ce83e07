#include "plugins/model/model_what_if.h"

#include <arrow/record_batch.h>

#include <fstream>
#include <iterator>

#include "plugins/common/examples.h"
#include "plugins/common/row_cells.h"
#include "plugins/model/golden.h"
#include "plugins/model/what_if_json.h"

namespace pipelined::evaluation {
namespace {

Result<void> write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream stream(path, std::ios::binary);
  stream << text;
  if (stream.flush()) return {};
  return Error{ErrorCode::io, "cannot write " + path.filename().string()};
}

Result<Golden> read_golden(const sdk::Context& context, const model::Model& model) {
  std::ifstream stream(context.input_path("golden") / "golden.json", std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream) return Error{ErrorCode::invalid, "the golden rows have no file golden.json"};
  return parse_golden(text, model.inputs());
}

Error beyond(std::int64_t number, std::size_t rows, const char* of) {
  return {ErrorCode::invalid, "there is no row " + std::to_string(number) + ": the " + of +
                                  " have " + std::to_string(rows) + ", the first is row 1"};
}

Result<GivenRow> row_of_examples(const sdk::Context& context, const model::Model& model,
                                 std::int64_t number) {
  std::vector<std::string> folders;
  for (std::int64_t i = 0; i < context.input_count("examples"); ++i) {
    folders.push_back(context.input_path("examples", i).string());
  }
  TRY(reader, ExamplesReader::open(folders));
  std::vector<model::Cell> cells(model.inputs().size());
  std::int64_t seen = 0;
  for (;;) {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "stopped while reading examples"};
    TRY(batch, reader.next());
    if (!batch) return beyond(number, static_cast<std::size_t>(seen), "examples");
    if (number <= seen + batch->num_rows()) {
      TRY(bound, RowCells::bind(*batch, model.inputs()));
      bound.read(number - seen - 1, cells);
      return GivenRow::of(cells);
    }
    seen += batch->num_rows();
  }
}

Result<GivenRow> wanted_row(const sdk::Context& context, const model::Model& model) {
  std::optional<std::string> given = context.param_json("row");
  if (given == "{}") given.reset();
  const std::int64_t number = context.integer("number", 0);
  if (given && number > 0) {
    return Error{ErrorCode::invalid, "give the row itself or its number, not both"};
  }
  if (given) return GivenRow::read(*given, model.inputs());
  if (number < 1) {
    return Error{ErrorCode::invalid, "name a row: its values, or its number from 1 on"};
  }
  if (context.input_count("examples") > 0) return row_of_examples(context, model, number);
  if (context.input_count("golden") == 0) {
    return Error{ErrorCode::invalid, "a row by number needs examples or golden rows"};
  }
  TRY(golden, read_golden(context, model));
  if (static_cast<std::size_t>(number) > golden.rows.size()) {
    return beyond(number, golden.rows.size(), "golden rows");
  }
  return golden.rows[static_cast<std::size_t>(number) - 1].row;
}

}  // namespace

Result<void> model_what_if(sdk::Context& context) {
  TRY(model, model::Model::load(context.input_path("model")));
  TRY(before, wanted_row(context, model));
  GivenRow after = before;
  TRY_VOID(after.set_all(context.param_json("set").value_or("{}"), model.inputs()));
  const WhatIfSettings settings{context.find_number("threshold")};
  TRY(found, what_if(model, before, after, settings));
  return write_text(context.output_path("whatif") / "whatif.json",
                    what_if_json(found, model, before, after, settings));
}

Result<void> model_verify(sdk::Context& context) {
  TRY(model, model::Model::load(context.input_path("model")));
  TRY(golden, read_golden(context, model));
  const Verification found = verify(model, golden, context.number("tolerance", 0));
  context.metric("rows", static_cast<double>(found.rows));
  context.metric("deviations", static_cast<double>(found.deviations.size()));
  TRY_VOID(write_text(context.output_path("verification") / "verification.json",
                      verification_json(found)));
  if (found.rows == 0 || !found.deviations.empty()) context.halt(found.sentence());
  return {};
}

}  // namespace pipelined::evaluation
