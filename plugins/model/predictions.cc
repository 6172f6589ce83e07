#include "plugins/model/predictions.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>

#include "plugins/common/arrow_result.h"

namespace pipelined::evaluation {
namespace {

constexpr const char* what = "write predictions";

// The scores of one class (or the only one) as a column of doubles: a 32-bit number is exact in it,
// and what reads it computes in 64 bits, as the metrics here do.
Result<std::shared_ptr<arrow::Array>> score_column(std::span<const float> scores,
                                                   std::size_t width, std::size_t which) {
  arrow::DoubleBuilder builder;
  TRY_VOID(from_arrow(what, builder.Reserve(static_cast<std::int64_t>(scores.size() / width))));
  for (std::size_t at = which; at < scores.size(); at += width) {
    builder.UnsafeAppend(static_cast<double>(scores[at]));
  }
  return from_arrow(what, builder.Finish());
}

Result<std::shared_ptr<arrow::Array>> predicted_column(std::span<const float> scores,
                                                       const std::vector<std::string>& classes) {
  arrow::StringBuilder builder;
  for (std::size_t at = 0; at < scores.size(); at += classes.size()) {
    const auto own = scores.subspan(at, classes.size());
    const auto best = std::max_element(own.begin(), own.end()) - own.begin();
    TRY_VOID(from_arrow(what, builder.Append(classes[static_cast<std::size_t>(best)])));
  }
  return from_arrow(what, builder.Finish());
}

}  // namespace

Result<PredictionsWriter> PredictionsWriter::create(const std::string& folder,
                                                    const arrow::Schema& schema,
                                                    const model::Signature& signature,
                                                    const std::vector<std::string>& keep) {
  std::vector<std::string> kept = keep;
  if (keep.size() == 1 && keep.front() == "*") {
    kept = schema.field_names();
    std::erase(kept, signature.label.name);
  }
  arrow::FieldVector fields;
  for (const std::string& name : kept) {
    const auto field = schema.GetFieldByName(name);
    if (!field) {
      return Error{ErrorCode::invalid, "parameter \"keep\" names column \"" + name +
                                           "\", which the examples do not have"};
    }
    fields.push_back(field);
  }
  const auto label = schema.GetFieldByName(signature.label.name);
  if (!label) {
    return Error{ErrorCode::invalid, "the examples have no column \"" + signature.label.name +
                                         "\", which is the label of the model"};
  }
  fields.push_back(arrow::field("label", label->type()));
  if (signature.objective == model::Objective::multi_softprob) {
    fields.push_back(arrow::field("predicted", arrow::utf8()));
    for (const std::string& word : signature.label.classes) {
      fields.push_back(arrow::field("score." + word, arrow::float64()));
    }
  } else {
    fields.push_back(arrow::field("score", arrow::float64()));
  }
  auto all = arrow::schema(fields);
  for (const auto& field : fields) {
    if (all->GetAllFieldIndices(field->name()).size() == 1) continue;
    return Error{ErrorCode::invalid, "column \"" + field->name() +
                                         "\" stands twice in the predictions; leave it out of the "
                                         "parameter \"keep\""};
  }
  TRY(writer, ExamplesWriter::create(folder, all));
  return PredictionsWriter(std::move(writer), std::move(all), signature, std::move(kept));
}

Result<void> PredictionsWriter::write(const arrow::RecordBatch& batch,
                                      std::span<const float> scores) {
  arrow::ArrayVector columns;
  for (const std::string& name : keep_) columns.push_back(batch.GetColumnByName(name));
  columns.push_back(batch.GetColumnByName(signature_.label.name));
  const std::size_t width = signature_.score_count();
  if (signature_.objective == model::Objective::multi_softprob) {
    TRY(predicted, predicted_column(scores, signature_.label.classes));
    columns.push_back(std::move(predicted));
  }
  for (std::size_t i = 0; i < width; ++i) {
    TRY(column, score_column(scores, width, i));
    columns.push_back(std::move(column));
  }
  return writer_.write(arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns)));
}

}  // namespace pipelined::evaluation
