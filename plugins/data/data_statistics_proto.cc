#include "plugins/data/operators.h"
#include "plugins/data/statistics_proto.h"

namespace pipelined {

Result<void> run_data_export_statistics(sdk::Context& context) {
  TRY(json, read_text((context.input_path("statistics") / "statistics.json").string()));
  TRY(bytes, proto_of_statistics(json, context.text("dataset", whole_dataset)));
  return write_text((context.output_path("proto") / "FeatureStats.pb").string(), bytes);
}

Result<void> run_data_import_statistics(sdk::Context& context) {
  const auto files = context.input_files("proto");
  if (files.size() != 1) {
    return Error{ErrorCode::invalid, "import statistics: one file is read, and there are " + std::to_string(files.size())};
  }
  TRY(bytes, read_text(files.front().string()));
  auto json = statistics_of_proto(bytes, {context.text("dataset"), context.text("label")});
  if (!json) return json.error().within("import " + files.front().filename().string());
  return write_text((context.output_path("statistics") / "statistics.json").string(), *json);
}

}  // namespace pipelined
