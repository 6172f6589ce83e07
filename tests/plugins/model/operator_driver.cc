// Runs one operator of the model stage on plain folders, for the oracles in Python.
//
//   operator_driver OPERATOR PARAMS_JSON THREADS SEED in:PORT:TYPE=FOLDER… out:PORT:TYPE=FOLDER…
//
// Prints the attempt's outcome, error and metrics as one JSON object.
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "operators/testing/fake_context.h"
#include "plugins/model/model_evaluate.h"
#include "plugins/model/model_explain.h"
#include "plugins/model/model_report.h"
#include "plugins/model/model_what_if.h"
#include "plugins/train/train_linear.h"
#include "plugins/train/train_onnx.h"
#include "plugins/train/train_trees.h"
#include "plugins/transform/operators.h"

namespace {

using namespace pipelined;

// "in:PORT:TYPE=FOLDER" in its four parts.
struct Argument {
  std::string side, port, type;
  std::filesystem::path folder;
};

Argument parse(const std::string& text) {
  const auto first = text.find(':');
  const auto second = text.find(':', first + 1);
  const auto third = text.find('=', second + 1);
  return {text.substr(0, first), text.substr(first + 1, second - first - 1),
          text.substr(second + 1, third - second - 1), text.substr(third + 1)};
}

}  // namespace

int main(int count, char** words) {
  if (count < 6) {
    std::cerr << "usage: operator_driver OPERATOR PARAMS THREADS SEED in:PORT:TYPE=FOLDER…\n";
    return 2;
  }
  const std::map<std::string, sdk::Function> operators{
      {"train.linear", train::train_linear},
      {"train.onnx", train::train_onnx},
      {"train.trees", train::train_trees},
      {"model.evaluate", evaluation::model_evaluate},
      {"model.explain", evaluation::model_explain},
      {"model.report", evaluation::model_report},
      {"model.whatif", evaluation::model_what_if},
      {"model.verify", evaluation::model_verify},
      {"transform.analyse", transform::transform_analyse},
      {"transform.fit", transform::transform_fit},
      {"transform.apply", transform::transform_apply}};
  testing::FakeContext context;
  context.params(words[2]).cpus(std::stod(words[3])).seed(std::stoll(words[4]));
  std::map<std::string, std::filesystem::path> outputs;
  for (int i = 5; i < count; ++i) {
    const Argument argument = parse(words[i]);
    if (argument.side == "in") {
      context.input(argument.port, argument.type, argument.folder);
    } else {
      context.output(argument.port, argument.type);
      outputs[argument.port] = argument.folder;
    }
  }
  const wire::Ended ended = context.run(operators.at(words[1]));
  for (const auto& [port, folder] : outputs) {
    std::filesystem::create_directories(folder);
    std::filesystem::copy(context.output_path(port), folder,
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
  }
  nlohmann::json answer{{"ok", ended.outcome == Outcome::ok},
                        {"error", ended.error},
                        {"metrics", nlohmann::json::array()}};
  for (const auto& metric : ended.metrics) {
    answer["metrics"].push_back(
        {{"name", metric.name}, {"slice", metric.slice}, {"value", metric.value}});
  }
  std::cout << answer.dump() << "\n";
  return ended.outcome == Outcome::ok ? 0 : 1;
}
