#include "plugins/train/example_ports.h"

#include <fstream>

namespace pipelined::train {

Result<ExamplesReader> open_examples(const sdk::Context& context, const std::string& port) {
  std::vector<std::string> folders;
  for (std::int64_t i = 0; i < context.input_count(port); ++i) {
    folders.push_back(context.input_path(port, i).string());
  }
  if (folders.empty()) return Error{ErrorCode::invalid, "no examples at input \"" + port + "\""};
  return ExamplesReader::open(folders);
}

Result<std::shared_ptr<const model::Transform>> given_transform(const sdk::Context& context,
                                                                const std::string& label,
                                                                bool chose_columns) {
  if (context.input_count("transform") == 0) return std::shared_ptr<const model::Transform>();
  if (chose_columns) {
    return Error{ErrorCode::invalid, "with a transform its features are learned from; leave out "
                                     "the parameters \"features\" and \"exclude\""};
  }
  TRY(loaded, model::Transform::load(context.input_path("transform")));
  for (const model::ColumnInput& input : loaded.inputs()) {
    if (input.name != label) continue;
    return Error{ErrorCode::invalid, "the transform reads column \"" + input.name +
                                         "\", which is the label: a model must not see it"};
  }
  return std::shared_ptr<const model::Transform>(
      std::make_shared<const model::Transform>(std::move(loaded)));
}

Result<void> write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  if (stream.flush()) return {};
  return Error{ErrorCode::io, "cannot write " + path.filename().string()};
}

Error no_validation_rows() {
  return {ErrorCode::invalid, "early_stopping needs rows at input \"validation\": a loss on the "
                              "training rows never says that it is enough"};
}

}  // namespace pipelined::train
