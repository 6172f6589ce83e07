// Runs one operator of the plugins ingest and data on folders, for tests in other languages.
//
//   run_data_operator OPERATOR [--params JSON] [--cpus N] [--input PORT TYPE FOLDER]...
//                     [--output PORT TYPE FOLDER]...
// prints the outcome as one line of JSON; the outputs' folders must not exist and are made.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "operators/testing/fake_context.h"
#include "plugins/data/operators.h"
#include "plugins/ingest/ingest_files.h"

using namespace pipelined;

namespace {

const char* word(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok: return "ok";
    case Outcome::halt: return "halt";
    case Outcome::invalid: return "invalid";
    default: return "failed";
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::map<std::string, sdk::Function> operators{
      {"ingest.files", run_ingest_files},       {"data.sql", run_data_sql},
      {"data.statistics", run_data_statistics}, {"data.report", run_data_report},
      {"data.export_statistics", run_data_export_statistics},
      {"data.import_statistics", run_data_import_statistics},
      {"data.merge_statistics", run_data_merge_statistics},
      {"data.validate", run_data_validate},
      {"data.split", run_data_split}};
  if (count < 2 || !operators.contains(arguments[1])) return 2;
  testing::FakeContext context;
  std::map<std::string, std::filesystem::path> outputs;
  for (int i = 2; i < count; ++i) {
    const std::string option = arguments[i];
    const bool port = option == "--input" || option == "--output";
    if (i + (port ? 3 : 1) >= count) return 2;
    if (option == "--params") context.params(arguments[i + 1]);
    if (option == "--cpus") context.cpus(std::atof(arguments[i + 1]));
    if (option == "--memory") context.memory_bytes(std::atoll(arguments[i + 1]));
    if (option == "--input") context.input(arguments[i + 1], arguments[i + 2], arguments[i + 3]);
    if (option == "--output") {
      context.output(arguments[i + 1], arguments[i + 2]);
      outputs[arguments[i + 1]] = arguments[i + 3];
    }
    i += port ? 3 : 1;
  }
  const wire::Ended ended = context.run(operators.at(arguments[1]));
  for (const auto& [port, folder] : outputs) {
    std::filesystem::create_directories(folder);
    std::filesystem::copy(context.output_path(port), folder,
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
  }
  const nlohmann::json json = {{"outcome", word(ended.outcome)}, {"error", ended.error}};
  std::printf("%s\n", json.dump().c_str());
  return 0;
}
