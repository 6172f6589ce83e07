// transform.apply: examples of numbers from examples of anything.
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cmath>

#include "model/transform.h"
#include "plugins/common/arrow_result.h"
#include "plugins/common/examples.h"
#include "plugins/common/ordered_work.h"
#include "plugins/common/row_cells.h"
#include "plugins/transform/operators.h"

namespace pipelined::transform {
namespace {

// Parquet has a page and a statistic a column; training takes the transform itself instead.
constexpr std::size_t columns_max = 20'000;

// A batch at a time: numbers into columns.
class Applier {
 public:
  Applier(const model::Transform& transform, std::vector<std::string> keep)
      : transform_(transform), keep_(std::move(keep)) {}

  Result<std::shared_ptr<arrow::Schema>> schema(const arrow::Schema& given) {
    arrow::FieldVector fields;
    for (const std::string& name : keep_) {
      const auto field = given.GetFieldByName(name);
      if (!field) {
        return Error{ErrorCode::invalid, "parameter \"keep\" names column \"" + name +
                                             "\", which the examples do not have"};
      }
      fields.push_back(field);
    }
    for (const model::Output& output : transform_.outputs()) {
      fields.push_back(arrow::field(output.name, output.whole ? arrow::int64() : arrow::float64()));
    }
    for (const std::string& label : transform_.labels()) {
      fields.push_back(arrow::field(label, arrow::int64()));
    }
    if (fields.size() > columns_max) {
      return Error{ErrorCode::invalid,
                   "the transform makes " + std::to_string(fields.size()) + " columns; tables have "
                   "at most " + std::to_string(columns_max) +
                       ": give the transform to the training step, which needs no table"};
    }
    schema_ = arrow::schema(fields);
    for (const auto& field : fields) {
      if (schema_->GetAllFieldsByName(field->name()).size() == 1) continue;
      return Error{ErrorCode::invalid, "two columns would be called \"" + field->name() +
                                           "\"; rename the feature or do not keep the column"};
    }
    return schema_;
  }

  /// Any number of threads may apply at once.
  Result<std::shared_ptr<arrow::RecordBatch>> apply(const arrow::RecordBatch& batch) const {
    const std::int64_t rows = batch.num_rows();
    const std::size_t width = transform_.outputs().size();
    const std::size_t labels = transform_.labels().size();
    std::vector<double> numbers((width + labels) * static_cast<std::size_t>(rows), 0);
    const auto column = [&](std::size_t index) {
      return numbers.data() + index * static_cast<std::size_t>(rows);
    };
    std::vector<model::Entry> entries;
    std::vector<double> classes;
    TRY(inputs, RowCells::bind(batch, transform_.inputs()));
    TRY(label_inputs, RowCells::bind(batch, transform_.label_inputs()));
    std::vector<model::Cell> cells(transform_.inputs().size());
    std::vector<model::Cell> label_cells(transform_.label_inputs().size());
    for (std::int64_t row = 0; row < rows; ++row) {
      inputs.read(row, cells);
      TRY_VOID(transform_.apply_row(cells, entries));
      for (const model::Entry& entry : entries) column(entry.index)[row] = entry.value;
      label_inputs.read(row, label_cells);
      TRY_VOID(transform_.label_row(label_cells, classes));
      for (std::size_t i = 0; i < labels; ++i) column(width + i)[row] = classes[i];
    }
    arrow::ArrayVector arrays;
    for (const std::string& name : keep_) arrays.push_back(batch.GetColumnByName(name));
    for (std::size_t i = 0; i < width + labels; ++i) {
      const bool whole = i >= width || transform_.outputs()[i].whole;
      TRY(array, whole ? build<arrow::Int64Builder>(column(i), rows)
                       : build<arrow::DoubleBuilder>(column(i), rows));
      arrays.push_back(std::move(array));
    }
    return arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
  }

 private:
  template <class Builder>
  static Result<std::shared_ptr<arrow::Array>> build(const double* values, std::int64_t rows) {
    using Number = typename Builder::value_type;
    Builder builder;
    TRY_VOID(from_arrow("make a column", builder.Reserve(rows)));
    for (std::int64_t row = 0; row < rows; ++row) {
      if (std::isnan(values[row])) {
        builder.UnsafeAppendNull();
      } else {
        builder.UnsafeAppend(static_cast<Number>(values[row]));
      }
    }
    return from_arrow("make a column", builder.Finish());
  }

  const model::Transform& transform_;
  std::vector<std::string> keep_;
  std::shared_ptr<arrow::Schema> schema_;
};

std::vector<std::string> kept_columns(const sdk::Context& context, const arrow::Schema& schema) {
  std::vector<std::string> keep = context.list("keep");
  if (keep != std::vector<std::string>{"*"}) return keep;
  return schema.field_names();
}

}  // namespace

Result<void> transform_apply(sdk::Context& context) {
  TRY(transform, model::Transform::load(context.input_path("transform")));
  std::vector<std::string> folders;
  for (std::int64_t i = 0; i < context.input_count("examples"); ++i) {
    folders.push_back(context.input_path("examples", i).string());
  }
  TRY(reader, ExamplesReader::open(folders));
  Applier applier(transform, kept_columns(context, *reader.schema()));
  TRY(schema, applier.schema(*reader.schema()));
  TRY(writer, ExamplesWriter::create(context.output_path("examples").string(), schema));
  const std::int64_t total = reader.row_count();
  using Batch = std::shared_ptr<arrow::RecordBatch>;
  const auto read = [&](Batch& piece) -> Result<bool> {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "stopped while applying"};
    TRY(batch, reader.next());
    piece = std::move(batch);
    return piece != nullptr;
  };
  const auto write = [&](Batch applied) -> Result<void> {
    TRY_VOID(writer.write(std::move(applied)));
    context.progress(writer.row_count(), total);
    return {};
  };
  TRY_VOID(ordered_work<Batch>(
      context.threads(), read, [&](const Batch& batch) { return applier.apply(*batch); }, write));
  TRY_VOID(writer.close());
  context.metric("rows", static_cast<double>(writer.row_count()));
  return {};
}

}  // namespace pipelined::transform
